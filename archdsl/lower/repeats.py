"""Steps that are repeated: those that no longer change are one node."""

from __future__ import annotations

from archdsl.ir.trouble import Reported, Trouble
from archdsl.lower.dispatch import lower_action
from archdsl.lower.edits import edited
from archdsl.lower.level import Draft, Flow, Ref
from archdsl.lower.levels import Fill, spliced
from archdsl.lower.lowering import Lowering
from archdsl.lower.place import Place
from archdsl.semantics.env import Env
from archdsl.semantics.evaluate import evaluate_int
from archdsl.syntax import tree
from archdsl.text.source import Span

MAX_REPEAT = 10_000


def lower_repeated(
    action: tree.Action, repeat: tree.Expression, span: Span, place: Place, flow: Flow, lowering: Lowering
) -> Flow:
    """Lower a repeated step; each repetition has a path of its own, below the label if there is one."""
    try:
        count = _repeat_count(repeat, place.env)
    except (Trouble, Reported) as error:
        result = lower_action(action, place, flow, lowering)
        if isinstance(error, Trouble):
            lowering.fail(error)
        return Flow(result.ref, None)

    def once(place: Place, flow: Flow) -> Flow:
        one, place = edited(action, place, lowering)
        return lower_action(one, place, flow, lowering) if one is not None else flow

    return spliced(span, place, flow, lowering, lambda p, f: repeat_until_steady(count, p, f, once))


def _repeat_count(expression: tree.Expression, env: Env) -> int:
    count = evaluate_int(expression, env, "a repeat")
    if not 0 <= count <= MAX_REPEAT:
        message = f"{count:,} repeats, where a step repeats 0 to {MAX_REPEAT:,} times"
        help = "repeat it less often" if count > 0 else "count from 0"
        raise Trouble("E109", message, expression.span, help=help)
    return count


def repeat_until_steady(count: int, place: Place, flow: Flow, once: Fill) -> Flow:
    """Lower repetitions until they no longer change: the rest are equal to the last, and join its node."""
    drafts = place.level.drafts
    done = 0
    while done < count:  # not by `range`: a count that stands for those of many networks is only compared
        entering, before, size = flow.ref, flow.shape, len(drafts)
        flow = once(place._replace(is_repeat=place.is_repeat or done > 0), flow)
        done += 1
        if before is None or place.edits:
            continue
        is_steady = done > 1 and flow.shape == before and len(drafts) == size + 1 == flow.position + 1
        is_steady = is_steady and drafts[-1].label is None and drafts[-1].reuses is None
        if is_steady and _goes_on(drafts[-1], entering):
            drafts[-1].repeat += count - done
            _merge_equal(drafts)
            return Flow(Ref(len(drafts) - 1), flow.shape)
    return flow


def _goes_on(draft: Draft, entering: Ref | None) -> bool:
    """Return whether what flows is a draft's first input alone: further values are the same for every repetition."""
    return draft.inputs[:1] == (entering,) and entering not in draft.inputs[1:]


def _merge_equal(drafts: list[Draft]) -> None:
    """Join the last draft with the one before it where both are the same call."""
    if len(drafts) < 2:
        return
    before, last = drafts[-2], drafts[-1]
    is_chained = before.label is None and not before.is_input and last.inputs[1:] == before.inputs[1:]
    is_chained = is_chained and _goes_on(last, Ref(len(drafts) - 2))
    same = before.op == last.op and before.body is last.body and before.shapes == last.shapes
    if is_chained and same and before.reuses is None and last.label is None:
        before.repeat += last.repeat
        drafts.pop()
