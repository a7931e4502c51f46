"""What every statement of a recipe is: named settings with their bounds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Annotated, ClassVar, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from archdsl.ops.base import as_tuple, literal_words

LARGEST = 1e18
"""torch's float32 ends at 3.4e38, and an update multiplies two numbers."""
MOST_STEPS = 10**12
"""More epochs, images or seconds than anything lasts."""

Positive: TypeAlias = Annotated[float, Field(gt=0, le=LARGEST, allow_inf_nan=False)]
NonNegative: TypeAlias = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]
Proportion: TypeAlias = Annotated[float, Field(ge=0, le=1)]
"""From 0 to 1."""
Fraction: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
"""From 0 up to 1, which it does not reach."""
Factor: TypeAlias = Annotated[float, Field(gt=0, lt=1)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=MOST_STEPS)]
Interval: TypeAlias = Annotated[tuple[Positive, Positive], BeforeValidator(as_tuple)]


class RecipeStatement(BaseModel):
    """A statement of a recipe: `keyword` and its settings, whose order is that of values without names.

    Of a statement with kinds, such as `optimizer sgd`, each kind is a class, and `kind` is its word.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=False)

    keyword: ClassVar[str]
    kind: ClassVar[str] = ""
    example: ClassVar[str]
    """A statement as it may stand in a recipe, for advice and pages."""
    naming: ClassVar[str] = ""
    """The setting that names parts of the network in a row: words that nothing else knows."""

    @classmethod
    @cache
    def settings(cls) -> tuple[str, ...]:
        """List the settings in the order of values without names."""
        return tuple(cls.model_fields)

    @classmethod
    @cache
    def words(cls, setting: str) -> frozenset[str]:
        """List the words that a setting takes as values."""
        return frozenset(literal_words(cls.model_fields[setting].annotation))

    @classmethod
    def head(cls) -> str:
        """Return the words that a statement begins with."""
        return f"{cls.keyword} {cls.kind}".rstrip()

    def given(self) -> Iterator[tuple[str, object]]:
        """Yield the settings that differ from their defaults or have none."""
        for name, field in type(self).model_fields.items():
            value: object = getattr(self, name)
            if field.is_required() or value != field.default:
                yield name, value
