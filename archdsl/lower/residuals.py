"""`residual`: a body whose result is added to what entered it, and the shortcut where their shapes differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.ir.trouble import Parts, Reported, Trouble
from archdsl.lower.dispatch import look_aside, lower_body
from archdsl.lower.joins import add_join
from archdsl.lower.level import Flow
from archdsl.lower.levels import spliced
from archdsl.lower.lowering import Lowering
from archdsl.lower.operators import add_mistaken
from archdsl.lower.place import Place
from archdsl.lower.steps import lower_step
from archdsl.ops.shape import Shape, Size
from archdsl.ops.sugar import total
from archdsl.semantics.evaluate import evaluate_bool
from archdsl.syntax import tree
from archdsl.text.source import Span


def lower_residual(node: tree.Residual, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Add a body's result to what enters it."""
    return spliced(node.span, place, flow, lowering, lambda p, f: _residual(node, p, f, lowering))


def _residual(node: tree.Residual, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    if flow.ref is None:
        raise lowering.no_input(node.span)
    place.level.is_numbered = False
    parts, is_wanted = Parts(), True
    with parts:
        is_wanted = node.condition is None or evaluate_bool(node.condition, place.env)
    lowering.fail_all(parts)
    main = lower_body(node.body, place, flow, lowering)
    if not is_wanted:
        return main
    if not parts.are_known:
        raise Reported
    skip = flow
    if main.shape is not None and flow.shape is not None and _changes_shape(flow.shape, main.shape):
        if node.shortcut is not None:
            skip = _shortcut(node, node.shortcut, place, flow, lowering)
        elif not _may_join(flow.shape, main.shape):
            trouble = _missing_shortcut(node, flow.shape, main.shape)
            return add_mistaken(total(), [main, skip], trouble, place, lowering)
    if node.shortcut is not None and (main.shape is None or flow.shape is None):
        look_aside([node.shortcut], (), place, lowering)
    return add_join(total(), {}, [main, skip], node.span, place, lowering)


def _shortcut(node: tree.Residual, body: tree.Body, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    if node.shortcut_label is None:
        return lower_body(body, place, flow, lowering)
    return lower_step(
        tree.Step(node.shortcut_label, tree.Group(body, body.span), None, body.span), place.at(flow), flow, lowering
    )


def _changes_shape(before: Shape, after: Shape) -> bool:
    """Return whether a residual's body changes channels or the image's scale, leaving rounding aside."""
    if len(before) != len(after):
        return True
    return any(a != b if is_exact else _scale(a) != _scale(b) for a, b, is_exact in _axes(before, after))


def _may_join(before: Shape, after: Shape) -> bool:
    """Return whether a residual's input and result may add up: one has a fixed size where the other has the image's."""
    if len(before) != len(after):
        return False
    return all(
        a == b if is_exact else _scale(a) == _scale(b) or isinstance(a, int) is not isinstance(b, int)
        for a, b, is_exact in _axes(before, after)
    )


def _axes(before: Shape, after: Shape) -> Iterator[tuple[Size, Size, bool]]:
    """Yield the sizes of each axis before and after, and whether they are channels, which are never rounded.

    Where no axis is the channels, the first stands for them.
    """
    exact = {x.axis for x in (before, after) if x.axis is not None} or {0}
    for axis, (a, b) in enumerate(zip(before, after, strict=True)):
        yield a, b, axis in exact


def _scale(size: Size) -> object:
    if isinstance(size, int):
        return "fixed", size
    return "scaled", size.growth if size.scale is None else size.scale


def _missing_shortcut(node: tree.Residual, before: Shape, after: Shape) -> Trouble:
    """Say that a residual's body changes what its shortcut cannot follow."""
    keyword = Span(node.span.start, node.span.start + len("residual"), node.span.source)
    help = "add `shortcut { conv … k=1 }`, or `when` to say when there is a shortcut at all"
    trouble = Trouble("E220", _not_followed((after, before)), keyword, help=help)
    # Where numbers happen to be the same for this image, they are not for others.
    trouble.restate = lambda shapes: _not_followed(shapes if shapes[0][:] != shapes[1][:] else (after, before))
    return trouble


def _not_followed(shapes: Sequence[Shape]) -> str:
    """Say what a residual's body makes of its input, given what comes out of the body and what goes into it."""
    after, before = shapes
    shown = [str(before), str(after)]
    if shown[0] == shown[1]:  # they differ by a rounding that the short form leaves out
        shown = [f"[{', '.join(map(str, x))}]" for x in (before, after)]
    return f"the body makes {shown[0]} into {shown[1]}, and nothing makes the shortcut follow"
