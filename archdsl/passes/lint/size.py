"""W407 and W408: windows and images whose sizes do not go together."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import prod

from archdsl.ops.base import Window
from archdsl.ops.shape import Shape
from archdsl.passes.lint.facts import Facts, shown
from archdsl.passes.lint.seen import sees_at_least
from archdsl.passes.lint.wiring import Step
from archdsl.text.diagnostic import Label, Reporter

LEAST_SEEN = Fraction(1, 3)
"""The part of the image's side that the last feature map of a classifier should see at least."""
MOST_LOST = Fraction(1, 5)
"""The part of a map that a window's stride may leave unread."""
LEAST_USED = Fraction(1, 2)
"""The part of a filter's weights that should meet the image at least, and not only its padding."""
_MOST_SHRINKING_SHOWN = 2


def lint_receptive_field(facts: Facts, report: Reporter) -> None:
    """Report a classifier whose global pooling averages over positions that each see little of the image."""
    inputs = facts.shapes.inputs
    if len(inputs) != 1 or len(inputs[0]) != 3 or not _classifies(facts):
        return
    height, width = inputs[0].numbers()[1:]
    pools = [step for step in facts.wiring.steps if _is_global(step) and step.inputs[0] != step.output]
    if not pools or sees_at_least(facts.shapes, int(LEAST_SEEN * max(height, width))):
        return
    (field,) = facts.fields.last_feature_map().values()
    sizes = [size for size, side in zip(field.size, (height, width), strict=True) if size and size < LEAST_SEEN * side]
    if len(sizes) < 2 or max(sizes) == 1:
        return
    rows, columns = field.size
    pool = next((step for step in reversed(pools) if facts.is_own(facts.place(step))), None)
    report.warning(
        "W407",
        f"a position of the last feature map sees {rows}x{columns} of the {height}x{width} image",
        facts.place(pool) if pool else facts.shapes.graph.span,
        notes=["the pooling only averages what the positions tell apart: nothing has seen a larger object as a whole"],
        help="put more strided steps or convolutions before it, or give a smaller image",
    )


def _classifies(facts: Facts) -> bool:
    """Tell whether a vector comes out, made by a dense layer or a 1x1 convolution."""
    step, *_ = facts.wiring.given_out
    if len(step.output) != 1:
        return False
    while step.op.category in ("shape", "pool", "activation", "regularise"):
        source = facts.wiring.sole_source(step)
        if source is None:
            return False
        step = source
    return step.linear_map is not None and step.is_pointwise


def _is_global(step: Step) -> bool:
    return step.op.category == "pool" and not step.windows and step.output[1:] == (1, 1)


def lint_small_map(facts: Facts, report: Reporter) -> None:
    """Report the first filter most of whose weights only ever meet padding, and pools that drop much of a map."""
    for index, step in enumerate(facts.wiring.steps):
        if step.linear_map is not None and not step.op.repeats_border():
            used = prod(_used(step))
            total = prod(window.kernel for _, _, window in _axes(step))
            if used < LEAST_USED * total:
                _report_small(facts, step, used, total, index, report)
                break  # whatever follows works on a map that is no larger
    for step in facts.wiring.steps:
        axes = [(_lost(*axis), axis[0]) for axis in _axes(step)]
        if not any(lost for lost, _ in axes):
            continue
        share = 1 - prod((1 - Fraction(lost, size) for lost, size in axes), start=Fraction(1))
        if share > MOST_LOST:
            _report_lost(facts, step, axes, share, report)


def _axes(step: Step) -> Iterator[tuple[int, int, Window]]:
    """Yield the input's size, the output's and the window of each image axis of a step with a real window."""
    is_real = prod(window.kernel for window in step.windows) > 1 and all(window.up == 1 for window in step.windows)
    if is_real:
        yield from zip(step.inputs[0].numbers()[1:], step.output.numbers()[1:], step.windows, strict=True)


def _used(step: Step) -> list[int]:
    """Count, for each axis, the weights of a filter that meet the image in at least one position."""
    return [_meeting(*axis) for axis in _axes(step)]


def _meeting(size: int, count: int, window: Window) -> int:
    kernel, stride, padding, dilation, _ = window
    if size >= dilation * (kernel - 1) + 1 + stride:
        return kernel  # the usual case, in which every weight passes over the image
    starts = range(-padding, count * stride - padding, stride)
    return sum(any(0 <= start + tap * dilation < size for start in starts) for tap in range(kernel))


def _lost(size: int, count: int, window: Window) -> int:
    """Count the rows behind the last window."""
    last = (count - 1) * window.stride - window.padding + (window.kernel - 1) * window.dilation
    return max(0, size - 1 - last)


def _report_small(facts: Facts, step: Step, used: int, total: int, index: int, report: Reporter) -> None:
    _, height, width = step.inputs[0].numbers()
    shrinking = [other for other in facts.wiring.steps[:index] if _shrinks(other)]
    labels = [
        Label(facts.place(other), f"from {_sides(other.inputs[0])} to {_sides(other.output)}")
        for other in shrinking[-_MOST_SHRINKING_SHOWN:]
    ]
    report.warning(
        "W408",
        f"the map is {height}x{width} here: {total - used} of the {total} weights of each filter only meet padding",
        facts.place(step),
        labels=[label for label in labels if label.span != facts.place(step)],
        help="shrink the image less before it, or give a larger one",
    )


def _shrinks(step: Step) -> bool:
    if len(step.node.inputs) != 1 or len(step.inputs[0]) != 3 or len(step.output) != 3:
        return False
    return prod(step.output.numbers()[1:]) < prod(step.inputs[0].numbers()[1:])


def _sides(shape: Shape) -> str:
    _, height, width = shape.numbers()
    return f"{height}x{width}"


def _report_lost(facts: Facts, step: Step, axes: list[tuple[int, int]], share: Fraction, report: Reporter) -> None:
    parts = [f"{n} of {size} {what}" for (n, size), what in zip(axes, ("rows", "columns"), strict=True) if n]
    help = "pad it, or use an image whose size the strides divide"
    if "ceil" in step.op.attribute_names():
        help = "write `ceil=true`, or use an image whose size the strides divide"
    report.warning(
        "W408",
        f"{shown(step.node.span)} never reads {' and '.join(parts)}, {float(share):.0%} of the map",
        facts.place(step),
        help=help,
    )
