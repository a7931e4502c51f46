"""W411, W412 and W413: a step that does again what the one before it has done."""

from __future__ import annotations

from archdsl.ops.base import Op
from archdsl.passes.lint.facts import Facts, shown
from archdsl.passes.lint.mend import without
from archdsl.passes.lint.step import OperatorUse
from archdsl.text.diagnostic import Label, Reporter


def lint_twice(facts: Facts, report: Reporter) -> None:
    """Report activations on activations, norms on norms, and pools of what is pooled to one value already."""
    for place, (first, second, code, message) in facts.everywhere(lambda step: _judge(facts, step)):
        is_same = code == "W413" or (first.op == second.op and second.op.is_idempotent())
        report.warning(
            code,
            message.format(shown(place)),
            place,
            labels=[Label(facts.place(first), "done here before")] if facts.place(first) != place else [],
            help="remove one of the two",
            fix=without(second.node, is_same_network=is_same),
        )


def _judge(facts: Facts, second: OperatorUse) -> tuple[OperatorUse, OperatorUse, str, str] | None:
    first = facts.wiring.sole_source(second)
    if first is None or first is second or first in facts.wiring.forked:
        return None
    if _is_hidden(first.op) and _is_hidden(second.op):
        return first, second, "W411", "{} is an activation right behind another one"
    if _normalises(first.op) and _normalises(second.op):
        return first, second, "W412", "{} normalises what a norm has just normalised"
    if first.op.category == second.op.category == "pool" and second.op.keeps_constants():
        is_global = first.output[1:] == (1, 1) != first.inputs[0][1:]
        if is_global and second.output == first.output:
            return first, second, "W413", "{} pools one value, which it leaves as it is"
    return None


def _is_hidden(op: Op) -> bool:
    """Return whether an operator is an activation between layers: what squashes or gates a value may follow one."""
    squashes = op.makes_probabilities or (op.is_bounded() and not op.is_idempotent())
    return op.category == "activation" and not squashes


def _normalises(op: Op) -> bool:
    return op.removes_scale or op.running_norm() is not None
