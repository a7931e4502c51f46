"""A step: its label, the edits that reach it, and what it does, once or many times."""

from __future__ import annotations

from archdsl.ir.trouble import Trouble
from archdsl.lower.dispatch import lower_action
from archdsl.lower.edits import edited
from archdsl.lower.labels import check_whole, new_label
from archdsl.lower.level import Flow
from archdsl.lower.lowering import Lowering
from archdsl.lower.place import Place
from archdsl.lower.repeats import lower_repeated
from archdsl.lower.said import FREEZE, is_said
from archdsl.lower.stages import lower_labelled_stages
from archdsl.syntax import tree


def lower_step(step: tree.Step, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Lower one step of a chain."""
    if is_said(step.action, place.env):
        return _take(step, place, flow, lowering)
    label = _label(step, place, lowering)
    place = place.labelled(label)
    span = step.label.span if step.label is not None else step.span
    is_new = label is not None and label not in place.level.labels
    if label is not None:
        # What a level gave is known while it is taken up again.
        place.level.labels.setdefault(label, (None, span))
    elif step.repeat is not None and not isinstance(step.action, tree.Stages):
        return lower_repeated(step.action, step.repeat, step.span, place, flow, lowering)
    action, place = edited(step.action, place, lowering)
    if action is None:
        place.level.forget(label)
        place.level.has_pass = True
        return flow
    if label is not None and action is not step.action:
        check_whole(label, place.level, action.span)
    if isinstance(action, tree.Stages):
        return _all_stages(action, step, place, flow, lowering)
    underway = place.level.underway
    underway.update((label,) if label is not None and is_new else ())
    try:
        if step.repeat is None:
            result = lower_action(action, place, flow, lowering)
        else:
            result = lower_repeated(action, step.repeat, step.span, place, flow, lowering)
    finally:
        underway.discard(label or "")
    if label is not None and result.ref is not None:
        place.level.labels[label] = (result.ref.index, span)
    elif result.ref is None:
        place.level.labels.pop(label or "", None)  # nothing flows yet, so that it stands for nothing
    return result


def _take(step: tree.Step, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    """Take note of what a model's own body says of its weights; nothing of the flow changes."""
    assert isinstance(step.action, tree.Call)
    word, code = step.action.name.text, "E132" if step.action.name.text == FREEZE else "E133"
    if step.label is not None or step.repeat is not None:
        extra = step.label if step.label is not None else step.repeat
        assert extra is not None
        raise Trouble(code, f"`{word}` is no step of the network", extra.span, help="remove it")
    if place.level is not lowering.main and not lowering.is_survey:
        help = "put it into the model's own body, with the path from there"
        raise Trouble(code, f"`{word}` stands inside a level of the network", step.action.name.span, help=help)
    place.level.said.add(id(step))
    lowering.said.take(step.action, place.env)
    return flow


def _label(step: tree.Step, place: Place, lowering: Lowering) -> str | None:
    """Return a step's label with its interpolations; stages' own labels are worked out stage by stage."""
    if step.label is None or isinstance(step.action, tree.Stages):
        return None
    try:
        is_level = isinstance(step.action, tree.Group) and step.repeat is None
        return new_label(step.label, place, lowering.way_in(place.level), is_level=is_level)
    except Trouble as trouble:
        lowering.fail(trouble)
        return None


def _all_stages(action: tree.Stages, step: tree.Step, place: Place, flow: Flow, lowering: Lowering) -> Flow:
    if step.repeat is not None:
        raise Trouble("E107", "`stages` repeats by its depths", step.repeat.span, help="remove the `x`")
    return lower_labelled_stages(action, step.label, place, flow, lowering)
