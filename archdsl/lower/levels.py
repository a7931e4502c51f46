"""Levels inside levels: a group, and a step that has a level of its own because of its label."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from archdsl.ir.trouble import Reported, Trouble
from archdsl.lower.dispatch import lower_body
from archdsl.lower.level import NOTHING, Draft, Flow, Level, Ref
from archdsl.lower.lowering import Lowering
from archdsl.lower.operators import add_operator
from archdsl.lower.place import Place
from archdsl.ops.shape import Shape
from archdsl.ops.sugar import nothing
from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.text.source import Span

# What lowers the steps of a level that is there already.
Fill: TypeAlias = Callable[[Place, Flow], Flow]


def lower_group(node: tree.Group, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Lower steps in braces, which are a level."""
    return nested(node.span, place, flow, lowering, lambda p, f: lower_body(node.body, p, f, lowering))


def spliced(span: Span, place: Place, flow: Flow, lowering: Lowering, fill: Fill) -> Flow:
    """Lower a step whose parts belong to the level it stands in, or to one of its own where it has a label."""
    return fill(place, flow) if place.label is None else nested(span, place, flow, lowering, fill)


def nested(span: Span, place: Place, flow: Flow, lowering: Lowering, fill: Fill, word: str = "group") -> Flow:
    """Add a level of its own, called by the step's label if it has one, that `fill` fills; `word` made it."""
    if flow.ref is None:
        raise lowering.no_input(span)
    level, use = lowering.level_inside(place.level), None
    if place.label is not None:
        level.paths, level.prefix = place.level.paths, f"{place.level.prefix}{place.label}."
        use = level.paths.get(level.prefix[:-1])
    if use is not None and use.is_level:
        level.go_on(use)
    result = fill(place.inside(level), level.arrive(flow.shape, span))
    if level.is_empty and result.shape is None:
        raise Reported
    if level.is_empty and (level.has_pass or result.position > 0):
        if result.position == 0 and not level.outputs:
            flow = add_operator(nothing(), Draft(word, span, op=nothing(), label=place.label), [flow], place, lowering)
            place.level.drafts[flow.position].inner, level.results = level, {"": Ref(0)}
            return flow
        result = add_pass(level, result, span, place, lowering)
    if level.is_empty:
        help = "remove it, or write `pass` for one that does nothing"
        raise Trouble("E122", "this group has no step", span, help=help)
    graph = level.finish(place.label or "group", "group", result, span)
    draft = Draft(word, span, (flow.ref, *level.captured), output_shapes(level, result), place.label, body=graph)
    draft.inner = level
    draft.is_unfed = flow.shape is None
    lowering.place_draft(draft, place.level)
    return place.level.add(draft)


def add_pass(level: Level, flow: Flow, span: Span, place: Place, lowering: Lowering) -> Flow:
    """Make a step of the `pass` or `@name` that is all of a level, for its outputs to name; return what flows on."""
    result = add_operator(nothing(), Draft("none", span, op=nothing()), [flow], place.inside(level), lowering)
    assert result.ref is not None
    level.outputs = [(name, result.ref if ref == flow.ref else ref, late) for name, ref, late in level.outputs]
    return result


def main_flow(body: tree.Body, flow: Flow, level: Level) -> Flow:
    """Return the flow at a body's end, unless it ends by naming its outputs.

    What only names or checks values behind them makes nothing, so that it may be written there or removed.
    Where conditions or a `for` without a turn leave none, the flow at the end is the only one.
    """
    last = _last(body, level)
    if isinstance(last, tree.For):
        targets = {target.text for target in last.targets}
        if _names_turns(_last(last.body, level), targets):
            return NOTHING if level.outputs else flow
        given = any(ref == flow.ref for _, ref, _ in level.outputs)
        return NOTHING if given and _may_name_turns(last.body, targets, level) else flow
    if not isinstance(last, tree.OutputStatement) or last.is_training_only:
        return flow
    return NOTHING if last.condition is None or level.outputs else flow


def _last(body: tree.Body, level: Level) -> tree.Statement | None:
    makers = (
        one
        for one in reversed(body.statements)
        if not isinstance(one, tree.Let | tree.Function | tree.Defaults | tree.Assert) and id(one) not in level.said
    )
    return next(makers, None)


def _names_turns(last: tree.Statement | None, targets: set[str]) -> bool:
    """Return whether the last statement of the turns of a `for` is an output that is called after the turn."""
    if not isinstance(last, tree.OutputStatement) or last.is_training_only:
        return False
    return any(isinstance(part, tree.Variable) and part.name in targets for part in nodes_of(last.name.pieces))


def _may_name_turns(body: tree.Body | None, targets: set[str], level: Level) -> bool:
    """Return whether a way through the turns of a `for` ends in such an output, be it behind an `if`."""
    last = _last(body, level) if body is not None else None
    if isinstance(last, tree.If):
        return any(_may_name_turns(way, targets, level) for way in (last.then, last.otherwise))
    return _names_turns(last, targets)


def output_shapes(level: Level, main: Flow) -> dict[str, Shape | None]:
    """Return the shapes of a level's outputs by name; the main one is under ""."""
    named = {name: level.drafts[ref.index].shapes.get(ref.output) for name, ref, _ in level.ordered_outputs()}
    first = main.shape if main.ref is not None else next(iter(named.values()), None)
    return {"": first, **named}
