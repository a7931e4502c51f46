"""The task that a network, a data set and a recipe make together, or why they make none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from archdsl.recipes.measures import AbsoluteError, BinaryCrossEntropy, CrossEntropy, Loss, SquaredError
from archdsl.training.error import TrainingError
from archdsl.training.tasks.base import Task
from archdsl.training.tasks.classes import ClassTask, LabelsTask
from archdsl.training.tasks.dense import ImageTask, MaskTask
from archdsl.training.tasks.figures import CHOOSES, figures_of
from archdsl.training.tasks.fit import DataFacts, check_ending, check_outputs
from archdsl.training.tasks.quantity import NumberTask

if TYPE_CHECKING:
    from archdsl.network import Network
    from archdsl.recipes.recipe import Recipe
    from archdsl.training.data.dataset import TargetKind

_TASKS: Mapping[TargetKind, type[Task]] = MappingProxyType(
    {task.kind: task for task in (ClassTask, LabelsTask, NumberTask, MaskTask, ImageTask)}
)
# The first of each is what a recipe without `loss` minimises.
_LOSSES: Mapping[TargetKind, tuple[type[Loss], ...]] = MappingProxyType(
    {
        "class": (CrossEntropy,),
        "classes": (BinaryCrossEntropy,),
        "number": (SquaredError, AbsoluteError),
        "mask": (CrossEntropy,),
        "image": (SquaredError, AbsoluteError),
    }
)
_WORDS: Mapping[TargetKind, str] = MappingProxyType(
    {
        "class": "one class an image",
        "classes": "several classes an image",
        "number": "a number an image",
        "mask": "a mask an image",
        "image": "an image an image",
    }
)


def task_of(network: Network, data: DataFacts, recipe: Recipe, counts: Sequence[int] = ()) -> Task:
    """Return what the network is trained and measured on.

    `counts` are the training images by class, or the pixels of masks, where `needs_counts`.
    Errors: TrainingError with E361 where an output has another shape than the data asks for, E362 where the loss is
    none for such data, E363 where the best epoch is to be chosen by a figure that such data has not
    """
    statement = _loss(data, recipe)
    best_by = _best(data, recipe)
    places = check_outputs(network, data, recipe.auxiliary.outputs)
    check_ending(network, data)
    return _TASKS[data.kind](statement, data.classes, best_by, places.auxiliary, places.unused, tuple(counts))


def needs_counts(data: DataFacts, recipe: Recipe) -> bool:
    """Return whether `task_of` needs the training images, or pixels, by class; labels are so checked too."""
    is_weighted = isinstance(recipe.loss, CrossEntropy) and recipe.loss.classes == "balanced"
    return data.kind == "class" or (data.kind == "mask" and is_weighted)


def _loss(data: DataFacts, recipe: Recipe) -> Loss:
    possible = _LOSSES[data.kind]
    if recipe.loss is None:
        return possible[0]()
    if not isinstance(recipe.loss, possible):
        fact = f"the recipe minimises `{recipe.loss.head()}`, and {data.name} has {_WORDS[data.kind]}"
        words = " or ".join(f"`{loss.head()}`" for loss in possible)
        option = f"--set recipe.loss={possible[0].kind}"
        raise TrainingError(fact, f"write {words}, or leave the statement out; without a file: `{option}`", "E362")
    return recipe.loss


def _best(data: DataFacts, recipe: Recipe) -> str:
    asked = recipe.best.by
    if asked == "auto":
        return CHOOSES[data.kind]
    known = [name for name in figures_of(data.kind, data.classes) if name not in ("top5", "mae")]
    if asked not in known:
        fact = f"the recipe chooses the best epoch by `{asked}`, and {data.name} has {_WORDS[data.kind]}"
        raise TrainingError(fact, f"write `best by={CHOOSES[data.kind]}`; there is {', '.join(known)}", "E363")
    return asked
