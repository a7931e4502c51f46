"""Findings as people read them: points, values with their ranges, and verdicts. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan
from statistics import median, median_low

from archdsl.backends.table import GAP, Column, lay_out
from archdsl.experiments.findings import Findings, Verdict, holds
from archdsl.experiments.measures import GAUGES, Gauge
from archdsl.ir.experiment import Comparison, Experiment, GridPoint, Measure, RuleSide, RuleTerm, Training
from archdsl.text.render.display import visible

_REVERSED = {"<": ">", ">": "<"}


@dataclass(frozen=True, slots=True)
class ResultTable:
    """What came out, as texts: a row for each point at the options that tuning chose."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    axes: int
    """How many columns, the first ones, are options."""


def columns_of(experiment: Experiment) -> tuple[str, ...]:
    """Return the texts of the measures of all points, in their order."""
    return tuple(dict.fromkeys(measure.text for point in experiment.points for measure in point.measures))


def measure_at(point: GridPoint, text: str) -> Measure | None:
    """Return the measure of a point that is written so."""
    return next((measure for measure in point.measures if measure.text == text), None)


def name_of(choices: Sequence[tuple[str, str]]) -> str:
    """Write options as people read them: `norm=batch lr=0.1`."""
    return " ".join(f"{axis}={option}" for axis, option in choices)


def result_table(findings: Findings) -> ResultTable:
    """Return the table of results: the options of each point, and each measure's median and range over the seeds."""
    experiment = findings.experiment
    axes, columns = [axis.name for axis in experiment.axes], columns_of(experiment)
    rows: list[tuple[str, ...]] = []
    for point in findings.points:
        measures = [measure_at(point, text) for text in columns]
        cells = ["" if one is None else spread(findings.values(point, one), GAUGES[one.name]) for one in measures]
        rows.append((*(point.option(axis) or "" for axis in axes), *cells))
    return ResultTable((*axes, *columns), tuple(rows), len(axes))


def table_lines(table: ResultTable, width: int) -> Iterator[str]:
    """Yield the lines of a table for a terminal of some columns; measures that do not fit beside others stand below."""
    columns = [Column(title, cells) for title, *cells in zip(table.header, *table.rows, strict=True)]
    # An axis whose name or options are long gives way before a measure does.
    axes = [replace(column, can_shrink=True) for column in columns[: table.axes]]
    left = [replace(column, is_right=True) for column in columns[table.axes :]]
    is_first = True
    while left or is_first:
        room = width - sum(column.least + len(GAP) for column in axes)
        count = 0
        while count < len(left) and (room := room - left[count].width - len(GAP)) >= -len(GAP):
            count += 1
        shown, left = left[: max(count, 1)], left[max(count, 1) :]
        yield from ([] if is_first else [""])
        yield from (visible(line) for line in lay_out([[*axes, *shown]], width))
        is_first = False


def training_name(experiment: Experiment, training: Training) -> str:
    """Name a training by the options that lead to it alone; one that comes before others by its model."""
    found = experiment.axes_of(training)
    several = {axis.name for axis in experiment.axes if len(axis.options) > 1}
    choices = [(axis, *options) for axis, options in found.items() if len(options) == 1 and axis in several]
    if not found:
        return f"{training.model.name}, before the others"
    return name_of([(axis, option) for axis, option in choices]) or training.model.name


def spread(values: Sequence[float], gauge: Gauge) -> str:
    """Write the median of some values, and their range where they differ.

    >>> spread([13, 14, 15], GAUGES["steps_to"]), spread([14, 14], GAUGES["steps_to"])
    ('14 (13 to 15)', '14')
    """
    if not values:
        return ""
    low, high = (gauge.shown(value) for value in (min(values), max(values)))
    if any(map(isnan, values)):
        known = [value for value in values if not isnan(value)]
        return gauge.shown(nan) if not known else f"{spread(known, gauge)}, unknown in {len(values) - len(known)}"
    # The middle of options is an option too.
    middle = gauge.shown(median_low(values) if gauge.origin == "runs" else median(values))
    return middle if low == high else f"{middle} ({low} to {high})"


def ranged(values: Sequence[float], gauge: Gauge) -> str:
    """Write the range of some values, better ones first where one is infinite.

    >>> ranged([15, 13], GAUGES["steps_to"]), ranged([float("inf")] * 2, GAUGES["steps_to"])
    ('13 to 15', 'never')
    """
    if any(map(isnan, values)):
        return gauge.shown(nan)
    low, high = (gauge.shown(value) for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def verdict_text(verdict: Verdict) -> str:
    """Write a verdict: the rule's title, and the ranges of both sides of each comparison."""
    told = [_compared(*both) for both in zip(verdict.rule.comparisons, verdict.sides, strict=True)]
    return f"{verdict.rule.title}: {'; '.join(told)}"


def _compared(comparison: Comparison, sides: tuple[Sequence[float], Sequence[float]]) -> str:
    left, right = comparison.left, comparison.right
    gauge = next((GAUGES[side.measure.name] for side in (left, right) if isinstance(side, RuleTerm)), None)
    assert gauge is not None, "a rule compares a measure"
    gauges = [GAUGES[side.measure.name] if isinstance(side, RuleTerm) else gauge for side in (left, right)]
    ranges = [ranged(values, own) for values, own in zip(sides, gauges, strict=True)]
    if not isinstance(left, RuleTerm) or not isinstance(right, RuleTerm):
        term, limit = (left, ranges[1]) if isinstance(left, RuleTerm) else (right, ranges[0])
        relation = comparison.relation if isinstance(left, RuleTerm) else _REVERSED[comparison.relation]
        word = "less" if relation == "<" else "more"
        own = ranges[0] if isinstance(left, RuleTerm) else ranges[1]
        text = f"{_name(term)}{_at(term)} is {own}, and the rule asks for {word} than {limit}"
    elif _name(left) == _name(right):
        text = f"{_name(left)}{_at(left)} is {ranges[0]},{_at(right) or ' there'} {ranges[1]}"
    else:
        text = f"{_name(left)}{_at(left)} is {ranges[0]}, {_name(right)}{_at(right)} is {ranges[1]}"
    return text + _why_not(comparison, sides)


def _why_not(comparison: Comparison, sides: tuple[Sequence[float], Sequence[float]]) -> str:
    left, right = sides
    if holds(comparison, left, right):
        return ""
    if any(map(isnan, (*left, *right))):
        return " (not known for every seed)"
    other = Comparison(comparison.left, "<" if comparison.relation == ">" else ">", comparison.right)
    return " (the other way round)" if holds(other, left, right) else " (the ranges overlap)"


def _name(side: RuleSide) -> str:
    assert isinstance(side, RuleTerm)
    values = ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in side.measure.values)
    name = f"{side.measure.name}({values})" if values else side.measure.name
    return name if side.factor == 1 else f"{side.factor:g} × {name}"


def _at(side: RuleSide) -> str:
    where = name_of(side.where) if isinstance(side, RuleTerm) else ""
    return f" at {where}" if where else ""


def summary_of(verdicts: Sequence[Verdict]) -> str:
    """Say in a sentence or two what of the rules was shown."""
    if not verdicts:
        return "It has no rules: what came out stands in the table."
    failed = [verdict.rule.title for verdict in verdicts if not verdict.is_shown]
    if not failed:
        return "All that the rules say was shown." if len(verdicts) > 1 else "What the rule says was shown."
    if len(failed) == len(verdicts):
        return "Nothing of what the rules say was shown." if len(verdicts) > 1 else "What the rule says was not shown."
    return f"{len(verdicts) - len(failed)} of {len(verdicts)} rules were shown. Not shown: {', '.join(failed)}."
