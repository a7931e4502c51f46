"""A step: its label, the edits that reach it, and what it does, once or many times."""

from __future__ import annotations

from archdsl.ir.trouble import Trouble
from archdsl.lower.dispatch import lower_action
from archdsl.lower.edits import edited
from archdsl.lower.labels import new_label
from archdsl.lower.level import Flow
from archdsl.lower.lowering import Lowering
from archdsl.lower.place import Place
from archdsl.lower.repeats import lower_repeated
from archdsl.lower.stages import lower_labelled_stages
from archdsl.syntax import tree


def lower_step(step: tree.Step, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Lower one step of a chain."""
    label = _label(step, place, lowering)
    place = place.labelled(label)
    span = step.label.span if step.label is not None else step.span
    if label is not None:
        place.level.labels[label] = (None, span)
    elif step.repeat is not None and not isinstance(step.action, tree.Stages):
        return lower_repeated(step.action, step.repeat, step.span, place, flow, lowering)
    action, place = edited(step.action, place, lowering)
    if action is None:
        return flow
    if isinstance(action, tree.Stages):
        return _all_stages(action, step, place, flow, lowering)
    if step.repeat is None:
        result = lower_action(action, place, flow, lowering)
    else:
        result = lower_repeated(action, step.repeat, step.span, place, flow, lowering)
    if label is not None and result.ref is not None:
        place.level.labels[label] = (result.ref.index, span)
    return result


def _label(step: tree.Step, place: Place, lowering: Lowering) -> str | None:
    """Return a step's label with its interpolations; stages' own labels are worked out stage by stage."""
    if step.label is None or isinstance(step.action, tree.Stages):
        return None
    try:
        return new_label(step.label, place, lowering.way_in(place.level))
    except Trouble as trouble:
        lowering.fail(trouble)
        return None


def _all_stages(action: tree.Stages, step: tree.Step, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    if step.repeat is not None:
        raise Trouble("E107", "`stages` repeats by its depths", step.repeat.span, help="remove the `x`")
    return lower_labelled_stages(action, step.label, place, flow, lowering)
