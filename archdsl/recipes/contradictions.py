"""What a recipe's statements say against each other, each legal by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archdsl.recipes.recipe import Recipe
from archdsl.recipes.updates import Plateau, RmsProp, Sgd, Steps


class Contradiction(NamedTuple):
    """Which statement to change, what is wrong, and what to do."""

    keyword: str
    message: str
    help: str


def contradictions(recipe: Recipe) -> Iterator[Contradiction]:
    """Yield what cannot be carried out."""
    epochs, optimizer, schedule = recipe.epochs.number, recipe.optimizer, recipe.schedule
    if isinstance(optimizer, Sgd) and optimizer.nesterov and not optimizer.momentum:
        yield Contradiction("optimizer", "`nesterov` needs momentum above 0", "give it: `momentum=0.9`")
    if isinstance(schedule, Steps):
        if list(schedule.after) != sorted(set(schedule.after)):
            yield Contradiction("schedule", "the epochs of `after` do not rise", "list each once, smallest first")
        elif schedule.after[-1] >= epochs:
            message = f"epoch {schedule.after[-1]} is not before the end, epoch {epochs}"
            yield Contradiction("schedule", message, "leave it out, or raise `epochs`")
    if recipe.warmup.epochs > epochs:
        message = f"the warm-up takes {recipe.warmup.epochs:g} of only {epochs} epochs"
        yield Contradiction("warmup", message, "shorten it, or raise `epochs`")
    if isinstance(schedule, Plateau) and recipe.early_stop is not None:
        stop = recipe.early_stop
        if stop.on == schedule.on and stop.patience <= schedule.patience:
            message = f"the run stops after {stop.patience} epochs without progress, and so before the rate is lowered"
            yield Contradiction("early_stop", message, f"raise `patience` above {schedule.patience}")
    if isinstance(optimizer, RmsProp) and optimizer.decay == 0 and optimizer.momentum == 0:
        yield Contradiction("optimizer", "with neither `decay` nor `momentum` only signs are left", "give one of them")
    drawn = next((change for change in recipe.eval if change.is_random), None)
    if drawn is not None:
        message = f"`{drawn.keyword}` changes images at random, and those of `images eval` are measured"
        yield Contradiction("images eval", message, "move it to `images train`")
    if recipe.sampler.way == "balanced" and getattr(recipe.loss, "classes", "equal") == "balanced":
        message = "`sampler balanced` and `loss … classes=balanced` make up for the same imbalance twice"
        yield Contradiction("sampler", message, "leave out one of the two")
