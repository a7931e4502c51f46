"""What a recipe's statements say against each other, each legal by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archdsl.recipes.images import Erase, Grey, ImageChange, Normalize, RandomResizedCrop
from archdsl.recipes.recipe import Recipe
from archdsl.recipes.updates import Plateau, RmsProp, Sgd, Steps


class Contradiction(NamedTuple):
    """Which statement to change, what is wrong, and what to do; and of which phase it is, from 1, if it has phases."""

    keyword: str
    message: str
    help: str
    phase: int = 0


def contradictions(recipe: Recipe) -> Iterator[Contradiction]:
    """Yield what cannot be carried out."""
    for number, phase in enumerate(recipe.recipes_by_phase, 1):
        for found in _of_updates(phase):
            yield found._replace(phase=number) if recipe.phases else found
    drawn = next((change for change in recipe.eval if change.is_random), None)
    if drawn is not None:
        message = f"`{drawn.keyword}` changes images at random, and those of `images eval` are measured"
        yield Contradiction("images eval", message, "move it to `images train`")
    yield from _normalized_twice(recipe)
    for word, changes in (("images train", recipe.train), ("images eval", recipe.eval)):
        for change in changes:
            for message, help in _of_change(change):
                yield Contradiction(word, message, help)
        yield from _erased_early(word, changes)
    if recipe.sampler.way == "balanced" and getattr(recipe.loss, "classes", "equal") == "balanced":
        message = "`sampler balanced` and `loss … classes=balanced` make up for the same imbalance twice"
        yield Contradiction("sampler", message, "leave out one of the two")


def _of_updates(recipe: Recipe) -> Iterator[Contradiction]:
    """Look at how weights change in a phase, of which the recipe is."""
    epochs, optimizer, schedule = recipe.epochs.number, recipe.optimizer, recipe.schedule
    if isinstance(optimizer, Sgd) and optimizer.nesterov and not optimizer.momentum:
        yield Contradiction("optimizer", "`nesterov` needs momentum above 0", "give it: `momentum=0.9`")
    if isinstance(schedule, Steps):
        if list(schedule.after) != sorted(set(schedule.after)):
            yield Contradiction("schedule", "the epochs of `after` do not rise", "list each once, smallest first")
        elif schedule.after[-1] >= epochs:
            message = f"epoch {schedule.after[-1]} is not before the end, epoch {epochs}"
            earlier = [epoch for epoch in schedule.after if epoch < epochs] or [max(1, epochs // 2)]
            other = "schedule=constant" if epochs == 1 else f"schedule.after={earlier}"
            help = f"leave it out, or raise `epochs`; without a file: `--set recipe.{other}`"
            yield Contradiction("schedule", message, help)
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


def _normalized_twice(recipe: Recipe) -> Iterator[Contradiction]:
    """Look for ways of normalising that differ: images are normalised in one way, or what is learnt is of no use."""
    lists = (("images train", recipe.train), ("images eval", recipe.eval))
    found = [(word, change.by) for word, changes in lists for change in changes if isinstance(change, Normalize)]
    other = next(((word, by) for word, by in found if by != found[0][1]), None)
    if other is not None:
        message = f"`normalize {other[1]}` stands against `normalize {found[0][1]}` of `{found[0][0]}`"
        yield Contradiction(other[0], message, "write the same in both, or one of them alone")


def _of_change(change: ImageChange) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a change by itself, and what to do."""
    if isinstance(change, RandomResizedCrop | Erase):
        for name in ("area", "shape") if isinstance(change, RandomResizedCrop) else ("area",):
            least, most = getattr(change, name)
            if least > most:
                message = f"`{name}` of `{change.keyword}` begins with the larger end"
                yield message, f"turn it round: `{name}=[{most:g}, {least:g}]`"
            elif name == "area" and most > 1:
                yield f"`area` of `{change.keyword}` is at most 1, the whole image, and not {most:g}", "lower it to 1"


def _erased_early(word: str, changes: Sequence[ImageChange]) -> Iterator[Contradiction]:
    """Look for what changes an image behind `erase`, and so would move, blur or colour the hole."""
    places = [place for place, change in enumerate(changes) if isinstance(change, Erase)]
    later = (
        [change for change in changes[places[0] + 1 :] if not isinstance(change, Erase | Grey | Normalize)]
        if places
        else []
    )
    if later:
        message = f"`erase` is for the end of the list, and `{later[0].keyword}` stands behind it"
        yield Contradiction(word, message, f"move `erase` behind `{later[-1].keyword}`")
