"""Steps that name others: `@label`, what a name holds, and `reuse label`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archdsl.ir.graph import Graph
from archdsl.ir.outputs import output_shapes
from archdsl.ir.trouble import Reported, Trouble
from archdsl.lower.labels import check_whole
from archdsl.lower.level import Draft, Flow, Ref
from archdsl.lower.lowering import Lowering
from archdsl.lower.place import Place
from archdsl.lower.sight import own_label
from archdsl.ops.base import OpError
from archdsl.ops.shape import Shape
from archdsl.semantics.evaluate import evaluate, interpolated
from archdsl.semantics.values import LevelValue, Setting, describe, is_value, kind_of
from archdsl.syntax import tree
from archdsl.text.source import Span


def lower_reference(node: tree.Reference | tree.Index, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Take up a value: what flows from a labelled step, or what a name holds."""
    value = evaluate(node, place.env)
    if not isinstance(value, LevelValue):
        raise _no_flow(value, node)
    return taken([value], node.span, place)[0]


def taken(wires: Sequence[LevelValue], span: Span, place: Place) -> list[Flow]:
    """Return the flows of values that are used at a place."""
    return [Flow(ref, wire.shape) for ref, wire in zip(refs_of(wires, span, place), wires, strict=True)]


def refs_of(wires: Sequence[LevelValue], span: Span, place: Place) -> list[Ref]:
    """Return values where they are known in the level of a place, which reads them."""
    if not wires:
        return []
    place.level.is_numbered = False
    budget = place.env.budget
    budget.read(len(wires), span)
    return [place.level.bring(wire, span, budget) for wire in wires]


def _no_flow(value: Setting, node: tree.Reference | tree.Index) -> Trouble:
    """Say that what stands as a step is no single value."""
    text = node.span.text
    if isinstance(value, tuple) and is_value(value):
        help = f"take one up, as in `{text}[0]`, or join them: `concat {text}`"
        return Trouble("E129", f"`{text}` is a list of {len(value)} values, where one flows on", node.span, help=help)
    message = f"`{text}` is {describe(value)}, {kind_of(value)}, and no step"
    return Trouble("E104", message, node.span, help="a step takes up a value, calls an operator or calls a block")


def lower_reuse(node: tree.Reuse, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Apply a labelled step's module once more."""
    place.level.is_numbered = False
    again = _draft_again(node, interpolated(node.label, place.env), place, flow)
    lowering.place_draft(again, place.level)
    if again.trouble is not None:
        lowering.defer(again.trouble)
    return place.level.add(again)


def _draft_again(node: tree.Reuse, name: str, place: Place, flow: Flow) -> Draft:
    level = place.level
    if place.label is not None:
        message = "a reused step keeps its first label"
        raise Trouble("E112", message, node.span, help="remove the label; name the result with `output`")
    index = own_label(name, node.label.span, level)
    if flow.ref is None or flow.shape is None:
        raise Reported
    check_whole(name, level, node.label.span)
    draft = level.drafts[index]
    place.env.budget.read(len(draft.inputs), node.span)
    if draft.is_input:
        message = f"`{name}` is an input, and no module to reuse"
        raise Trouble("E113", message, node.label.span, help=f"write `@{name}` to take it up")
    if draft.is_source:
        message = f"`{name}` is a tensor, and no module to reuse"
        raise Trouble("E113", message, node.label.span, help=f"write `@{name}` to take it up")
    if draft.is_unfed or draft.trouble is not None:
        raise Reported
    use = level.paths.get(f"{level.prefix}{name}")
    if use is not None:
        use.reused = node.label.span
    spans = {**draft.attribute_spans, "reuse": node.label.span}
    inputs, hint = (flow.ref, *draft.inputs[1:]), name.rpartition(".")[2]
    again = replace(draft, inputs=inputs, span=node.span, label=None, reuses=index, hint=hint, repeat=1)
    again.attribute_spans = spans
    first = [level.drafts[ref.index].shapes.get(ref.output) for ref in draft.inputs]
    if first[:1] != [flow.shape]:
        _reshape(again, node, first, [flow.shape, *first[1:]])
    return again


def _reshape(again: Draft, node: tree.Reuse, first: Sequence[Shape | None], shapes: Sequence[Shape | None]) -> None:
    """Settle what a module gives for another shape than the first time; whether it is the same, the sizes will tell."""
    try:
        if again.body is not None:
            again.shapes = output_shapes(again.body, shapes)
        elif again.op is not None:
            again.shapes = {"": again.op.infer_shape([shape for shape in shapes if shape is not None])}
    except OpError:
        again.shapes = {"": None}
        if again.body is not None and not _takes(again.body, first):
            return
        shown, handed = ", ".join(map(str, first)), ", ".join(map(str, shapes))
        message = f"`{again.hint}` took {shown} and is handed {handed}"
        help = f"reuse it where {shown} flows in, or write a step with weights of its own"
        again.trouble = Trouble("E213", message, node.label.span, help=help)


def _takes(body: Graph, shapes: Sequence[Shape | None]) -> bool:
    """Return whether a body has no mistake of its own, which is told where it stands."""
    try:
        output_shapes(body, shapes)
    except OpError:
        return False
    return True
