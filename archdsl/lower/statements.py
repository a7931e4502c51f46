"""The statements that are no step: what they make flow, and what they make names mean for those behind them."""

from __future__ import annotations

from dataclasses import replace

from archdsl.ir.trouble import Parts, Reported, Trouble
from archdsl.lower.dispatch import leave_out, lower_body
from archdsl.lower.level import Flow
from archdsl.lower.lowering import Lowering
from archdsl.lower.place import Place
from archdsl.lower.recovery import labels_in, names_in
from archdsl.semantics.callables import find_callable
from archdsl.semantics.defaults import apply_defaults
from archdsl.semantics.evaluate import evaluate, evaluate_bool, evaluate_loop, interpolated, unpack
from archdsl.semantics.values import UNKNOWN, Closure, LocalFunction, Partial
from archdsl.syntax import tree
from archdsl.syntax.walk import names_read
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


def bind_function(node: tree.Function, place: Place, lowering: Lowering) -> Place:
    """Bind a name to a function, which sees what names mean here; what no arguments would mend is told."""
    env = place.env
    unknown = dict.fromkeys(
        (*env.names, *(parameter.name.text for parameter in node.parameters), node.name.text), UNKNOWN
    )
    anywhere = replace(env.bind(**unknown), shape=UNKNOWN, entry=UNKNOWN)
    parts = Parts()
    for value in (node.value, *(parameter.default for parameter in node.parameters if parameter.default is not None)):
        with parts:
            evaluate(value, anywhere)
    lowering.fail_all(parts)
    read = names_read((node.value, node.parameters))
    names = tuple([item for item in env.names.items() if read is None or item[0] in read])
    function = LocalFunction(node, env.module, names) if not parts.troubles else UNKNOWN
    return place._replace(env=env.bind(**{node.name.text: function}))


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
    if lowering.parts is not None and (apart := lowering.parts.loop(node, place, flow, lowering)) is not None:
        return apart
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
    """Name what flows here, or what a branch from here makes of it; the main flow goes on as it came.

    Where its condition does not hold, there is no such output.
    """
    if node.condition is not None and not evaluate_bool(node.condition, place.env) and not lowering.is_survey:
        return flow
    result = flow
    label, body = _label_and_body(node, place)
    if body is not None:
        place.level.is_numbered = False
        inner = place._replace(is_training=place.is_training or node.is_training_only)
        result = lower_body(body, inner, flow, lowering)
    name = interpolated(label, place.env)
    if any(name == other for other, _, _ in place.level.outputs):
        raise Trouble("E106", f"output `{name}` is defined twice", node.name.span, help="rename one of the two")
    problem = labels.objection(name)
    if problem or not name.isidentifier():
        help = "choose another name"
        raise Trouble("E112", problem or "an output's name is a plain word", node.name.span, help=help)
    if result.ref is not None:
        place.level.outputs.append((name, result.ref, node.is_training_only))
    return flow


def _label_and_body(node: tree.OutputStatement, place: Place) -> tuple[tree.LabelText, tree.Body | None]:
    """Return an output's name and the branch behind it: `output aux{gap}` has one, since `gap` is a step."""
    *pieces, last = node.name.pieces or ("",)
    if node.body is None and pieces and isinstance(last, tree.Variable) and _is_step(last.name, place):
        span = node.name.span
        call = tree.Call(tree.Name(last.name, last.span), (), None, last.span)
        body = tree.Body((tree.Step(None, call, None, last.span),), last.span)
        return tree.LabelText(tuple(pieces), span), body
    return node.name, node.body


def _is_step(name: str, place: Place) -> bool:
    """Return whether a name means something that a step calls, and no value to put into a text."""
    env = place.env
    value = env.names.get(name)
    if value is None:
        value = env.context.get(name) or find_callable(name, env.module)
    return name == "pass" or isinstance(value, Partial | Closure)
