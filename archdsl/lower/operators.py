"""Steps that call an operator: what its shape rule says of them, and what a model's inputs are."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.ir.trouble import Reported, Trouble
from archdsl.lower.arguments import Arguments
from archdsl.lower.level import Draft, Flow
from archdsl.lower.lowering import Lowering
from archdsl.lower.place import Place
from archdsl.lower.recovery import mistake_alone
from archdsl.lower.references import taken
from archdsl.ops.base import Op, OpError
from archdsl.ops.shape import LARGEST_TENSOR, Shape
from archdsl.syntax import tree
from archdsl.text.edits import renamed


def call_operator(
    op: type[Op], node: tree.Call, arguments: Arguments, place: Place, flow: Flow, lowering: Lowering
) -> Flow:
    """Lower a call of an operator that has one input or none."""
    if node.body is not None:
        help = "put a new line or `;` before the brace, where it is a group of steps; else remove it"
        if op.joins_as:
            help = f"it acts along an axis of one value: `{op.joins_as} {{ … }}` joins branches"
        fix = renamed(node.name.span, node.name.text, op.joins_as or None)
        raise Trouble("E107", f"`{node.name.text}` takes no body", node.body.span, help=help, fix=fix)
    made = lowering.operators.make(op, arguments, node.name.span)
    if op.category == "input":
        return _add_input(made, node, place, lowering)
    if flow.ref is None and not op.is_source:
        raise lowering.no_input(node.span)
    draft = Draft(node.name.text, node.span, label=place.label, op=made, attribute_spans=arguments.spans)
    flows = [*([] if op.is_source else [flow]), *taken(arguments.wires(op), node.span, place)]
    return add_operator(made, draft, flows, place, lowering)


def add_operator(op: Op, draft: Draft, flows: Sequence[Flow], place: Place, lowering: Lowering) -> Flow:
    """Add an operator's draft, checking what its shape rule says of channels."""
    if op.is_parameter:
        place.level.is_numbered = False
    draft.inputs = tuple(flow.ref for flow in flows if flow.ref is not None)
    shapes = [flow.shape for flow in flows if flow.shape is not None]
    draft.is_unfed = len(shapes) < len(flows) or len(draft.inputs) < len(flows)
    shape = None
    try:
        if draft.is_unfed:
            _check_alone(op, draft, lowering)
        else:
            shape = _inferred(op, shapes)
    except OpError as error:
        draft.trouble = Trouble.of(error, draft.span, draft.attribute_spans)
        lowering.defer(draft.trouble)
    draft.shapes = {"": shape}
    lowering.place_draft(draft, place.level)
    return place.level.add(draft)


def _inferred(op: Op, shapes: Sequence[Shape]) -> Shape:
    shape = op.infer_shape(shapes)
    if any(isinstance(size, int) and size > LARGEST_TENSOR for size in shape):
        raise OpError("E109", f"{shape} is larger than a tensor can be")
    return shape


def _check_alone(op: Op, draft: Draft, lowering: Lowering) -> None:
    """Report what is wrong with an operator whatever flows into it."""
    error = mistake_alone(op)
    if error is not None:
        lowering.fail(Trouble.of(error, draft.span, draft.attribute_spans))


def add_mistaken(op: Op, flows: Sequence[Flow], trouble: Trouble, place: Place, lowering: Lowering) -> Flow:
    """Add a node for a mistake that lowering itself finds in shapes."""
    lowering.defer(trouble)
    refs = tuple(flow.ref for flow in flows if flow.ref is not None)
    draft = Draft(op.keyword, trouble.span, refs, {"": None}, op=op, trouble=trouble)
    lowering.place_draft(draft, place.level)
    return place.level.add(draft)


def _add_input(op: Op, node: tree.Call, place: Place, lowering: Lowering) -> Flow:
    if place.level.is_aside and not lowering.calls:
        raise Reported
    if lowering.calls or place.level is not lowering.main or place.is_repeat:
        help = "write it in the model's own body, outside groups, blocks and repeats"
        raise Trouble("E121", "`input` is a step of the model itself", node.span, help=help)
    op, shape = lowering.inputs.add(op, node.span)
    return place.level.add(Draft("input", node.span, (), {"": shape}, label=place.label, op=op))
