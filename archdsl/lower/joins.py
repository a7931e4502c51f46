"""Joins: the branches that stand in their braces, and the operator that puts them together."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.ir.labels import unlabelled_name
from archdsl.ir.trouble import Trouble
from archdsl.lower.arguments import Arguments
from archdsl.lower.dispatch import lower_body, lower_statement
from archdsl.lower.level import Draft, Flow
from archdsl.lower.levels import spliced
from archdsl.lower.lowering import Lowering
from archdsl.lower.operators import add_operator
from archdsl.lower.place import Place
from archdsl.lower.references import taken
from archdsl.ops.base import Op
from archdsl.semantics.evaluate import evaluate_bool, evaluate_loop, unpack
from archdsl.semantics.values import LevelValue, flowing_in
from archdsl.syntax import tree
from archdsl.text.source import Span


def call_join(
    op: type[Op], node: tree.Call, arguments: Arguments, place: Place, flow: Flow, lowering: Lowering
) -> Flow:
    """Lower a call of an operator that joins the branches in its braces, or the values that it is called with."""
    body = node.body
    if body is None and not arguments.parts.are_known:
        lowering.operators.make(op, arguments, node.span)  # which raises all that is wrong with them
    if arguments.flowing:
        return _join_values(op, node, arguments, place, flow, lowering)
    if body is None:
        help = f"write `{node.name.text} {{ …; … }}`"
        raise Trouble("E103", f"`{node.name.text}` joins branches, and none are given", node.span, help=help)
    if flow.ref is None:
        raise lowering.no_input(node.span)

    def fill(place: Place, flow: Flow) -> Flow:
        place.level.is_numbered = False
        return join(op, arguments, lower_branches(body, flow, place, lowering), node.span, place, lowering)

    return spliced(node.span, place, flow, lowering, fill)


def _join_values(
    op: type[Op], node: tree.Call, arguments: Arguments, place: Place, flow: Flow, lowering: Lowering
) -> Flow:
    """Join values: those given, a list of them standing for its items; one by itself is joined to what flows."""
    name = node.name.text
    if node.body is not None:
        message = f"`{name}` takes branches in braces or values behind its name, not both"
        help = f"write the values as branches: `{name} {{ {node.arguments[0].span.text}; … }}`"
        raise Trouble("E129", message, node.body.span, help=help)
    if flow.ref is None:
        raise lowering.no_input(node.span)
    branches = taken([wire for given in arguments.flowing for wire in flowing_in(given)], node.span, place)
    if isinstance(arguments.flowing[0], LevelValue) and len(arguments.flowing) == 1:
        branches.insert(0, flow)
    return join(op, arguments, branches, node.span, place, lowering)


def join(
    op: type[Op], arguments: Arguments, branches: list[Flow], span: Span, place: Place, lowering: Lowering
) -> Flow:
    """Put branches together by an operator with these arguments."""
    if not branches:
        raise Trouble("E222", f"`{op.keyword}` has no branches", span, help="give it at least two")
    made = lowering.operators.make(op, arguments, span, len(branches))
    read = [*branches, *taken(arguments.wires(op), span, place)]
    # What joins element by element has nothing to do for one branch.
    if len(read) == 1 and made.is_pointwise():
        return branches[0]
    return add_join(made, arguments.spans, read, span, place, lowering)


def add_join(
    op: Op, spans: Mapping[str, Span], branches: list[Flow], span: Span, place: Place, lowering: Lowering
) -> Flow:
    """Add the operator that puts branches together; of what stands at `span` the first word stands for it."""
    keyword = Span(span.start, min(span.end, span.start + len(_first_word(span))), span.source)
    draft = Draft(op.keyword, keyword, op=op, attribute_spans=spans, label=place.label)
    if place.label is None and place.edits:
        place.level.joins.append(unlabelled_name(op.keyword))
    return add_operator(op, draft, branches, place, lowering)


def _first_word(span: Span) -> str:
    return span.text.split(maxsplit=1)[0] if span.text.strip() else ""


def lower_branches(
    body: tree.Body, starts: Flow | list[Flow], place: Place, lowering: Lowering, before: int = 0
) -> list[Flow]:
    """Lower each statement of a join's body as a branch of its own; `before` of them stand further out.

    All branches start at one flow, or each at its own.
    """
    lowering.visited.add(id(body))
    results: list[Flow] = []
    for statement in body.statements:
        index = before + len(results)
        start = starts if isinstance(starts, Flow) else starts[min(index, len(starts) - 1)]
        inner = place.at(start)
        match statement:
            case tree.Step(label=None, action=tree.Group(inside), repeat=None):
                results.append(lower_body(inside, inner, start, lowering))
            case tree.If():
                chosen = statement.then if evaluate_bool(statement.condition, inner.env) else statement.otherwise
                results += lower_branches(chosen, starts, inner, lowering, index) if chosen else []
            case tree.For():
                for item in evaluate_loop(statement.source, inner.env):
                    lowering.count(statement.span)
                    names = unpack(statement.targets, item, statement.source.span)
                    bound = inner._replace(env=inner.env.bind(**names))
                    with lowering.turn(names):
                        results += lower_branches(statement.body, starts, bound, lowering, before + len(results))
            case tree.Step() | tree.Broken():
                results.append(lower_statement(statement, inner, start, lowering)[0])
            case _:
                _, place = lower_statement(statement, inner, start, lowering)
    return results
