"""The statements that are no step: what they make flow, and what they make names mean for those behind them."""

from __future__ import annotations

from dataclasses import replace

from archdsl.ir.trouble import Parts, Reported, Trouble
from archdsl.lower.dispatch import leave_out, lower_body
from archdsl.lower.level import Flow
from archdsl.lower.lowering import Lowering
from archdsl.lower.place import Place
from archdsl.lower.recovery import labels_in, names_in
from archdsl.semantics.defaults import apply_defaults
from archdsl.semantics.evaluate import evaluate, evaluate_bool, evaluate_loop, unpack
from archdsl.semantics.values import UNKNOWN
from archdsl.syntax import tree
from archdsl.text import labels


def bind_let(node: tree.Let, place: Place, lowering: Lowering) -> Place:
    """Bind a name to a value, which is unknown after a mistake."""
    try:
        value = evaluate(node.value, place.env)
    except Trouble as trouble:
        lowering.fail(trouble)
        value = UNKNOWN
    except Reported:
        value = UNKNOWN
    return place._replace(env=place.env.bind_written(node.name.text, value, node.value))


def bind_defaults(node: tree.Defaults, place: Place, lowering: Lowering) -> Place:
    """Give context names and arguments the values that hold from here on."""
    parts = Parts()
    context = apply_defaults(node, place.env, parts)
    lowering.fail_all(parts)
    return place._replace(env=replace(place.env, context=context))


def bind_unknown(node: tree.Broken, place: Place, lowering: Lowering) -> Place:
    """Let the names that a damaged text may bind be unknown."""
    return place._replace(env=place.env.bind(**dict.fromkeys(names_in(node.span.text), UNKNOWN)))


def lower_broken(node: tree.Broken, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Keep the place of a statement that does not parse."""
    place.level.possible.update(labels_in(node.span.text))
    return leave_out(node, place, flow)


def lower_if(node: tree.If, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Lower the way that a condition chooses."""
    chosen = node.then if evaluate_bool(node.condition, place.env) else node.otherwise
    if lowering.is_survey:
        raise Reported  # both ways are looked at, since the condition may hold elsewhere
    return lower_body(chosen, place, flow, lowering) if chosen is not None else flow


def lower_for(node: tree.For, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Lower a body once for each item of a list."""
    for item in evaluate_loop(node.source, place.env):
        lowering.count(node.span)
        names = unpack(node.targets, item, node.source.span)
        with lowering.turn(names):
            flow = lower_body(node.body, place._replace(env=place.env.bind(**names)), flow, lowering)
    return flow


def lower_assert(node: tree.Assert, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Keep conditions for when the network's costs are known."""
    lowering.assertions += [(condition, place.env) for condition in node.conditions]
    return flow


def lower_output(node: tree.OutputStatement, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Name what flows here, or what a branch from here makes of it; the main flow goes on as it came."""
    result = flow
    if node.body is not None:
        place.level.is_numbered = False
        inner = place._replace(is_training=place.is_training or node.is_training_only)
        result = lower_body(node.body, inner, flow, lowering)
    name = node.name.text
    if any(name == other for other, _, _ in place.level.outputs):
        raise Trouble("E106", f"output `{name}` is defined twice", node.name.span, help="rename one of the two")
    problem = labels.objection(name)
    if problem or not name.isidentifier():
        help = "choose another name"
        raise Trouble("E112", problem or "an output's name is a plain word", node.name.span, help=help)
    if result.ref is not None:
        place.level.outputs.append((name, result.ref, node.is_training_only))
    return flow
