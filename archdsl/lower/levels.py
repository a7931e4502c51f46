"""Levels inside levels: a group, and a step that has a level of its own because of its label."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from archdsl.ir.trouble import Reported, Trouble
from archdsl.lower.dispatch import lower_body
from archdsl.lower.level import NOTHING, Draft, Flow, Level
from archdsl.lower.lowering import Lowering
from archdsl.lower.place import Place
from archdsl.ops.shape import Shape
from archdsl.syntax import tree
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
    level = lowering.level_inside(place.level)
    result = fill(place.inside(level), level.arrive(flow.shape, span))
    if len(level.drafts) == 1 and result.shape is None:
        raise Reported
    if len(level.drafts) == 1:
        raise Trouble("E122", "this group has no step", span, help="remove it, or write `pass` in a branch")
    graph = level.finish(place.label or "group", "group", result, span)
    draft = Draft(word, span, (flow.ref,), output_shapes(level, result), place.label, body=graph)
    draft.is_unfed = flow.shape is None
    lowering.place_draft(draft, place.level)
    return place.level.add(draft)


def main_flow(body: tree.Body, flow: Flow) -> Flow:
    """Return the flow at a body's end, unless it ends by naming its outputs.

    What only names or checks values behind them makes nothing, so that it may be written there or removed.
    """
    makers = (one for one in reversed(body.statements) if not isinstance(one, tree.Let | tree.Defaults | tree.Assert))
    last = next(makers, None)
    names_last = isinstance(last, tree.OutputStatement) and not last.is_training_only
    return NOTHING if names_last else flow


def output_shapes(level: Level, main: Flow) -> dict[str, Shape | None]:
    """Return the shapes of a level's outputs by name; the main one is under ""."""
    named = {name: level.drafts[ref.index].shapes.get(ref.output) for name, ref, _ in level.ordered_outputs()}
    first = main.shape if main.ref is not None else next(iter(named.values()), None)
    return {"": first, **named}
