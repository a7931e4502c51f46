"""A recipe: one statement of each word, and the lists of what is done to images."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import get_args

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
    sampler: Sampler = Sampler()
    best: Best = Best()
    early_stop: EarlyStop | None = None
    seed: Seed = Seed()
    train: tuple[ImageChange, ...] = ()
    """What `images train` lists."""
    eval: tuple[ImageChange, ...] = ()
    """What `images eval` lists."""

    def statement(self, keyword: str) -> RecipeStatement | None:
        """Return the statement of a word, if the recipe has one."""
        found: object = getattr(self, keyword)
        return found if isinstance(found, RecipeStatement) else None

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
        if kinds and name not in ("train", "eval"):
            found[name] = kinds
    return found


STATEMENTS: Mapping[str, tuple[type[RecipeStatement], ...]] = MappingProxyType(_kinds())
"""The statements by their words; several classes where the word has kinds."""
CHANGES_BY_WORD: Mapping[str, type[ImageChange]] = MappingProxyType({change.keyword: change for change in CHANGES})
"""What may stand in the lists of `images`."""
