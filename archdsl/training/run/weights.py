"""Weights to start from: a file, the best ones of a run, or those that a library publishes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archdsl.ir.freezing import Freezing
from archdsl.ir.start import InputAdaption
from archdsl.network import Network
from archdsl.recipe_specs import read_recipe
from archdsl.recipes.images import TestCrop
from archdsl.recipes.recipe import Recipe
from archdsl.text.error import SpecError
from archdsl.text.failure import Failure
from archdsl.training.data.statistics import Statistics
from archdsl.training.error import TrainingError
from archdsl.training.run.record import BEST, LAST, RECIPE, RECORD, read_record
from archdsl.weights.origin import FoundWeights, resolve_weights
from archdsl.weights.preprocessing import Preprocessing


@dataclass(frozen=True, slots=True)
class StartingWeights:
    """A file of weights, what the user called it, and what is known of the images and classes that made them."""

    found: FoundWeights
    origin: str | None = None
    """Whose names their keys are, if that is said."""
    classes: tuple[str, ...] = ()
    """Of a run; empty where they are not known."""
    adapt: InputAdaption | None = None
    """What is to be done where they are for other input channels, if that is said."""
    anew: tuple[Freezing, ...] = ()
    """What is drawn anew, whatever they have."""

    @property
    def name(self) -> str:
        """What the user called them."""
        return self.found.name

    @property
    def path(self) -> Path:
        """The file."""
        return self.found.path


def starting_weights(
    given: str | Path | None,
    origin: str | None = None,
    network: Network | None = None,
    adapt: InputAdaption | None = None,
    anew: Sequence[Freezing] = (),
) -> StartingWeights | None:
    """Find the weights that are meant: the best ones where a run's folder is given, without any those of the spec.

    Errors: SpecError where the file that the spec names is not there; TrainingError with E366 where a run is damaged,
    with E367 where it has no weights; WeightsError where a library has none of that name, or they are not reached
    """
    if given is None:
        own = network.weights if network is not None else None
        if own is None:
            return None
        found = FoundWeights(own.file, own.path())
        return StartingWeights(found, origin or own.origin, (), adapt or own.adapt, (*own.all_anew(), *anew))
    run, told = Path(given), tuple(anew)
    if not (run / RECORD).is_file():
        return StartingWeights(resolve_weights(given), origin, (), adapt, told)
    for name in (BEST, LAST):
        if (run / name).is_file():
            record = read_record(run)
            found = FoundWeights(str(run), run / name, _images_of(run))
            return StartingWeights(found, origin, record.classes, adapt, told)
    raise TrainingError(f"`{run}` has no weights yet", "let an epoch of it end first", "E367")


def _images_of(run: Path) -> Preprocessing:
    """Return how images reached a run's network."""
    record = read_record(run)
    try:
        recipe = read_recipe(run / RECIPE)
    except (SpecError, Failure):
        recipe = None  # its weights and its record are all that is needed
    return images_by(str(run), recipe, Statistics(record.mean, record.deviation), record.size)


def images_by(origin: str, recipe: Recipe | None, statistics: Statistics, size: tuple[int, int, int]) -> Preprocessing:
    """Return how images reached a network of an input [C, H, W] that was trained by a recipe."""
    cut = next((change for change in recipe.eval if isinstance(change, TestCrop)), None) if recipe is not None else None
    return Preprocessing(
        origin=origin,
        mean=statistics.mean,
        deviation=statistics.deviation,
        size=size[1:],
        share=cut.share if cut is not None else None,
        interpolation=cut.interpolation if cut is not None else None,
    )
