"""Which runs an experiment takes, and in what order. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from archdsl.experiments.measures import GAUGES, readings_of
from archdsl.experiments.trace import Readings
from archdsl.ir.experiment import Experiment, GridPoint, Measure, RuleTerm, Training

Choices: TypeAlias = tuple[tuple[str, str], ...]


class Seeded(NamedTuple):
    """A training with a seed: one run."""

    training: Training
    seed: int


def measures_at(point: GridPoint, experiment: Experiment) -> Iterator[Measure]:
    """Yield every measure of a point: its own, those of the rules, and tuning's."""
    yield from point.measures
    yield from (term.measure for term in terms_of(experiment) if is_at(point, term.where))
    if experiment.tuning is not None:
        yield experiment.tuning.by


def terms_of(experiment: Experiment) -> Iterator[RuleTerm]:
    """Yield the terms of the rules."""
    for rule in experiment.rules:
        for comparison in rule.comparisons:
            yield from (side for side in (comparison.left, comparison.right) if isinstance(side, RuleTerm))


def group_of(point: GridPoint, experiment: Experiment) -> Choices:
    """Return a point's options but for the tuned axis: of the points that share them one is chosen."""
    tuned = experiment.tuning.axis if experiment.tuning is not None else None
    return tuple(choice for choice in point.choices if choice[0] != tuned)


def readings_by_training(experiment: Experiment) -> Mapping[Training, Readings]:
    """Return what is read of each training: what any of its points asks for, and weights that others start from."""
    found: dict[Training, Readings] = {}
    for point in experiment.points:
        if not is_trained(point, experiment):
            continue
        for measure in measures_at(point, experiment):
            found[point.training] = found.get(point.training, Readings()) | readings_of(measure)
        found.setdefault(point.training, Readings())
    for training in [*found]:
        before = training.before
        while before is not None:
            found[before] = found.get(before, Readings()) | Readings(weights=True)
            before = before.before
    return found


def is_trained(point: GridPoint, experiment: Experiment) -> bool:
    """Return whether any measure of a point is read from runs; costs and times are not."""
    return any(GAUGES[measure.name].origin in ("run", "runs") for measure in measures_at(point, experiment))


def is_at(point: GridPoint, where: Choices) -> bool:
    """Return whether a point has these options; one that lacks an axis is nowhere along it."""
    own = dict(point.choices)
    return all(own.get(axis) == option for axis, option in where)


def tuning_runs(experiment: Experiment, seeds: int) -> list[Seeded]:
    """Return the runs by which options of the tuned axis are chosen; none where nothing is tuned."""
    tuning = experiment.tuning
    if tuning is None:
        return []
    return _ordered(
        Seeded(point.training, seed)
        for seed in range(min(tuning.seeds, seeds))
        for point in experiment.points
        if point.option(tuning.axis) is not None and is_trained(point, experiment)
    )


def final_runs(experiment: Experiment, seeds: int, chosen: Mapping[Choices, str]) -> list[Seeded]:
    """Return the runs that measures and rules are of, tuning's among them, once the tuned axis' options are chosen."""
    points = [
        point
        for point in experiment.points
        if is_trained(point, experiment) and (is_chosen(point, experiment, chosen) or _is_whole(point, experiment))
    ]
    return _ordered(Seeded(point.training, seed) for seed in range(seeds) for point in points)


def is_chosen(point: GridPoint, experiment: Experiment, chosen: Mapping[Choices, str]) -> bool:
    """Return whether a point's option of the tuned axis is the one that was chosen, or it has none."""
    tuning = experiment.tuning
    option = point.option(tuning.axis) if tuning is not None else None
    return option is None or option == chosen.get(group_of(point, experiment))


def _is_whole(point: GridPoint, experiment: Experiment) -> bool:
    """Return whether all seeds of a point are asked for, whatever tuning says of it.

    So it is where `highest` goes along the tuned axis, and where a rule names an option of it.
    """
    tuning = experiment.tuning
    if tuning is None:
        return True
    terms = list(terms_of(experiment))
    own = [*point.measures, *(term.measure for term in terms if is_at(point, _without(term, tuning.axis)))]
    if any(GAUGES[measure.name].origin == "runs" and measure.values[0] == tuning.axis for measure in own):
        return True
    return any(tuning.axis in dict(term.where) and is_at(point, term.where) for term in terms)


def _without(term: RuleTerm, axis: str) -> Choices:
    return tuple(choice for choice in term.where if choice[0] != axis)


def _ordered(runs: Iterable[Seeded]) -> list[Seeded]:
    """Return each run once, and what runs start from before them."""
    found: dict[Seeded, None] = {}
    for run in runs:
        line: list[Seeded] = [run]
        while (before := line[-1].training.before) is not None:
            line.append(Seeded(before, run.seed))
        found.update(dict.fromkeys(reversed(line)))
    return sorted(found, key=lambda run: (depth_of(run.training), run.seed))


def depth_of(training: Training) -> int:
    """Return how many trainings come before one."""
    return 0 if training.before is None else 1 + depth_of(training.before)


def count_runs(experiment: Experiment, seeds: int) -> int:
    """Count the runs, as far as it is known before options are chosen."""
    tuning = experiment.tuning
    first: dict[Choices, str] = {}
    for point in experiment.points if tuning is not None else ():
        option = point.option(tuning.axis) if tuning is not None else None
        if option is not None:
            first.setdefault(group_of(point, experiment), option)
    return len({*tuning_runs(experiment, seeds), *final_runs(experiment, seeds, first)})
