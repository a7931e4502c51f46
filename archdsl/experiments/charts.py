"""The charts of a report. Importing this imports no torch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from archdsl.backends.chart.spread import Band, RangeOf, plot_along, plot_bands, plot_ranges
from archdsl.backends.theme import THEMES
from archdsl.experiments.findings import Findings
from archdsl.experiments.measures import GAUGES, RUNNING, running_means
from archdsl.experiments.schedule import Seeded
from archdsl.experiments.words import columns_of, measure_at, name_of
from archdsl.ir.experiment import Experiment, GridPoint, Training

_MOST_CURVES = 7
"""In a panel."""
_MOST_PANELS = 9
_LONGEST_NAME = 60


def charts(findings: Findings, format: str = "svg") -> Iterator[tuple[str, str, bytes]]:
    """Yield each chart: a file's name without its ending, a title, and its content.

    Errors: Failure where matplotlib is missing
    """
    bands = list(_bands(findings))
    if bands:
        title = "Training loss: the median over the seeds, and their range behind it"
        label = f"training loss, mean of {RUNNING} steps"
        yield "loss", title, plot_bands(bands, ("step", label), THEMES["light"], format)
    for number, text in enumerate(columns_of(findings.experiment), 1):
        found = _chart(findings, text, format)
        if found is not None:
            slug = re.sub(r"\W+", "_", text).strip("_").lower()[:_LONGEST_NAME]
            yield f"{number}_{slug}", text, found


# Curves of the loss.


def _bands(findings: Findings) -> Iterator[Band]:
    trainings = list(dict.fromkeys(point.training for point in findings.points))
    named = {training: _told(findings.experiment, findings.points, training) for training in trainings}
    panel = _panel_axis(findings.experiment, named) if len(trainings) > _MOST_CURVES else None
    for training, options in named.items():
        if not findings.is_read(training):
            continue
        traces = [findings.traces[Seeded(training, seed)] for seed in findings.seeds_of(training)]
        name = name_of([choice for choice in options.items() if choice[0] != panel])
        yield Band(
            name or training.model.name,
            f"{panel}={options.get(panel, 'none')}" if panel is not None else "",
            [running_means(trace.losses) for trace in traces],
            any(trace.diverged_at is not None for trace in traces),
        )


def _told(experiment: Experiment, points: Sequence[GridPoint], training: Training) -> Mapping[str, str]:
    """Return the options that tell a training from others: one of several of an axis."""
    own = [point for point in points if point.training == training]
    found: dict[str, str] = {}
    for axis in experiment.axes:
        options, all_options = ({point.option(axis.name) for point in some} for some in (own, points))
        option = next(iter(options))
        if len(options) == 1 and len(all_options) > 1 and option is not None:
            found[axis.name] = option
    return found


def _panel_axis(experiment: Experiment, named: Mapping[Training, Mapping[str, str]]) -> str | None:
    """Return the axis to part many curves by: the first that leaves few enough in a panel, or else the longest."""
    tuned = experiment.tuning.axis if experiment.tuning is not None else None
    sizes: dict[str, tuple[int, int]] = {}
    for axis in experiment.axes:
        panels: dict[str | None, int] = {}
        for options in named.values():
            panels[options.get(axis.name)] = panels.get(options.get(axis.name), 0) + 1
        if axis.name != tuned and 1 < len(panels) <= _MOST_PANELS:
            sizes[axis.name] = (len(panels), max(panels.values()))
    fitting = [name for name, (_, most) in sizes.items() if most <= _MOST_CURVES]
    return next(iter(fitting), max(sizes, key=lambda name: sizes[name][0], default=None))


# A measure.


def _chart(findings: Findings, text: str, format: str) -> bytes | None:
    rows = [(point, measure) for point in findings.points if (measure := measure_at(point, text)) is not None]
    if not rows:
        return None
    found = {point: findings.values(point, measure) for point, measure in rows}
    axes = [axis.name for axis in findings.experiment.axes if _matters(axis.name, found)]
    along = _along(findings.experiment, axes, [*found])
    tuning = findings.experiment.tuning
    # Along an axis each point has a tuned option of its own, and what is one line is of several.
    aside = {along} if tuning is None or along is None else {along, tuning.axis}
    shown: dict[tuple[str, float | None], RangeOf] = {}
    for point, values in found.items():
        options = [choice for choice in point.choices if choice[0] in axes and choice[0] not in aside]
        option = point.option(along) if along is not None else None
        x = findings.experiment.numbers_of(along or "").get(option or "")
        name = name_of(options) or point.training.model.name
        shown.setdefault((name, x), RangeOf(name, values, x))
    gauge, ranges = GAUGES[rows[0][1].name], [*shown.values()]
    if along is not None:
        return plot_along(ranges, (along, text), gauge.shown, THEMES["light"], format, is_log=gauge.is_log)
    return plot_ranges(ranges, text, gauge.shown, THEMES["light"], format, is_log=gauge.is_log)


def _matters(axis: str, found: Mapping[GridPoint, tuple[float, ...]]) -> bool:
    """Return whether points that differ in an axis alone differ in their values."""
    by_rest: dict[tuple[tuple[str, str], ...], tuple[float, ...]] = {}
    for point, values in found.items():
        rest = tuple(choice for choice in point.choices if choice[0] != axis)
        if by_rest.setdefault(rest, values) != values:
            return True
    # Where tuning left no two points that differ in it alone, it still tells rows apart.
    return len({point.option(axis) for point in found}) > 1 and len(by_rest) == len(found)


_FEWEST_ALONG = 3


def _along(experiment: Experiment, axes: Sequence[str], points: Sequence[GridPoint]) -> str | None:
    """Return the axis of numbers that a measure is drawn along: that with the most options, of three or more."""
    tuned = experiment.tuning.axis if experiment.tuning is not None else None
    sizes = {
        axis: len(options)
        for axis in axes
        if axis != tuned and experiment.numbers_of(axis).keys() >= (options := {point.option(axis) for point in points})
    }
    fitting = [axis for axis, size in sizes.items() if size >= _FEWEST_ALONG]
    return max(fitting, key=lambda axis: sizes[axis], default=None)
