"""What came out of an experiment: values at points, the options that tuning chose, and whether rules hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from math import inf, isnan, nan
from statistics import median
from typing import TypeAlias

from archdsl.experiments.measures import GAUGES, highest, level_of
from archdsl.experiments.schedule import Choices, Seeded, group_of, is_at, is_chosen, readings_by_training
from archdsl.experiments.trace import Timing, Trace
from archdsl.ir.experiment import (
    Comparison,
    DataChoice,
    Experiment,
    GridPoint,
    Measure,
    ModelChoice,
    Rule,
    RuleSide,
    RuleTerm,
    Training,
)
from archdsl.text.failure import Failure

NetworkChoice: TypeAlias = tuple[ModelChoice, DataChoice]
"""A model, with the data that gives it its number of classes."""


def network_of(point: GridPoint) -> NetworkChoice:
    """Return the network that is trained at a point."""
    return point.training.model, point.training.data


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule, whether it was shown, and the values of both sides of its comparisons, by seed."""

    rule: Rule
    is_shown: bool
    sides: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]


@dataclass
class Findings:
    """The traces of runs, and what follows from them."""

    experiment: Experiment
    seeds: int
    traces: dict[Seeded, Trace] = field(default_factory=lambda: dict[Seeded, Trace]())
    timings: dict[tuple[NetworkChoice, int, int], Timing] = field(
        default_factory=lambda: dict[tuple[NetworkChoice, int, int], Timing]()
    )
    """By network, batch and turn."""
    costs: dict[NetworkChoice, Mapping[str, float]] = field(
        default_factory=lambda: dict[NetworkChoice, Mapping[str, float]]()
    )
    """By network, then `parameters`, `macs` and `memory`."""
    chosen: dict[Choices, str] = field(default_factory=lambda: dict[Choices, str]())
    """The tuned axis' options, by the options of the other axes."""

    @property
    def points(self) -> tuple[GridPoint, ...]:
        """The points at the options that tuning chose."""
        return tuple(point for point in self.experiment.points if is_chosen(point, self.experiment, self.chosen))

    def seeds_of(self, training: Training) -> list[int]:
        """Return the seeds whose runs are there; all of them for a training that nothing is read from."""
        is_read = self.is_read(training)
        return [seed for seed in range(self.seeds) if not is_read or Seeded(training, seed) in self.traces]

    def is_read(self, training: Training) -> bool:
        """Return whether anything is read from the runs of a training."""
        return training in self._read

    @cached_property
    def _read(self) -> Set[Training]:
        return readings_by_training(self.experiment).keys()

    def values(self, point: GridPoint, measure: Measure) -> tuple[float, ...]:
        """Return a measure at a point for each seed whose run is there.

        Infinite is worse than all others, as of a run that diverged, or never came to a loss; NaN is not known.
        """
        return tuple(self.value(point, measure, seed) for seed in self.seeds_of(point.training))

    def value(self, point: GridPoint, measure: Measure, seed: int) -> float:
        """Return a measure at a point for one seed."""
        gauge = GAUGES[measure.name]
        network = network_of(point)
        match gauge.origin:
            case "run":
                return gauge.value(self.traces[Seeded(point.training, seed)], measure.values)
            case "runs":
                return self._highest(point, measure, seed)
            case "clock":
                return self.timings[network, batch_of(measure), seed].seconds
            case "network":
                return self.costs[network][measure.name]

    def _highest(self, point: GridPoint, measure: Measure, seed: int) -> float:
        axis = str(measure.values[0])
        fixed = tuple(choice for choice in point.choices if choice[0] != axis)
        losses: dict[float, Sequence[float]] = {}
        numbers = self.experiment.numbers_of(axis)
        for other in self.experiment.points:
            option, run = other.option(axis), Seeded(other.training, seed)
            if option is not None and is_at(other, fixed) and run in self.traces:
                losses[numbers[option]] = self.traces[run].losses
        return highest(losses, level_of(measure)) if losses else nan

    def choose(self) -> None:
        """Choose the option of the tuned axis that does best, for each point of the other axes.

        It is the best by the median over tuning's seeds; of equal ones that with the lower loss over its last steps,
        and then the first as the experiment writes them.
        """
        tuning = self.experiment.tuning
        if tuning is None:
            return
        gauge = GAUGES[tuning.by.name]
        scores: dict[Choices, dict[str, tuple[float, float]]] = {}
        for point in self.experiment.points:
            option = point.option(tuning.axis)
            if option is None:
                continue
            seeds = range(min(tuning.seeds, self.seeds))
            value = _median([self.value(point, tuning.by, seed) for seed in seeds])
            score = inf if isnan(value) else value if gauge.is_smaller_better else -value
            traces = [self.traces[Seeded(point.training, seed)] for seed in seeds if self.is_read(point.training)]
            ties = [inf if one.diverged_at is not None else _mean(one.losses[-_LAST:]) for one in traces]
            tie = _median(ties) if ties else 0.0
            scores.setdefault(group_of(point, self.experiment), {})[option] = (score, tie)
        self.chosen = {group: min(own, key=lambda option: own[option]) for group, own in scores.items()}

    # Rules.

    def verdict(self, rule: Rule) -> Verdict:
        """Say whether a rule was shown: the ranges over the seeds of each comparison do not overlap.

        Errors: Failure where a term is of no point, or of several
        """
        sides = tuple((self._side(one.left), self._side(one.right)) for one in rule.comparisons)
        is_shown = all(holds(one, *both) for one, both in zip(rule.comparisons, sides, strict=True))
        return Verdict(rule, is_shown, sides)

    def _side(self, side: RuleSide) -> tuple[float, ...]:
        if not isinstance(side, RuleTerm):
            return (float(side),)
        return tuple(side.factor * value for value in self.values(self.point_of(side), side.measure))

    def point_of(self, term: RuleTerm) -> GridPoint:
        """Return the point that a term is of, or one of several at which the same is measured.

        Errors: Failure where there is none, or others are measured
        """
        tuning = self.experiment.tuning
        is_open = tuning is None or tuning.axis not in dict(term.where)
        points = [
            point
            for point in self.experiment.points
            if is_at(point, term.where) and (not is_open or is_chosen(point, self.experiment, self.chosen))
        ]
        measured = [point for point in points if term.measure in point.measures]
        found = {self._told_apart(point, term.measure): point for point in measured or points}
        if len(found) != 1:
            raise Failure(f"`{term.measure.text}` in a rule is of {len(found)} points", "name options of more axes")
        return next(iter(found.values()))

    def _told_apart(self, point: GridPoint, measure: Measure) -> object:
        """Return what a measure at a point depends on."""
        match GAUGES[measure.name].origin:
            case "runs":
                return tuple(choice for choice in point.choices if choice[0] != measure.values[0])
            case "run":
                return point.training
            case "clock" | "network":
                return network_of(point)


_LAST = 5


def holds(comparison: Comparison, left: Sequence[float], right: Sequence[float]) -> bool:
    """Return whether every value on one side is beyond every one on the other; what is not known shows nothing."""
    if not left or not right or any(map(isnan, (*left, *right))):
        return False
    return max(left) < min(right) if comparison.relation == "<" else min(left) > max(right)


def batch_of(measure: Measure) -> int:
    """Return the images of a pass that `latency` times."""
    return int(measure.values[0]) if measure.values else 1


def _median(values: Sequence[float]) -> float:
    return median(values) if not any(map(isnan, values)) else float("nan")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else inf
