"""`split`: the parts of a value, each with a branch of its own, and the join that puts them together again."""

from __future__ import annotations

from archdsl.ir.trouble import Reported, Trouble
from archdsl.lower.arguments import gather, resolve
from archdsl.lower.joins import join, lower_branches
from archdsl.lower.level import Draft, Flow
from archdsl.lower.levels import spliced
from archdsl.lower.lowering import Lowering
from archdsl.lower.operators import add_mistaken, add_operator
from archdsl.lower.place import Place
from archdsl.lower.repeats import MAX_REPEAT
from archdsl.ops.axes import counted
from archdsl.ops.base import Op, OpError
from archdsl.ops.shape import Shape
from archdsl.ops.sugar import part
from archdsl.semantics.env import Env
from archdsl.semantics.evaluate import beside, evaluate, evaluate_int
from archdsl.semantics.mistakes import unknown_argument
from archdsl.semantics.values import DeclaredBlock, Partial, describe
from archdsl.syntax import tree
from archdsl.text.source import Span


def lower_split(node: tree.Split, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Split a value's channels, or another axis, into parts, which go to the branches of a join."""
    return spliced(node.span, place, flow, lowering, lambda p, f: _split(node, p, f, lowering))


def _split(node: tree.Split, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    place.level.is_numbered = False
    target, body = _join_of(node, place.env)
    if flow.ref is None:
        raise lowering.no_input(node.span)
    if flow.shape is None:
        raise beside(Reported(), [node.parts], place.env)
    parts = _parts(node, flow.shape, place, flow, lowering)
    branches = lower_branches(body, parts, place, lowering)
    if len(branches) != len(parts):
        if any(isinstance(statement, tree.Broken) for statement in body.statements):
            raise Reported
        message = f"{len(parts)} parts go to {len(branches)} branches"
        raise Trouble("E111", message, node.parts.span, help="give each part one branch; `pass` hands it on")
    op, arguments = target.target, gather(target, node.join.arguments, place.env)
    assert not isinstance(op, DeclaredBlock)
    return join(op, arguments, branches, node.span, place, lowering)


def _join_of(node: tree.Split, env: Env) -> tuple[Partial, tree.Body]:
    """Return the join that a split hands its parts to, and its branches."""
    target = resolve(node.join, env)
    is_join = isinstance(target, Partial) and not isinstance(target.target, DeclaredBlock) and target.target.is_join
    if not isinstance(target, Partial) or not is_join or node.join.body is None:
        help = "write `split 2 concat { …; … }`"
        raise Trouble("E104", "`split` hands its parts to a join", node.join.name.span, help=help)
    return target, node.join.body


def _parts(node: tree.Split, shape: Shape, place: Place, flow: Flow, lowering: Lowering) -> list[Flow]:
    whole = _one_part(node, place.env, lowering)
    try:
        kept = whole.kept_part([shape])
        assert kept is not None
        sizes = _sizes(node, shape, kept.axis, place.env)
    except OpError as error:
        spans = {argument.key.text: argument.span for argument in node.arguments if argument.key is not None}
        add_mistaken(whole, [flow], Trouble.of(error, node.parts.span, spans), place, lowering)
        raise Reported from None
    except Trouble as trouble:
        if trouble.code == "E214":
            add_mistaken(whole, [flow], trouble, place, lowering)
            raise Reported from None
        raise
    if len(sizes) == 1:
        return [flow]
    parts: list[Flow] = []
    start = 0
    for size in sizes:
        op = whole.model_copy(update={"start": start, "size": size})
        parts.append(add_operator(op, Draft(op.keyword, node.span, op=op), [flow], place, lowering))
        start += size
    return parts


def _one_part(node: tree.Split, env: Env, lowering: Lowering) -> Op:
    """Return what takes the first place of the axis that is split."""
    first = part(start=0, size=1)
    keyword = Span(node.span.start, node.span.start + len("split"), node.span.source)
    arguments = gather(Partial("split", type(first)), node.arguments, env)
    for argument in node.arguments:
        if argument.key is not None and argument.key.text != "axis":
            raise unknown_argument("split", argument.key.text, ["axis"], argument.span, {})
    arguments.values.update(start=0, size=1)
    return lowering.operators.make(type(first), arguments, keyword)


def _sizes(node: tree.Split, shape: Shape, axis: int, env: Env) -> list[int]:
    """Return how long each part is that a `split` makes of a value along an axis."""
    whole, places = shape[axis], counted(shape, axis)
    parts = evaluate(node.parts, env)
    if isinstance(parts, tuple):
        sizes = [size for size in parts if isinstance(size, int) and size > 0]
        if len(sizes) != len(parts) or sum(sizes) != whole:
            unit = "channels" if shape.axis == axis else "places"
            message = f"parts of {describe(parts)} {unit} make up {sum(sizes)}, not {whole}"
            help = f"give sizes whose sum is {whole}"
            raise Trouble("E214", message, node.parts.span, help=help)
        return sizes
    count = evaluate_int(node.parts, env, "the number of parts")
    if count > MAX_REPEAT:
        raise Trouble("E109", f"{count} parts; a split has at most {MAX_REPEAT:,}", node.parts.span)
    if count < 1 or not isinstance(whole, int) or whole % count:
        message = f"{places} do not split into {count} equal parts"
        by_sizes = "give the parts' sizes: `split [24, 40] concat { … }`"
        help = by_sizes if isinstance(whole, int) else "split an axis whose size does not depend on the image"
        raise Trouble("E214", message, node.parts.span, help=help)
    return [whole // count] * count
