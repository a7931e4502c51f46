"""A recipe: one statement of each word, and the lists of what is done to images."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, get_args

from pydantic import BaseModel, ConfigDict

from archdsl.recipes.base import RecipeStatement
from archdsl.recipes.images import CHANGES, ImageChange, Normalize
from archdsl.recipes.measures import Auxiliary, Best, EarlyStop, Loss, Sampler
from archdsl.recipes.updates import (
    BatchSize,
    Clip,
    Ema,
    Epochs,
    Freeze,
    MemoryLayout,
    Optimizer,
    Precision,
    Rates,
    Schedule,
    Seed,
    Sgd,
    Translate,
    Warmup,
    WeightDecay,
)
from archdsl.recipes.updates import Cosine as CosineSchedule

IMAGES = "images"
"""The word before the two lists."""


class Phase(RecipeStatement):
    """A part of the run with statements of its own; what it does not say is the recipe's.

    What it freezes comes to what the recipe and the spec freeze, and ends with it. The optimiser begins anew, without
    momentum, and so do the schedule and the warm-up, whose epochs count within the phase.
    """

    keyword: ClassVar[str] = "phase"
    example: ClassVar[str] = 'phase { freeze "*" except head; epochs 5 }'

    freeze: Freeze | None = None
    epochs: Epochs | None = None
    optimizer: Optimizer | None = None
    schedule: Schedule | None = None
    warmup: Warmup | None = None
    weight_decay: WeightDecay | None = None
    rates: Rates | None = None

    def said(self) -> Mapping[str, RecipeStatement]:
        """Return its statements by their words."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: statement for name, statement in found.items() if statement is not None}


class Recipe(BaseModel):
    """How a network is trained. Each field is a statement, whose class says what it means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "recipe"
    optimizer: Optimizer = Sgd()
    schedule: Schedule = CosineSchedule()
    warmup: Warmup = Warmup()
    weight_decay: WeightDecay = WeightDecay()
    batch_size: BatchSize = BatchSize()
    epochs: Epochs = Epochs()
    loss: Loss | None = None
    """None takes what the data asks for."""
    auxiliary: Auxiliary = Auxiliary()
    ema: Ema | None = None
    clip: Clip | None = None
    precision: Precision = Precision()
    layout: MemoryLayout = MemoryLayout()
    compile: Translate = Translate(is_on=False)
    freeze: Freeze | None = None
    rates: Rates | None = None
    sampler: Sampler = Sampler()
    best: Best = Best()
    early_stop: EarlyStop | None = None
    seed: Seed = Seed()
    train: tuple[ImageChange, ...] = ()
    """What `images train` lists."""
    eval: tuple[ImageChange, ...] = ()
    """What `images eval` lists."""
    phases: tuple[Phase, ...] = ()
    """In their order; none where the run is one phase."""

    def statement(self, keyword: str) -> RecipeStatement | None:
        """Return the statement of a word, if the recipe has one."""
        found: object = getattr(self, keyword)
        return found if isinstance(found, RecipeStatement) else None

    @property
    def recipes_by_phase(self) -> tuple[Recipe, ...]:
        """Return what holds in each phase, as recipes without phases, whose `freeze` is the phase's own alone."""
        if not self.phases:
            return (self.model_copy(update={"freeze": None}),)
        return tuple(self.model_copy(update={"freeze": None, **phase.said(), "phases": ()}) for phase in self.phases)

    @property
    def total_epochs(self) -> int:
        """Return how many epochs a run has at most, all phases together."""
        return sum(recipe.epochs.number for recipe in self.recipes_by_phase)

    @property
    def normalization(self) -> Normalize:
        """Return how channels are normalised: as `images eval` says, else `images train`."""
        found = [change for change in (*self.eval, *self.train) if isinstance(change, Normalize)]
        return found[0] if found else Normalize()


def _kinds() -> dict[str, tuple[type[RecipeStatement], ...]]:
    found: dict[str, tuple[type[RecipeStatement], ...]] = {}
    for name, field in Recipe.model_fields.items():
        annotation: object = field.annotation
        options: tuple[object, ...] = get_args(annotation) or (annotation,)
        kinds = tuple(option for option in options if isinstance(option, type) and issubclass(option, RecipeStatement))
        if kinds and name not in ("train", "eval", "phases"):
            found[name] = kinds
    return found


STATEMENTS: Mapping[str, tuple[type[RecipeStatement], ...]] = MappingProxyType(_kinds())
"""The statements by their words; several classes where the word has kinds."""
PHASE_WORDS: tuple[str, ...] = tuple(Phase.model_fields)
"""The statements that may stand in a phase."""
CHANGES_BY_WORD: Mapping[str, type[ImageChange]] = MappingProxyType({change.keyword: change for change in CHANGES})
"""What may stand in the lists of `images`."""
