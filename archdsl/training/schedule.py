"""How the learning rate changes over a run, as a factor of the recipe's `lr`."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, inf, pi
from typing import Protocol

from archdsl.training.recipe import Recipe


class Schedule(Protocol):
    """A rule for the factor after the warm-up."""

    def factor(self, epoch: float) -> float:
        """Return the factor at a time in epochs, 0 at the start of the run."""
        ...

    def record(self, error: float) -> None:
        """Take note of an ended epoch's error on its training images, from 0 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class Cosine:
    """Fall from 1 at the end of the warm-up to 0 at the end of the run.

    Source: Loshchilov and Hutter 2017 (SGDR), equation 5, one cycle
    """

    start: float
    end: float

    def factor(self, epoch: float) -> float:
        share = min(max((epoch - self.start) / (self.end - self.start), 0.0), 1.0)
        return (1 + cos(pi * share)) / 2

    def record(self, error: float) -> None:
        """Change nothing: the course is fixed."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Multiply by `drop` at each milestone."""

    milestones: tuple[int, ...]
    drop: float

    def factor(self, epoch: float) -> float:
        return self.drop ** sum(epoch >= milestone for milestone in self.milestones)

    def record(self, error: float) -> None:
        """Change nothing: the course is fixed."""


@dataclass(slots=True)
class Plateau:
    """Multiply by `drop` when the error has had no new minimum for `patience` epochs.

    The error is the training set's, so that the test set has no say in the run.

    Source: He et al. 2015, section 3.4: "divided by 10 when the error plateaus"
    """

    drop: float
    patience: int
    lowest: float = inf
    stalled: int = 0
    drops: int = 0

    def factor(self, epoch: float) -> float:
        return self.drop**self.drops

    def record(self, error: float) -> None:
        if error < self.lowest:
            self.lowest, self.stalled = error, 0
            return
        self.stalled += 1
        if self.stalled >= self.patience:
            self.drops, self.stalled = self.drops + 1, 0


def schedule_of(recipe: Recipe) -> Schedule:
    """Build the schedule that a recipe names."""
    match recipe.schedule:
        case "cosine":
            return Cosine(recipe.warmup_epochs, recipe.epochs)
        case "step":
            return Steps(recipe.milestones, recipe.factor)
        case "plateau":
            return Plateau(recipe.factor, recipe.patience)


def learning_rate(recipe: Recipe, schedule: Schedule, step: int, steps_per_epoch: int) -> float:
    """Return the rate of a step, counted from 0 over the whole run."""
    warmup_steps = recipe.warmup_epochs * steps_per_epoch
    if step < warmup_steps:
        return recipe.lr * min((step + 1) / warmup_steps, 1.0)
    return recipe.lr * schedule.factor(step / steps_per_epoch)
