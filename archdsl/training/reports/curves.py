"""The curves of runs as pictures. Importing this needs neither torch nor matplotlib."""

# matplotlib leaves keyword arguments untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from math import ceil, isfinite, nan
from typing import TYPE_CHECKING, NamedTuple

from archdsl.backends.chart.style import DASHES, save, series, styled
from archdsl.backends.theme import THEMES
from archdsl.text.render.display import visible
from archdsl.training.tasks.figures import FIGURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ACROSS = 3
_LONGEST = 60
Rows = Sequence[Mapping[str, float]]


class RunCurve(NamedTuple):
    """A run's line: what it is called, and its metrics."""

    name: str
    rows: Rows


@contextmanager
def drawing() -> Generator[None]:
    """Draw in the light theme, without warnings of letters that the font lacks.

    Errors: Failure where matplotlib is missing
    """
    with styled(THEMES["light"]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def curves(rows: Rows, title: str) -> bytes:
    """Draw each figure of a run by epoch, of training and validation, as a PNG.

    `rows` are those of metrics.csv: `epoch`, `train_` and `validation_` figures, and `phase` where there are several.
    Errors: Failure where matplotlib is missing
    """
    theme = THEMES["light"]
    names = [name for name in FIGURES if any(f"train_{name}" in row or f"validation_{name}" in row for row in rows)]
    with drawing():
        from matplotlib.figure import Figure

        across = max(1, min(_ACROSS, len(names)))
        down = max(1, ceil(len(names) / across))
        figure = Figure(figsize=(3.6 * across + 0.4, 2.9 * down + 0.4), layout="constrained")
        grid = figure.subplots(down, across, squeeze=False)
        for axes in grid.flat[len(names) :]:
            axes.axis("off")
        for number, (axes, name) in enumerate(zip(grid.flat, names, strict=False)):
            for index, part in enumerate(("train", "validation")):
                label = "training" if part == "train" else part
                _line(axes, rows, f"{part}_{name}", label, series(theme, index), DASHES[1 - index])
            _finish(axes, name)
            _phases(axes, rows)
            if number == 0:
                axes.legend()
        figure.suptitle(_shown(title)).set_parse_math(False)
        return save(figure, "png")


def compared(runs: Sequence[RunCurve], figure_name: str, format: str) -> bytes:
    """Draw one validation figure of several runs by epoch, in a format of charts.

    Errors: Failure where matplotlib is missing
    """
    theme = THEMES["light"]
    with drawing():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7.2, 4.4), layout="constrained")
        axes = figure.subplots()
        for number, run in enumerate(runs):
            dash = DASHES[number // len(theme.series) % len(DASHES)]
            _line(axes, run.rows, f"validation_{figure_name}", _shown(run.name), series(theme, number), dash)
        _finish(axes, figure_name)
        axes.set_title("on the validation images")
        legend = axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        for text in legend.get_texts():
            text.set_parse_math(False)
        return save(figure, format)


def _line(axes: Axes, rows: Rows, column: str, label: str, colour: str, dash: object) -> None:
    points = [(row.get("epoch", nan), row.get(column, nan)) for row in rows]
    points = [(x, y) for x, y in points if isfinite(x) and isfinite(y)]
    if points:
        marker = "o" if len(points) == 1 else ""  # one point makes no line
        xs, ys = zip(*points, strict=True)
        axes.plot(xs, ys, color=colour, linestyle=dash, marker=marker, linewidth=1.3, label=label)
    else:
        axes.plot([], [], color=colour, linestyle=dash, label=label)


def _phases(axes: Axes, rows: Rows) -> None:
    """Draw a line where a phase begins, between its first epoch and the one before, and say which it is."""
    for before, after in pairwise(rows):
        if before.get("phase", 1) != after.get("phase", 1):
            at = (before.get("epoch", nan) + after.get("epoch", nan)) / 2
            axes.axvline(at, color=axes.xaxis.label.get_color(), linewidth=0.8, linestyle=":")
            axes.annotate(
                f"phase {after.get('phase', 1):.0f}", (at, 1), (2, -2), xycoords=("data", "axes fraction"),
                textcoords="offset points", va="top", fontsize="x-small",
            )  # fmt: skip


def _finish(axes: Axes, name: str) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    axes.set(xlabel="epoch", ylabel=FIGURES[name].title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if FIGURES[name].is_share:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    elif name == "loss":
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.grid()


def _shown(text: str) -> str:
    shown = visible(" ".join(text.split()))
    return shown if len(shown) <= _LONGEST else f"…{shown[1 - _LONGEST :]}"
