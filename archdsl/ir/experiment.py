"""An experiment: the grid of its choices, what is measured at each point, and the rules that were written before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from archdsl.text.source import Span

INPUT = "input"
"""What a model's settings call the shape of its images."""

RuleSide: TypeAlias = "RuleTerm | float"
Relation: TypeAlias = Literal["<", ">"]


@dataclass(frozen=True, slots=True)
class Axis:
    """One `choose`: its name and its options, as the text writes them."""

    name: str
    options: tuple[str, ...]
    span: Span = field(compare=False, repr=False)
    numbers: tuple[float, ...] = ()
    """The options as numbers; none where they are no numbers."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """`tune AXIS by=MEASURE seeds=N`: of this axis the option is taken that does best on validation images.

    It is chosen for each point of the other axes by itself, over the first `seeds` seeds; only with it are the other
    seeds run.
    """

    axis: str
    by: Measure
    seeds: int


@dataclass(frozen=True, slots=True)
class Measure:
    """A word of the table of measures with its values, such as `steps_to(loss, 0.5)`."""

    name: str
    values: tuple[str | int | float, ...]
    text: str
    """As the experiment writes it, with the names of axes in it: the title of a column."""
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RuleTerm:
    """A measure at the points that have these options; a tuned axis is at the option that was chosen."""

    measure: Measure
    where: tuple[tuple[str, str], ...]
    factor: float = 1.0
    """What the measure is multiplied by, above 0."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`LEFT < RIGHT`: holds where the ranges over the seeds do not overlap."""

    left: RuleSide
    relation: Relation
    right: RuleSide


@dataclass(frozen=True, slots=True)
class Rule:
    """What the claim says of the measures: all comparisons hold, or it is not shown."""

    title: str
    comparisons: tuple[Comparison, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DataChoice:
    """A data set by its name, and how much of it is taken."""

    name: str
    classes: tuple[int, ...] = ()
    """Numbers of the classes that are kept, numbered anew in this order; all of them where it is empty."""
    shots: int | None = None
    """Training images of each class, chosen by the seed; all of them for None."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model and its settings, as `--set` takes them, and the shape of its images, as `--input` does."""

    name: str
    settings: tuple[tuple[str, str], ...] = ()
    image: tuple[int, ...] | None = None
    """The model's own for None."""

    def __str__(self) -> str:
        """Write it as an experiment has it."""
        image = [f"{INPUT}={list(self.image)}"] if self.image is not None else []
        written = ", ".join([*(f"{name}={value}" for name, value in self.settings), *image])
        return f"{self.name}({written})" if written else self.name


@dataclass(frozen=True, slots=True)
class RecipeChoice:
    """A recipe and the values that are changed in it, as `--set recipe.KEY` takes them."""

    name: str
    changes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Training:
    """One run apart from its seed. Points with equal trainings share their runs."""

    model: ModelChoice
    recipe: RecipeChoice
    data: DataChoice
    steps: int | None = None
    """Updates after which it ends; the recipe's epochs for None."""
    before: Training | None = None
    """What is trained first, with the same seed; its weights are started from, but for a head of other classes."""


@dataclass(frozen=True, slots=True)
class GridPoint:
    """One option of each axis that stands in the way of its making, and what comes of them."""

    choices: tuple[tuple[str, str], ...]
    training: Training
    measures: tuple[Measure, ...]

    def option(self, axis: str) -> str | None:
        """Return the option of an axis, None where a condition leaves it out."""
        return dict(self.choices).get(axis)


@dataclass(frozen=True, slots=True)
class Experiment:
    """A claim's test."""

    name: str
    doc: str
    seeds: int
    axes: tuple[Axis, ...]
    points: tuple[GridPoint, ...]
    tuning: Tuning | None
    rules: tuple[Rule, ...]
    shown: tuple[ModelChoice, ...]
    """Models whose texts and pictures the report puts beside each other, with their difference."""
    text: str
    """The declaration, as it stands in its file."""

    def points_of(self, term: RuleTerm) -> tuple[GridPoint, ...]:
        """Return the points that a term speaks of, one for each option of a tuned axis or one measured over."""
        chosen = set(term.where)
        return tuple(p for p in self.points if chosen <= set(p.choices) and term.measure in p.measures)

    def numbers_of(self, axis: str) -> Mapping[str, float]:
        """Return the options of an axis as numbers; nothing where they are none."""
        own = next((one for one in self.axes if one.name == axis), None)
        return dict(zip(own.options, own.numbers, strict=True)) if own is not None and own.numbers else {}

    def axes_of(self, training: Training) -> Mapping[str, set[str]]:
        """Return the options that lead to a training, by axis."""
        found: dict[str, set[str]] = {}
        for point in self.points:
            if point.training == training:
                for axis, option in point.choices:
                    found.setdefault(axis, set()).add(option)
        return found
