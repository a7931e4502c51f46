"""What every kind of data asks of training: a loss, figures, and which of two results is the better one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isnan, nan
from typing import TYPE_CHECKING, ClassVar, cast

import torch
from torch import Tensor

from archdsl.recipes.measures import Loss
from archdsl.training.tasks.figures import figures_of, is_better

if TYPE_CHECKING:
    from archdsl.training.data.dataset import TargetKind

ModuleOutput = Tensor | tuple[Tensor, ...]


def as_outputs(output: ModuleOutput) -> Sequence[Tensor]:
    """Return what a module gives as a sequence, the main output first."""
    return (output,) if isinstance(output, Tensor) else output


@dataclass(frozen=True, eq=False)
class Task(ABC):
    """What an output is trained and measured on."""

    kind: ClassVar[TargetKind]

    statement: Loss
    """What the recipe minimises."""
    classes: tuple[str, ...]
    best_by: str
    """The figure by which the best epoch is chosen."""
    auxiliary: tuple[int, ...] = ()
    """Places of auxiliary outputs among those that the module gives in training; each has the loss too."""
    unused: tuple[str, ...] = ()
    """Names of outputs without a loss."""
    counts: tuple[int, ...] = ()
    """Of the training images by class, where the loss is weighted by them."""

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of what is measured, the loss first."""
        return figures_of(self.kind, self.classes)

    @abstractmethod
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Return what is minimised for one output and a batch of targets: a float32 number that has a gradient."""

    @abstractmethod
    def each(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the plain loss of each image, [N] in float32: without smoothing and weights."""

    @abstractmethod
    def meter(self) -> Meter:
        """Return what measures a part of the data, batch by batch."""

    def is_better(self, one: Mapping[str, float], other: Mapping[str, float]) -> bool:
        """Return whether one result is better than another, by `best_by`; equal ones are not."""
        return is_better(self.best_by, one[self.best_by], other[self.best_by])

    def error(self, figures: Mapping[str, float]) -> float:
        """Return what plateaus and early stopping look at; less is better.

        1 less the accuracy, the mean average precision or the mean IoU; of numbers and images the loss.
        """
        name = {"class": "accuracy", "classes": "mean_average_precision", "mask": "miou"}.get(self.kind)
        value = 1 - figures[name] if name is not None else figures["loss"]
        return inf if isnan(value) else value


class Meter(ABC):
    """Measure a part of the data batch by batch, on the device and without waiting for it.

    However the part is cut into batches, the figures are the same: what is summed is kept for each image, and summed
    once.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self._kept: list[tuple[Tensor, ...]] = []

    def add(self, output: Tensor, target: Tensor) -> None:
        """Take in a batch: the main output and its targets, on the same device."""
        with torch.no_grad():
            self._kept.append(self._measure(output.detach().float(), target))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was taken in."""
        return not self._kept

    @abstractmethod
    def _measure(self, output: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        """Return what is kept of a batch: tensors with an entry for each image."""

    def read(self) -> dict[str, float]:
        """Return the figures of all that was taken in, waiting for the device.

        Where the loss is no number none of them is: what a network that gives no numbers hits, it hits by chance.
        Raises ValueError where nothing was.
        """
        if not self._kept:
            raise ValueError("nothing was measured")
        columns = [torch.cat(column).cpu() for column in zip(*self._kept, strict=True)]
        figures = self._figures(columns)
        is_sound = not isnan(figures["loss"])
        return {name: figures[name] if is_sound else nan for name in self.task.figures}

    def state(self) -> list[Tensor]:
        """Return all that was taken in, on the CPU, for `restore`."""
        return [torch.cat(column).cpu() for column in zip(*self._kept, strict=True)]

    def restore(self, columns: Sequence[Tensor], device: torch.device) -> None:
        """Take in what another meter of the same task had, instead of what this one has."""
        self._kept = [tuple(column.to(device) for column in columns)] if columns else []

    @abstractmethod
    def _figures(self, columns: Sequence[Tensor]) -> dict[str, float]:
        """Work the figures out of what was kept, now in one tensor each and on the CPU."""


def mean(values: Tensor) -> float:
    """Return the mean in float64, so that a million images lose no digits."""
    return number(values.double().mean())


def number(value: Tensor) -> float:
    """Return a tensor of one element as a number."""
    return cast(float, value.item())


def share(part: float, whole: float) -> float:
    """Return a part of a whole, or no number where there is no whole."""
    return part / whole if whole else nan
