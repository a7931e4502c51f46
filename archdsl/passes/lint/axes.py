"""W415, W416 and W423: steps that take an axis for another."""

from __future__ import annotations

import re

from archdsl.ops.shape import Shape
from archdsl.passes.lint.facts import Facts, shown
from archdsl.passes.lint.mend import preceded_by
from archdsl.passes.lint.step import OperatorUse
from archdsl.text.diagnostic import Fix, Reporter
from archdsl.text.source import Span

_IMAGE_CHANNELS = (1, 3, 4)
_LEAST_SIDE = 8
_KEEP_AXES = ("norm", "activation", "regularise")


def lint_channels_last(facts: Facts, report: Reporter) -> None:
    """Report an input that looks like [H, W, C]: two equal sides, and then as many channels as images have."""
    for node, shape in zip(facts.shapes.graph.inputs, facts.shapes.inputs, strict=True):
        if len(shape) != 3:
            continue
        height, width, channels = shape.numbers()
        if height != width or height < _LEAST_SIDE or channels not in _IMAGE_CHANNELS:
            continue
        meant = f"[{channels}, {height}, {width}]"
        span = node.span_of("shape")
        report.warning(
            "W415",
            f"this input has {height} channels and images of {width}x{channels}",
            span,
            help=f"write the channels first: `input {meant}`",
            fix=_swap(span, meant, (height, width, channels)),
        )


def _swap(span: Span, meant: str, sizes: tuple[int, int, int]) -> Fix | None:
    written = re.search(r"\[\s*{}\s*,\s*{}\s*,\s*{}\s*\]".format(*sizes), span.text)
    if written is None:
        return None
    place = Span(span.start + written.start(), span.start + written.end(), span.source)
    return Fix.at(place, meant, title=f"write `{meant}`")


def lint_dense_on_map(facts: Facts, report: Reporter) -> None:
    """Report dense layers on a feature map as convolutions and pools make it, where they act on its width."""
    for place, step in facts.everywhere(lambda step: _on_map(facts, step)):
        channels, height, width = step.inputs[0].numbers()
        is_written_here = place == step.node.span and not step.node.calls
        report.warning(
            "W416",
            f"{shown(place)} acts on the width of {step.inputs[0]}, and gives {step.output}",
            place,
            help=f"write `flatten` before it, which makes {channels * height * width} values of the map",
            fix=preceded_by(step.node.span, "flatten") if is_written_here else None,
        )


def _on_map(facts: Facts, step: OperatorUse) -> OperatorUse | None:
    linear = step.linear_map
    if linear is None or len(step.inputs[0]) != 3 or linear.axis != 2:
        return None
    source = facts.wiring.sole_source(step)
    while source is not None and source.op.category in _KEEP_AXES:
        source = facts.wiring.sole_source(source)
    return step if source is not None and source.op.category in ("conv", "pool") else None


def lint_moved_channels(facts: Facts, report: Reporter) -> None:
    """Report steps that are told no axis and take the first one, where `permute` put the channels elsewhere."""
    for place, step in facts.everywhere(_takes_first):
        moved = next(x for x in step.inputs if _is_moved(x))
        report.warning(
            "W423",
            f"{shown(place)} takes the first axis of {moved}, whose channels are axis {moved.axis} since `permute`",
            place,
            help="say which is meant: `axis=0`, or `axis=channels`; `rearrange` has steps follow the channels",
        )


def _takes_first(step: OperatorUse) -> OperatorUse | None:
    is_told = getattr(step.op, "axis", "none to tell") is not None
    is_dense = step.op.category == "linear"  # acts on the last axis unless it is told
    return None if is_told or is_dense or not any(map(_is_moved, step.inputs)) else step


def _is_moved(x: Shape) -> bool:
    return bool(x.axis) and not x.is_named
