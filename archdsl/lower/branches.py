"""What branches need to know of shapes: the parts of a split, and when a residual needs a shortcut of its own."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.ir.trouble import Trouble
from archdsl.lower.stages import MAX_REPEAT
from archdsl.ops.shape import Shape, Size
from archdsl.semantics.evaluate import Env, evaluate, evaluate_int
from archdsl.semantics.values import describe
from archdsl.syntax import tree
from archdsl.text.source import Span


def split_sizes(node: tree.Split, shape: Shape, env: Env) -> list[int]:
    """Give the channels of each part that a `split` makes of a value."""
    channels = shape.channels
    parts = evaluate(node.parts, env)
    if isinstance(parts, tuple):
        sizes = [size for size in parts if isinstance(size, int) and size > 0]
        if len(sizes) != len(parts) or sum(sizes) != channels:
            message = f"parts of {describe(parts)} channels make up {sum(sizes)}, not {channels}"
            help = f"give sizes whose sum is {channels}"
            raise Trouble("E214", message, node.parts.span, help=help)
        return sizes
    count = evaluate_int(node.parts, env, "the number of parts")
    if count > MAX_REPEAT:
        raise Trouble("E109", f"{count} parts; a split has at most {MAX_REPEAT:,}", node.parts.span)
    if count < 1 or not isinstance(channels, int) or channels % count:
        message = f"{channels} channels do not split into {count} equal parts"
        raise Trouble("E214", message, node.parts.span, help="give the parts' sizes: `split [24, 40] concat { … }`")
    return [channels // count] * count


def changes_shape(before: Shape, after: Shape) -> bool:
    """Tell whether a residual's body changes channels or the image's scale, leaving rounding aside."""
    if len(before) != len(after) or before[0] != after[0]:
        return True
    return any(_scale(a) != _scale(b) for a, b in zip(before[1:], after[1:], strict=True))


def may_join(before: Shape, after: Shape) -> bool:
    """Tell whether a residual's input and result may add up: one has a fixed size where the other has the image's."""
    if len(before) != len(after) or before[0] != after[0]:
        return False
    pairs = zip(before[1:], after[1:], strict=True)
    return all(_scale(a) == _scale(b) or isinstance(a, int) is not isinstance(b, int) for a, b in pairs)


def _scale(size: Size) -> object:
    return ("fixed", size) if isinstance(size, int) else ("scaled", size.scale)


def missing_shortcut(node: tree.Residual, before: Shape, after: Shape) -> Trouble:
    """Say that a residual's body changes what its shortcut cannot follow."""
    keyword = Span(node.span.start, node.span.start + len("residual"), node.span.source)
    help = "add `shortcut { conv … k=1 }`, or `when` to say when there is a shortcut at all"
    trouble = Trouble("E220", _not_followed((after, before)), keyword, help=help)
    trouble.restate = _not_followed
    return trouble


def _not_followed(shapes: Sequence[Shape]) -> str:
    """Say what a residual's body makes of its input, given what comes out of the body and what goes into it."""
    after, before = shapes
    return f"the body makes {before} into {after}, and nothing makes the shortcut follow"
