"""The measures of experiments, in one closed table: what can be asked of a run. `archdsl.experiments` measures them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

LEVEL = 0.5
"""The mean training loss that counts as reached where none is said."""


@dataclass(frozen=True, slots=True)
class MeasureArgument:
    """A value of a measure: one of some words, a number, or what an experiment or a network calls its parts."""

    name: str
    kind: Literal["word", "number", "count", "axis", "path"]
    words: tuple[str, ...] = ()
    default: float | None = None
    """The value where it is left out; None where it has to be said."""


@dataclass(frozen=True, slots=True)
class MeasureKind:
    """One word of the table."""

    name: str
    arguments: tuple[MeasureArgument, ...]
    unit: str
    """What its numbers count, empty for a bare number."""
    better: Literal["smaller", "larger"]
    format: str
    """A number of it in a report, as `format` takes it."""
    doc: str
    example: str
    can_tune: bool = True
    """Whether an option may be chosen by it: what looks at test images, or at the machine, may not."""


_LOSS = MeasureArgument("quantity", "word", ("loss",))
_LEVEL = MeasureArgument("level", "number")
_BATCH = MeasureArgument("batch", "count")
PARTS = ("training", "validation", "test")
MODES = ("training", "evaluation")

_KINDS = (
    MeasureKind(
        "steps_to",
        (_LOSS, _LEVEL),
        "steps",
        "smaller",
        ".0f",
        "The first step at which the mean training loss of the last 5 steps is at most a level; never, which is above"
        " all numbers, where no step reaches it.",
        "steps_to(loss, 0.5)",
    ),
    MeasureKind(
        "final",
        (_LOSS, MeasureArgument("steps", "count")),
        "",
        "smaller",
        ".3f",
        "The mean training loss of the last steps; infinite where a loss was not finite.",
        "final(loss, 15)",
    ),
    MeasureKind(
        "highest",
        (MeasureArgument("axis", "axis"), MeasureArgument("level", "number", default=LEVEL)),
        "",
        "larger",
        "g",
        "The largest option of an axis of numbers at which the mean training loss of 5 steps reaches a level, 0.5 where"
        " none is said; none, which is below all numbers, where none does.",
        "highest(lr, 0.5)",
        can_tune=False,
    ),
    MeasureKind(
        "gradient_norm",
        (MeasureArgument("path", "path"),),
        "",
        "larger",
        ".3g",
        "The norm of the training loss's gradient by all parameters at and below a path, at the first step.",
        'gradient_norm("conv1")',
    ),
    MeasureKind(
        "loss",
        (MeasureArgument("mode", "word", MODES), _BATCH),
        "",
        "smaller",
        ".3f",
        "After training, the mean loss of the validation images in batches, with the module in training or evaluation.",
        "loss(evaluation, 32)",
    ),
    MeasureKind(
        "gap_at",
        (_LOSS, _LEVEL),
        "",
        "smaller",
        ".3f",
        "The loss of validation images minus that of training images, both in evaluation, at the first step at which"
        " the mean training loss of 5 steps is at most a level.",
        "gap_at(loss, 0.1)",
    ),
    MeasureKind(
        "accuracy",
        (MeasureArgument("part", "word", PARTS),),
        "",
        "larger",
        ".1%",
        "The share of a part's images that the last weights put into their class, in evaluation.",
        "accuracy(validation)",
    ),
    MeasureKind(
        "latency",
        (_BATCH,),
        "s",
        "smaller",
        ".3g",
        "The median time of a forward pass of a batch in evaluation, on one thread of this machine.",
        "latency(1)",
        can_tune=False,
    ),
    MeasureKind("parameters", (), "", "smaller", ",.0f", "Learned numbers.", "parameters"),
    MeasureKind("macs", (), "", "smaller", ",.0f", "Multiply-adds of a forward pass of one image.", "macs"),
    MeasureKind(
        "memory",
        (),
        "bytes",
        "smaller",
        ",.0f",
        "Bytes of the weights and of the activations that are alive at once, for one image in evaluation.",
        "memory",
    ),
)

MEASURES: Mapping[str, MeasureKind] = MappingProxyType({kind.name: kind for kind in _KINDS})
"""All measures by their words."""
