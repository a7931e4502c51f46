"""W411, W412 and W413: a step that does again what the one before it has done."""

from __future__ import annotations

from archdsl.ops.activation import LogSoftmax, ReLU, ReLU6, Sigmoid, Softmax, Tanh
from archdsl.ops.norm import BatchNorm, FrozenBatchNorm, GroupNorm, InstanceNorm, LayerNorm, RMSNorm, SyncBatchNorm
from archdsl.ops.pool import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    AvgPool2d,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    MaxPool2d,
)
from archdsl.passes.lint.facts import Facts, shown
from archdsl.passes.lint.mend import without
from archdsl.passes.lint.wiring import Step
from archdsl.text.diagnostic import Label, Reporter

_NORMS = (BatchNorm, SyncBatchNorm, FrozenBatchNorm, GroupNorm, LayerNorm, InstanceNorm, RMSNorm)
_POOLS = (AdaptiveAvgPool2d, AdaptiveMaxPool2d, GlobalAvgPool2d, GlobalMaxPool2d, AvgPool2d, MaxPool2d)
# What bounds or gates a value may well follow another activation.
_FINAL = (Sigmoid, Tanh, Softmax, LogSoftmax)
_IDEMPOTENT = (ReLU, ReLU6)


def lint_twice(facts: Facts, report: Reporter) -> None:
    """Report activations on activations, norms on norms, and pools of what is pooled to one value already."""
    for place, (first, second, code, message) in facts.everywhere(lambda step: _judge(facts, step)):
        is_same = code == "W413" or (type(first.op) is type(second.op) and isinstance(second.op, _IDEMPOTENT))
        report.warning(
            code,
            message.format(shown(place)),
            place,
            labels=[Label(facts.place(first), "done here before")] if facts.place(first) != place else [],
            help="remove one of the two",
            fix=without(second.node, is_same_network=is_same),
        )


def _judge(facts: Facts, second: Step) -> tuple[Step, Step, str, str] | None:
    first = facts.wiring.sole_source(second)
    if first is None or first is second or first in facts.wiring.forked:
        return None
    if _is_hidden(first) and _is_hidden(second):
        return first, second, "W411", "{} is an activation right behind another one"
    if isinstance(first.op, _NORMS) and isinstance(second.op, _NORMS):
        return first, second, "W412", "{} normalises what a norm has just normalised"
    if isinstance(first.op, _POOLS) and isinstance(second.op, _POOLS):
        is_global = first.output[1:] == (1, 1) != first.inputs[0][1:]
        if is_global and second.output == first.output:
            return first, second, "W413", "{} pools one value, which it leaves as it is"
    return None


def _is_hidden(step: Step) -> bool:
    return step.op.category == "activation" and not isinstance(step.op, _FINAL)
