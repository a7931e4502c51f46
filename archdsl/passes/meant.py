"""Misfits that come from how other tools write a layer: with the batch, or with the channels that flow in."""

from __future__ import annotations

from itertools import pairwise

from archdsl.ir.graph import Node
from archdsl.ops.shape import Shape
from archdsl.passes.shapes import Misfit, Trail
from archdsl.passes.spots import Spot, spots_read, upstream
from archdsl.text.diagnostic import Diagnostic, Fix, Label, Severity
from archdsl.text.edits import without_argument
from archdsl.text.source import Span

_WITH_BATCH = 4
SMALLEST_ODD_KERNEL = 8
"""Windows this wide are hardly ever given without their name."""


def meant_otherwise(misfit: Misfit) -> Diagnostic | None:
    """Return what to say of the step that was meant otherwise and so led to a misfit, if there is one."""
    trouble, trail, node = misfit
    if trouble.code == "E212" and (input := _input_with_batch(trail, node)) is not None:
        return _without_batch(input)
    if trouble.code in ("E211", "E224"):
        reads = spots_read(trail, node)
        steps = [(node, reads[0].shape), *_steps_before(reads[0])] if reads else []
        found = next((step for step, shape in steps if names_input_channels(step, shape)), None)
        if found is not None:
            labels = (Label(trouble.span, trouble.message),) if found is not node else ()
            return _without_input_channels(found, trouble.code, labels)
    return None


def _input_with_batch(trail: Trail, node: Node) -> Node | None:
    """Return the model's input if a step reads its four axes, of which the first can only be the batch."""
    spots = spots_read(trail, node)
    spot = spots[0] if spots else None
    while spot is not None and len(spot.shape) == _WITH_BATCH and not spot.node.is_input:
        spot = next(iter(spot.sources()), None)
    return spot.node if spot is not None and spot.node.is_input and len(spot.shape) == _WITH_BATCH else None


def _without_batch(node: Node) -> Diagnostic:
    """Say that an input is the shape of one image."""
    shape = node.op.infer_shape([]) if node.op is not None else Shape()
    written = f"input {Shape(*shape[1:])}"
    message = f"an image has three axes, [C, H, W], and this input has {len(shape)}"
    help = f"leave the batch out: write `{written}`"
    fix = Fix.at(node.span, written, title=help)
    return Diagnostic("E212", Severity.ERROR, message, node.span, help=help, fix=fix)


def _steps_before(spot: Spot) -> list[tuple[Node, Shape]]:
    """Return the steps before a value, each with what it reads."""
    way = [*upstream(spot)]
    return [(here.node, before.shape) for here, before in pairwise(way)]


def names_input_channels(node: Node, reads: Shape) -> bool:
    """Return whether a step's first two numbers are the channels that flow in and the ones it was meant to give.

    They are read as its channels and its window.
    """
    spans = node.attribute_spans
    if node.op is None or "channels" not in spans or "kernel" not in spans:
        return False
    first, second = spans["channels"], spans["kernel"]
    kernel = getattr(node.op, "kernel", ())
    is_plain = (
        all(span.text.isdigit() and node.span.holds(span) for span in (first, second)) and first.end <= second.start
    )
    return is_plain and first.text == str(reads[0]) and min(kernel, default=0) >= SMALLEST_ODD_KERNEL


def input_channels(node: Node) -> tuple[str, Span, str, Fix]:
    """Return what to say of such a step: the message, its place, the help and the fix."""
    first, window = node.attribute_spans["channels"], node.attribute_spans["kernel"].text
    written = " ".join(without_argument(node.span, first).split())
    message = f"`{' '.join(node.span.text.split())}` gives {first.text} channels, and {window} is its window"
    help = f"write `{written}`: the channels that flow in are not written"
    end = first.end + len(node.span.source.text[first.end :]) - len(node.span.source.text[first.end :].lstrip(" \t"))
    fix = Fix.at(Span(first.start, end, first.source), "", title=f"write `{written}`")
    return message, first, help, fix


def _without_input_channels(node: Node, code: str, labels: tuple[Label, ...]) -> Diagnostic:
    message, span, help, fix = input_channels(node)
    return Diagnostic(code, Severity.ERROR, message, span, labels=labels, help=help, fix=fix)
