"""Statement after statement, each by its rule; a mistake in one leaves the others as they are."""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.ir.trouble import Reported, Trouble
from archdsl.lower.level import Flow
from archdsl.lower.lowering import Lowering
from archdsl.lower.place import Place
from archdsl.lower.recovery import all_bodies, bodies_of, is_damaged, names_bound
from archdsl.ops.base import OpError
from archdsl.semantics.values import UNKNOWN
from archdsl.syntax import tree


def lower_body(body: tree.Body, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Lower what stands in braces; return what flows out of its last statement."""
    lowering.visited.add(id(body))
    for statement in body.statements:
        flow, place = lower_statement(statement, place, flow, lowering)
    return flow


def lower_statement(statement: tree.Statement, place: Place, flow: Flow, lowering: Lowering) -> tuple[Flow, Place]:
    """Lower one statement; a mistake in it is reported, and what flows on has no shape."""
    place = place.at(flow)
    flow_rules, name_rules = lowering.rules
    try:
        lowering.count(statement.span)
        damaged = place.env.module.damaged
        if damaged and is_damaged(statement, damaged):
            statement = tree.Broken(statement.span)
        kind = type(statement)
        behind = name_rules[kind](statement, place, lowering) if kind in name_rules else place
        return flow_rules[kind](statement, place, flow, lowering) if kind in flow_rules else flow, behind
    except OpError as error:
        lowering.fail(Trouble.of(error, statement.span))
    except Trouble as trouble:
        if trouble.is_fatal:
            raise
        lowering.fail(trouble)
    except Reported:
        pass
    look_aside(bodies_of(statement), names_bound(statement), place, lowering)
    return flow if isinstance(statement, tree.OutputStatement) else leave_out(statement, place, flow), place


def lower_action(action: tree.Action, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Lower what a step does."""
    lowering.count(action.span)
    return lowering.rules.flows[type(action)](action, place.at(flow), flow, lowering)


def look_aside(bodies: Iterable[tree.Body], names: Iterable[str], place: Place, lowering: Lowering) -> None:
    """Find the mistakes in bodies that one mistake kept from being lowered, with names that it leaves unknown."""
    for body in bodies:
        if all(id(inner) in lowering.visited for inner in all_bodies(body)):
            continue
        level, flow = place.level.aside()
        env = place.env.bind(**dict.fromkeys(names, UNKNOWN)).at(flow.ref, None)
        lower_body(body, place.inside(level)._replace(env=env, edits=(), stride=None), flow, lowering)
        place.level.possible.update(level.labels)


def leave_out(statement: tree.Statement, place: Place, flow: Flow) -> Flow:
    """Return what flows from a statement that a mistake leaves unknown."""
    label, hint = None, "group"
    if isinstance(statement, tree.Step):
        text = statement.label.span.text.rstrip(": ") if statement.label is not None else ""
        label = text if place.level.labels.get(text, (0,))[0] is None else None
        hint = statement.action.name.text if isinstance(statement.action, tree.Call) else hint
    return place.level.leave_out(hint, label, flow, statement.span)
