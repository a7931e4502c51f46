"""W408: maps too small for the windows that go over them."""

from __future__ import annotations

from fractions import Fraction
from itertools import takewhile
from math import prod

from archdsl.ops.base import Window
from archdsl.ops.shape import Shape
from archdsl.passes.lint.facts import Facts, shown
from archdsl.passes.lint.step import OperatorUse
from archdsl.text.diagnostic import Label, Reporter

MOST_LOST = Fraction(1, 5)
"""The part of a map that a window's stride may leave unread."""
LEAST_USED = Fraction(1, 2)
"""The part of a filter's weights that should meet the image at least, and not only its padding."""
_MOST_SHRINKING_SHOWN = 2
_MOST_POSITIONS = 10_000
"""A window in more positions that leave parts of the map unread is not looked into."""


def lint_small_map(facts: Facts, report: Reporter) -> None:
    """Report the first filter most of whose weights only ever meet padding, and pools that drop much of a map."""
    sliding = [(step, axes) for step in facts.wiring.steps if (axes := _axes(step))]
    for step, axes in sliding:
        used, total = prod(_meeting(*axis) for axis in axes), prod(window.kernel for _, _, window in axes)
        if step.linear_map is not None and not step.op.repeats_border() and used < LEAST_USED * total:
            _report_small(facts, step, used, total, report)
            break  # whatever follows works on a map that is no larger
    for step, axes in sliding:
        lost = [(_lost(*axis), axis[0]) for axis in axes]
        share = 1 - prod((1 - Fraction(count, size) for count, size in lost), start=Fraction(1))
        if share > MOST_LOST:
            _report_lost(facts, step, lost, share, report)


def _axes(step: OperatorUse) -> list[tuple[int, int, Window]]:
    """Return the input's size, the output's and the window of each image axis of a step with a real window."""
    windows = step.windows
    if prod(window.kernel for window in windows) == 1 or any(window.up > 1 for window in windows):
        return []
    return list(zip(step.inputs[0].numbers()[1:], step.output.numbers()[1:], windows, strict=True))


def _meeting(size: int, count: int, window: Window) -> int:
    """Count the weights of a filter, along an axis, that meet the image in at least one position."""
    kernel, stride, padding, dilation, *_ = window
    if size >= dilation * (kernel - 1) + 1 + stride:
        return kernel  # the usual case, in which every weight passes over the image
    if stride <= size:  # together the positions leave nothing out
        return _multiples(dilation, padding - (count - 1) * stride, padding + size - 1, kernel)
    if count > _MOST_POSITIONS:
        return kernel
    starts = range(padding, padding - count * stride, -stride)
    return sum(_multiples(dilation, start, start + size - 1, kernel) for start in starts)


def _multiples(step: int, low: int, high: int, most: int) -> int:
    """Count the first `most` multiples of a step, from 0 on, that lie from `low` to `high`."""
    return max(0, min(high // step, most - 1) - max(0, -(-low // step)) + 1)


def _lost(size: int, count: int, window: Window) -> int:
    """Count the rows behind the last window."""
    last = (count - 1) * window.stride - window.padding + (window.kernel - 1) * window.dilation
    return max(0, size - 1 - last)


def _report_small(facts: Facts, step: OperatorUse, used: int, total: int, report: Reporter) -> None:
    _, height, width = step.inputs[0].numbers()
    before = takewhile(lambda other: other is not step, facts.wiring.steps)
    shrinking = [other for other in before if _shrinks(other)]
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


def _shrinks(step: OperatorUse) -> bool:
    if len(step.node.inputs) != 1 or len(step.inputs[0]) != 3 or len(step.output) != 3:
        return False
    return prod(step.output.numbers()[1:]) < prod(step.inputs[0].numbers()[1:])


def _sides(shape: Shape) -> str:
    _, height, width = shape.numbers()
    return f"{height}x{width}"


def _report_lost(
    facts: Facts, step: OperatorUse, lost: list[tuple[int, int]], share: Fraction, report: Reporter
) -> None:
    parts = [f"{n} of {size} {what}" for (n, size), what in zip(lost, ("rows", "columns"), strict=True) if n]
    help = "pad it, or use an image whose size the strides divide"
    if "ceil" in step.op.attribute_names():
        help = "write `ceil=true`, or use an image whose size the strides divide"
    report.warning(
        "W408",
        f"{shown(step.node.span)} never reads {' and '.join(parts)}, {float(share):.0%} of the map",
        facts.place(step),
        help=help,
    )
