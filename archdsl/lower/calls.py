"""A step that calls something by name: an operator, a block, or a body that was handed over."""

from __future__ import annotations

from dataclasses import replace

from archdsl.ir.trouble import Reported, Trouble
from archdsl.lower.arguments import Arguments, gather, resolve
from archdsl.lower.blocks import call_block
from archdsl.lower.dispatch import lower_body
from archdsl.lower.joins import call_join
from archdsl.lower.level import Draft, Flow
from archdsl.lower.levels import spliced
from archdsl.lower.lowering import Lowering
from archdsl.lower.operators import add_operator, call_operator
from archdsl.lower.place import Place
from archdsl.lower.within import WORD, lower_within
from archdsl.semantics.callables import find_callable
from archdsl.semantics.context import Context
from archdsl.semantics.evaluate import beside
from archdsl.semantics.values import Closure, DeclaredBlock, Partial
from archdsl.syntax import tree


def lower_call(node: tree.Call, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Lower a call by what its name stands for."""
    name = node.name
    if name.text == "pass" and name.text not in place.env.names:
        return _pass(node, place, flow)
    if name.text == WORD and name.text not in place.env.names and find_callable(WORD, place.env.module) is None:
        return lower_within(node, place, flow, lowering)
    is_plain = not (node.arguments or node.body or place.own or name.text in place.env.names)
    key = (name.text, id(place.env.module), place.env.context)
    if is_plain and flow.ref is not None and (op := lowering.plain.get(key)) is not None:
        return add_operator(op, Draft(name.text, node.span, label=place.label, op=op), [flow], place, lowering)
    target = _target(node, place)
    if isinstance(target, Closure):
        return _lower_closure(node, target, place, flow, lowering)
    arguments = _arguments(target, node, place)
    if isinstance(target.target, DeclaredBlock):
        return call_block(target.target, node, arguments, place, flow, lowering)
    if target.target.is_join:
        return call_join(target.target, node, arguments, place, flow, lowering)
    if is_plain and target.target.category != "input":
        lowering.plain[key] = lowering.operators.make(target.target, arguments, name.span)
    return call_operator(target.target, node, arguments, place, flow, lowering)


def _pass(node: tree.Call, place: Place, flow: Flow) -> Flow:
    """Hand on what flows in."""
    place.level.has_pass = True
    if node.arguments or node.body:
        first = node.arguments[0] if node.arguments else node.body
        assert first is not None
        raise Trouble("E107", "`pass` takes no arguments", first.span, help="remove it")
    return flow


def _target(node: tree.Call, place: Place) -> Partial | Closure:
    try:
        return resolve(node, place.env)
    except Reported as error:
        raise beside(error, [argument.value for argument in node.arguments], place.env) from None


def _lower_closure(node: tree.Call, body: Closure, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Lower a body that a caller hands over, with what names mean where it stands, below the step's label if any."""
    names = dict(body.names)
    env = replace(place.env, module=body.module, names=names)  # pyright: ignore[reportArgumentType] -- what a closure was made of

    def fill(place: Place, flow: Flow) -> Flow:
        return lower_body(body.body, place.spliced(env), flow, lowering)

    return spliced(node.span, place, flow, lowering, fill)


def _arguments(target: Partial, node: tree.Call, place: Place) -> Arguments:
    """Return a call's arguments, with those in their place that edits set on the step."""
    arguments, edit = gather(target, node.arguments, place.env), None
    for argument, env in place.own:
        seen = replace(env, context=Context(), sight=place.env.sight)
        given = gather(Partial(target.name, target.target), [argument], seen)
        arguments.values.update(given.values)
        if given.flowing:
            # One edit puts all its values in the place of those before; what names mean is the same for all of it.
            arguments.flowing = [*(arguments.flowing if env is edit else ()), *given.flowing]
            edit = env
        arguments.spans.update(given.spans)
        arguments.parts.troubles += given.parts.troubles
        arguments.parts.are_known &= given.parts.are_known
    return arguments
