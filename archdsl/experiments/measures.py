"""What measures are read from: a function for each word of the table of measures. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, isinf, isnan, nan
from types import MappingProxyType
from typing import Literal, TypeAlias

from archdsl.backends.chart.style import binary, si
from archdsl.experiments.trace import Readings, Trace
from archdsl.ir.experiment import Measure
from archdsl.ir.measures import LEVEL, MEASURES, MeasureKind

RUNNING = 5
"""Steps over which the running training loss is a mean."""

MeasureValues: TypeAlias = tuple[str | int | float, ...]
Origin: TypeAlias = Literal["run", "runs", "clock", "network"]


@dataclass(frozen=True, slots=True)
class Gauge:
    """How a measure comes about: from a run, from the runs along an axis, by the clock, or from the network alone."""

    kind: MeasureKind
    origin: Origin
    value: Callable[[Trace, MeasureValues], float] = lambda trace, values: nan
    readings: Callable[[MeasureValues], Readings] = lambda values: Readings()
    infinite: str = "diverged"
    """What is said of a value that is infinite."""
    is_log: bool = False
    """Whether charts may have it on a logarithmic axis."""

    @property
    def is_smaller_better(self) -> bool:
        """Whether the smaller of two values is the better one."""
        return self.kind.better == "smaller"

    def shown(self, value: float) -> str:
        """Write a value as people read it.

        >>> GAUGES["latency"].shown(0.0021), GAUGES["accuracy"].shown(0.925), GAUGES["macs"].shown(41e6)
        ('2.1 ms', '92.5%', '41M')
        """
        if isnan(value):
            return "unknown"
        if isinf(value):
            return self.infinite
        match self.kind.unit:
            case "s":
                return f"{1000 * value:.3g} ms" if value < 1 else f"{value:.3g} s"
            case "bytes":
                return binary(value)
            case _ if self.origin == "network":
                return si(value)
            case _ if self.kind.format.endswith("f") and abs(value) >= _LARGE:
                return f"{value:,.0f}"
            case _:
                return format(value, self.kind.format)


_LARGE = 1000
"""Of numbers from here on nobody reads the fraction."""


def running_means(losses: Sequence[float]) -> list[float]:
    """Return the mean of each step's loss and the four before it; infinite for the first four steps.

    >>> running_means([5.0, 4.0, 3.0, 2.0, 1.0, 0.0])
    [inf, inf, inf, inf, 3.0, 2.0]
    """
    return [
        inf if step < RUNNING else sum(losses[step - RUNNING : step]) / RUNNING for step in range(1, len(losses) + 1)
    ]


def steps_to(losses: Sequence[float], level: float) -> float:
    """Return the first step, from 1, at which the running loss is at most a level; infinite where it never is.

    >>> steps_to([5.0, 4.0, 3.0, 2.0, 1.0, 0.0], 2.5), steps_to([1.0] * 9, 0.5)
    (6, inf)
    """
    return next((step for step, mean in enumerate(running_means(losses), 1) if mean <= level), inf)


def highest(losses: Mapping[float, Sequence[float]], level: float) -> float:
    """Return the largest option whose run comes down to a running loss; minus infinity where none does.

    >>> highest({0.1: [0.4] * 5, 1.0: [0.4] * 5, 3.0: [2.3] * 5}, 0.5)
    1.0
    """
    return max((option for option, own in losses.items() if isfinite(steps_to(own, level))), default=-inf)


def _final(trace: Trace, values: MeasureValues) -> float:
    last = trace.losses[-int(values[1]) :]
    return inf if trace.diverged_at is not None or not last else sum(last) / len(last)


def _gap(trace: Trace, values: MeasureValues) -> float:
    gap = trace.gaps.get(str(float(values[1])))
    if gap is None:
        return nan
    training, validation = gap.training, gap.validation
    return validation - training if training is not None and validation is not None else nan


def _or(worst: float, value: float | None) -> float:
    return worst if value is None else value


_GAUGES = (
    Gauge(
        MEASURES["steps_to"],
        "run",
        lambda trace, values: steps_to(trace.losses, float(values[1])),
        infinite="never",
    ),
    Gauge(MEASURES["final"], "run", _final, is_log=True),
    Gauge(MEASURES["highest"], "runs", infinite="none", is_log=True),
    Gauge(
        MEASURES["gradient_norm"],
        "run",
        lambda trace, values: _or(inf, trace.gradients.get(str(values[0]))),
        lambda values: Readings(gradients=frozenset({str(values[0])})),
        is_log=True,
    ),
    Gauge(
        MEASURES["loss"],
        "run",
        lambda trace, values: _or(inf, trace.modes.get(f"{values[0]} {values[1]}")),
        lambda values: Readings(modes=frozenset({(str(values[0]), int(values[1]))})),
    ),
    Gauge(MEASURES["gap_at"], "run", _gap, lambda values: Readings(gaps=frozenset({float(values[1])}))),
    Gauge(
        MEASURES["accuracy"],
        "run",
        lambda trace, values: _or(-inf, trace.accuracies.get(str(values[0]))),
        lambda values: Readings(accuracies=frozenset({str(values[0])})),
    ),
    Gauge(MEASURES["latency"], "clock"),
    *(Gauge(MEASURES[name], "network") for name in ("parameters", "macs", "memory")),
)
GAUGES: Mapping[str, Gauge] = MappingProxyType({gauge.kind.name: gauge for gauge in _GAUGES})
"""How each measure of the language's table comes about, by its word."""


def readings_of(measure: Measure) -> Readings:
    """Return what a measure asks of a run."""
    return GAUGES[measure.name].readings(measure.values)


def level_of(measure: Measure) -> float:
    """Return the loss that `highest` asks for."""
    return float(measure.values[1]) if len(measure.values) > 1 else LEVEL
