"""What repeated runs come to: curves with their bands, and figures with their ranges."""

# matplotlib leaves keyword arguments untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from statistics import median
from typing import TYPE_CHECKING

from archdsl.backends.chart.style import DASHES, MARKERS, save, series, styled
from archdsl.backends.theme import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ACROSS = 3
_MOST_TICKS = 12
_UNUSUAL = 3
"""How many times as high as the middle one a curve may begin, to be shown whole."""
_APART = 0.008
"""How far series stand aside, of the axis."""


@dataclass(frozen=True, slots=True)
class Band:
    """A curve for each of some runs, from step 1; a run that diverged has a shorter one, and a step may be infinite."""

    name: str
    panel: str
    runs: Sequence[Sequence[float]]
    has_diverged: bool = False
    """Whether some of the runs did, so that a cross is to mark the step after which the first of them has no value."""


@dataclass(frozen=True, slots=True)
class RangeOf:
    """A figure of some runs. Infinite is beyond all that the chart has room for; `x` is where it is drawn, if along."""

    name: str
    values: Sequence[float]
    x: float | None = None


def plot_bands(bands: Sequence[Band], labels: tuple[str, str], theme: Theme, format: str) -> bytes:
    """Draw each band's median, and its range as a ground behind it, a panel beside another.

    Errors: Failure where matplotlib is missing
    """
    panels = list(dict.fromkeys(band.panel for band in bands))
    names = list(dict.fromkeys(band.name for band in bands))
    with styled(theme):
        from matplotlib.figure import Figure

        across = max(1, min(_ACROSS, len(panels)))
        down = max(1, ceil(len(panels) / across))
        size = (6.4 if across == 1 else 3.2 * across + 1.6, 3.8 if down == 1 else 2.6 * down + 0.6)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
        for axes in grid.flat[len(panels) :]:
            axes.axis("off")
        for axes, panel in zip(grid.flat, panels, strict=False):
            for band in (band for band in bands if band.panel == panel):
                _band(axes, band, names.index(band.name), theme)
            axes.set_title(panel).set_parse_math(False)
            axes.set_ylim(0, _top(bands))
            axes.grid()
        figure.supxlabel(labels[0], fontsize=9)
        figure.supylabel(labels[1], fontsize=9)
        handles = {line.get_label(): line for axes in grid.flat for line in axes.get_lines() if _is_named(line)}
        legend = figure.legend(handles.values(), handles.keys(), loc="outside right upper")
        for text in legend.get_texts():
            text.set_parse_math(False)
        return save(figure, format)


def _is_named(line: object) -> bool:
    return not str(getattr(line, "get_label", lambda: "_")()).startswith("_")


def _band(axes: Axes, band: Band, number: int, theme: Theme) -> None:
    colour, dash = series(theme, number), DASHES[number // len(theme.series) % len(DASHES)]
    length = min(map(len, band.runs), default=0)
    columns = [[run[step] for run in band.runs] for step in range(length)]
    shown = [step for step, column in enumerate(columns) if all(map(isfinite, column))]
    xs = [step + 1 for step in shown]
    middle = [median(columns[step]) for step in shown]
    axes.plot(xs, middle, color=colour, linestyle=dash, linewidth=1.4, label=band.name)
    low, high = ([by(columns[step]) for step in shown] for by in (min, max))
    axes.fill_between(xs, low, high, color=colour, alpha=0.18, linewidth=0)
    if shown and band.has_diverged:
        axes.plot([xs[-1]], [middle[-1]], marker="x", color=colour, linestyle="", clip_on=False)


def _top(bands: Sequence[Band]) -> float:
    """Return how far a chart goes up: the highest beginning of those that are usual; what goes beyond leaves it."""
    begun = [next((value for value in run if isfinite(value)), 0.0) for band in bands for run in band.runs]
    return 1.1 * min(max(begun), _UNUSUAL * median(begun)) or 1.0 if begun else 1.0


def plot_ranges(
    rows: Sequence[RangeOf],
    label: str,
    text: Callable[[float], str],
    theme: Theme,
    format: str,
    *,
    is_log: bool = False,
) -> bytes:
    """Draw a row for each name: the range as a line, its median as a dot, and each run's value as a tick.

    What is infinite stands at the border, as `text` calls it.
    Errors: Failure where matplotlib is missing
    """
    with styled(theme):
        from matplotlib.figure import Figure
        from matplotlib.ticker import NullFormatter

        figure = Figure(figsize=(6.4, 0.9 + 0.28 * max(len(rows), 2)), layout="constrained")
        axes = figure.subplots()
        finite = [value for row in rows for value in row.values if isfinite(value)]
        if is_log and finite and min(finite) > 0 and max(finite) > 20 * min(finite):
            axes.set_xscale("log")
        for place, row in enumerate(rows):
            _row(axes, place, row, text, theme)
        axes.set_yticks(range(len(rows)), [row.name for row in rows])
        for tick in axes.get_yticklabels():
            tick.set_parse_math(False)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.xaxis.set_major_formatter(_formatter(text))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(label).set_parse_math(False)
        axes.margins(x=0.12)
        axes.grid(axis="x")
        return save(figure, format)


def _row(axes: Axes, place: int, row: RangeOf, text: Callable[[float], str], theme: Theme) -> None:
    finite = sorted(value for value in row.values if isfinite(value))
    beyond = [value for value in row.values if not isfinite(value)]
    if finite:
        axes.plot([finite[0], finite[-1]], [place, place], color=theme.ink, linewidth=1.2, solid_capstyle="butt")
        axes.plot(finite, [place] * len(finite), "|", color=theme.ink, markersize=6)
        if not beyond:
            axes.plot([median(finite)], [place], "o", color=series(theme, 0), markersize=5.5)
    if beyond:
        is_low = beyond[0] < 0
        said = text(beyond[0]) + (f" in {len(beyond)} of {len(row.values)}" if finite else "")
        axes.annotate(
            said, (0.01 if is_low else 0.99, place), xycoords=axes.get_yaxis_transform(), va="center",
            ha="left" if is_low else "right", fontsize="small", color=theme.muted,
        )  # fmt: skip


def plot_along(
    rows: Sequence[RangeOf], labels: tuple[str, str], text: Callable[[float], str], theme: Theme, format: str,
    *, is_log: bool = False,
) -> bytes:  # fmt: skip
    """Draw figures along a number: a line through the medians of each name, with the range at each place.

    What is infinite stands at the border, as `text` calls it. Requires: rows have an `x`.
    Errors: Failure where matplotlib is missing
    """
    names = list(dict.fromkeys(row.name for row in rows))
    places = sorted({row.x for row in rows if row.x is not None})
    with styled(theme):
        from matplotlib.figure import Figure
        from matplotlib.ticker import NullFormatter

        figure = Figure(figsize=(6.4, 3.8), layout="constrained")
        axes = figure.subplots()
        finite = [value for row in rows for value in row.values if isfinite(value)]
        if is_log and finite and min(finite) > 0 and max(finite) > 20 * min(finite):
            axes.set_yscale("log")
        if places[0] > 0 and places[-1] >= 8 * places[0]:
            axes.set_xscale("log")
        ticks = places[:: ceil(len(places) / _MOST_TICKS)]
        axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(_formatter(text))
        axes.yaxis.set_minor_formatter(NullFormatter())
        for number, name in enumerate(names):
            own = [row for row in rows if row.name == name and row.x is not None]
            aside = _Aside((number - (len(names) - 1) / 2) * _APART, places, axes.get_xscale() == "log")
            _line(axes, sorted(own, key=lambda row: row.x or 0.0), number, aside, theme)
        _beyond(axes, rows, text, theme)
        axes.set_xlabel(labels[0]).set_parse_math(False)
        axes.set_ylabel(labels[1]).set_parse_math(False)
        axes.margins(y=0.1)
        axes.grid()
        if len(names) > 1:
            legend = figure.legend(loc="outside right upper")
            for one in legend.get_texts():
                one.set_parse_math(False)
        return save(figure, format)


def _formatter(text: Callable[[float], str]) -> Callable[[float, float], str]:
    return lambda value, _: text(value)


@dataclass(frozen=True, slots=True)
class _Aside:
    """Moves a series by a part of the axis, so that ranges at one place do not cover each other."""

    share: float
    places: Sequence[float]
    is_log: bool

    def at(self, x: float) -> float:
        """Return where a place is drawn."""
        first, last = self.places[0], self.places[-1]
        return x * (last / first) ** self.share if self.is_log else x + self.share * (last - first)


def _line(axes: Axes, rows: Sequence[RangeOf], number: int, aside: _Aside, theme: Theme) -> None:
    colour, dash = series(theme, number), DASHES[number // len(theme.series) % len(DASHES)]
    found = [(row.x or 0.0, sorted(row.values)) for row in rows if row.values and all(map(isfinite, row.values))]
    xs, middle = [aside.at(x) for x, _ in found], [median(values) for _, values in found]
    marker = MARKERS[number % len(MARKERS)]
    axes.plot(xs, middle, color=colour, linestyle=dash, marker=marker, markersize=4, linewidth=1.3, label=rows[0].name)
    axes.vlines(
        xs, [values[0] for _, values in found], [values[-1] for _, values in found], color=colour, linewidth=1.1
    )
    at_border = [(aside.at(row.x or 0.0), value) for row in rows for value in row.values if not isfinite(value)]
    if at_border:
        xs, ys = zip(*((x, 0 if value < 0 else 1) for x, value in at_border), strict=True)
        axes.plot(xs, ys, marker=marker, color=colour, markerfacecolor="none", markersize=4, linestyle="",
                  transform=axes.get_xaxis_transform(), clip_on=False)  # fmt: skip


def _beyond(axes: Axes, rows: Sequence[RangeOf], text: Callable[[float], str], theme: Theme) -> None:
    """Say what stands at the border, once."""
    for border, sign in ((1, "top"), (0, "bottom")):
        values = [one for row in rows for one in row.values if not isfinite(one) and (one < 0) == (border == 0)]
        if values:
            axes.annotate(text(values[0]), (1.01, border), xycoords="axes fraction", va=sign, fontsize="small",
                          color=theme.muted)  # fmt: skip
