"""How the learning rate changes over a run, as a factor of the recipe's."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, inf, pi

from archdsl.recipes.recipe import Recipe
from archdsl.recipes.updates import ConstantRate, Cosine, Plateau, Steps


@dataclass(slots=True)
class Stall:
    """How long an error has had no new minimum: what plateaus and early stopping look at."""

    patience: int
    lowest: float = inf
    stalled: int = 0

    def record(self, error: float) -> bool:
        """Take note of an epoch's error; return whether it stalls for as long as is waited for."""
        if error < self.lowest:
            self.lowest, self.stalled = error, 0
            return False
        self.stalled += 1
        return self.stalled >= self.patience


class LearningRate:
    """The rate of each step of a run, as a recipe has it."""

    def __init__(self, recipe: Recipe, steps_per_epoch: int) -> None:
        self._recipe, self._steps = recipe, steps_per_epoch
        schedule = recipe.schedule
        self._stall = Stall(schedule.patience) if isinstance(schedule, Plateau) else None
        self._drops = 0

    def at(self, step: int) -> float:
        """Return the rate of a step, counted from 0 over the whole run."""
        rate, warmup = self._recipe.optimizer.lr, self._recipe.warmup.epochs * self._steps
        if step < warmup:
            return rate * min((step + 1) / warmup, 1.0)
        return rate * self._factor(step / self._steps)

    def _factor(self, epoch: float) -> float:
        match self._recipe.schedule:
            case ConstantRate():
                return 1.0
            case Cosine(end=end):
                start, whole = self._recipe.warmup.epochs, self._recipe.epochs.number
                # What is only warmed up has come down by the time that it goes on beyond its epochs.
                share = min(max((epoch - start) / (whole - start), 0.0), 1.0) if whole > start else 1.0
                return end + (1 - end) * (1 + cos(pi * share)) / 2
            case Steps(after=after, factor=factor):
                return factor ** sum(epoch >= milestone for milestone in after)
            case Plateau(factor=factor):
                return factor**self._drops

    def record(self, train_error: float, validation_error: float) -> None:
        """Take note of an ended epoch's errors, of which a plateau's schedule looks at one."""
        schedule = self._recipe.schedule
        if self._stall is None or not isinstance(schedule, Plateau):
            return
        if self._stall.record(train_error if schedule.on == "train" else validation_error):
            self._drops, self._stall.stalled = self._drops + 1, 0

    def state(self) -> dict[str, float]:
        """Return what a checkpoint keeps."""
        stall = self._stall or Stall(0)
        return {"drops": self._drops, "lowest": stall.lowest, "stalled": stall.stalled}

    def restore(self, state: dict[str, float]) -> None:
        """Go on from what a checkpoint kept."""
        self._drops = int(state["drops"])
        if self._stall is not None:
            self._stall.lowest, self._stall.stalled = state["lowest"], int(state["stalled"])
