"""The charts themselves."""

# matplotlib leaves keyword arguments untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from math import nan
from typing import TYPE_CHECKING

from archdsl.backends.chart.points import Area, NetworkPoint, Pixels, Segment, place_names
from archdsl.backends.chart.profile import Layer, Profile, Section
from archdsl.backends.chart.style import (
    DASHES,
    FORMATS,
    MARKERS,
    amounts_on_log_y,
    amounts_on_y,
    save,
    series,
    si,
    styled,
)
from archdsl.backends.theme import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FORMATS", "plot_costs", "plot_fields", "plot_points"]

_WIDTH = 7.2
"""Inches: the text width of a page with two columns."""
_MARKED = 250
"""Networks of up to as many layers show each of them as a point."""
_LONG_LEGEND = 7
"""Families beyond which the legend stands beside the chart."""
_FEW_POINTS = 12
"""Points of up to as many bear their full names, and need no legend."""
_UNEVEN = 6
"""Networks whose largest layers differ by more are drawn on a logarithmic axis."""
_LAYERS = "layer: convolutions and fully connected, each with what follows it"
_PANELS: tuple[tuple[str, bool, Callable[[Layer], int]], ...] = (
    ("MACs\n(multiply-adds)", False, lambda layer: layer.macs),
    ("parameters", False, lambda layer: layer.parameters),
    ("activations\n(bytes written)", True, lambda layer: layer.activation_bytes),
)


def plot_costs(profiles: Sequence[Profile], theme: Theme, format: str) -> bytes:
    """Draw MACs, parameters and activations of each layer, for one image: bars for one network, lines for several.

    Errors: Failure where matplotlib is missing
    """
    with styled(theme):
        figure = _figure(4.9)
        rows = figure.subplots(len(_PANELS), 1, sharex=True)
        for number, (axes, (label, is_bytes, cost)) in enumerate(zip(rows, _PANELS, strict=True)):
            _costs(axes, profiles, cost, theme, number)
            axes.set_ylabel(label)
            axes.grid(axis="y")
            axes.set_axisbelow(True)
            if _is_uneven([max(map(cost, one.layers)) for one in profiles]):
                axes.set_yscale("log")
                amounts_on_log_y(axes, is_bytes=is_bytes)
            else:
                axes.set_ylim(bottom=0)
                amounts_on_y(axes, is_bytes=is_bytes)
        figure.align_ylabels(rows)
        _depth_axis(rows[-1], profiles)
        _head(figure, rows, profiles, theme, "cost by depth")
        return save(figure, format)


def _is_uneven(peaks: Sequence[int]) -> bool:
    """Return whether one network's costs would be a flat line beside another's."""
    return min(peaks) > 0 and max(peaks) > _UNEVEN * min(peaks)


def _costs(axes: Axes, profiles: Sequence[Profile], cost: Callable[[Layer], int], theme: Theme, panel: int) -> None:
    for number, one in enumerate(profiles):
        values = [cost(layer) for layer in one.layers]
        edges = [index + 0.5 for index in range(len(values) + 1)]
        if len(profiles) == 1:
            colour = _panel_colour(theme, panel)
            axes.stairs(values, edges, fill=True, color=colour, alpha=0.9 if len(values) > 1 else 1, linewidth=0)
            _average(axes, values, theme)
        else:
            dash = DASHES[number % len(DASHES)]
            colour = series(theme, number)
            # What costs nothing has no place on a logarithmic axis, and leaves a gap.
            shown = [value or nan for value in values]
            axes.stairs(shown, edges, color=colour, linestyle=dash, linewidth=1.3, label=one.name, baseline=None)


def _panel_colour(theme: Theme, panel: int) -> str:
    return (theme.bars[0], theme.bars[1], theme.lines["pool"])[panel]


def _average(axes: Axes, values: Sequence[int], theme: Theme) -> None:
    """Name the largest layer's part of the whole, which is what a bottleneck is."""
    total = sum(values)
    if not total or len(values) < 2:
        return
    peak = max(range(len(values)), key=lambda index: values[index])
    is_left = peak > 0.6 * len(values)
    axes.annotate(
        f"{values[peak] / total:.0%} in one layer" if values[peak] / total >= 0.1 else "",
        (peak + 1, values[peak]),
        xytext=(-7 if is_left else 7, -1),
        textcoords="offset points",
        ha="right" if is_left else "left",
        va="top",
        fontsize=7.5,
        color=theme.muted,
    )


def plot_fields(profiles: Sequence[Profile], theme: Theme, format: str) -> bytes:
    """Draw how the receptive field grows with depth, beside the size of the input.

    Errors: Failure where matplotlib is missing
    """
    with styled(theme):
        figure = _figure(3.4)
        axes = figure.subplots()
        for number, one in enumerate(profiles):
            _field(axes, one, theme, number, has_points=len(profiles) == 1)
        tops = [layer.field for one in profiles for layer in one.layers if layer.field is not None]
        sides = sorted({one.side for one in profiles if one.side is not None})
        axes.set_ylim(0, 1.08 * max([*tops, *(side for side in sides if side < 3 * max(tops, default=1)), 1]))
        for side in sides:
            if side <= axes.get_ylim()[1]:
                axes.axhline(side, color=theme.muted, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
                _side_label(axes, side, theme)
        axes.set_ylabel("largest receptive field so far\n(pixels of the input)")
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        _depth_axis(axes, profiles)
        if any(_whole_from(one) is not None for one in profiles):
            axes.set_xlabel(f"{_LAYERS}\n↑: layers from here on see the whole image, by a gate for instance")
        _head(figure, [axes], profiles, theme, "receptive field by depth")
        return save(figure, format)


def _side_label(axes: Axes, side: int, theme: Theme) -> None:
    axes.annotate(
        f"input {side}",
        (0, side),
        xycoords=("axes fraction", "data"),
        xytext=(4, 2.5),
        textcoords="offset points",
        fontsize=7.5,
        color=theme.muted,
    )


def _field(axes: Axes, one: Profile, theme: Theme, number: int, *, has_points: bool) -> None:
    """Draw the largest field so far and, as points, every layer's; fields without a bound end the line."""
    bounded = [(index + 1, layer.field) for index, layer in enumerate(one.layers) if layer.field is not None]
    colour, dash = series(theme, number), DASHES[number % len(DASHES)]
    end = _whole_from(one)
    if end is not None:
        bounded = [(x, y) for x, y in bounded if x <= end]
    xs, ys = [x for x, _ in bounded], [y for _, y in bounded]
    if len(one.layers) <= _MARKED and has_points:
        axes.plot(xs, ys, color=colour, linestyle="", marker="o", markersize=3, alpha=0.55, markeredgewidth=0)
    # A shortcut or a short branch sees less than what came before it.
    largest = list(accumulate(ys, max))
    axes.plot(xs, largest, color=colour, linestyle=dash, linewidth=1.5, drawstyle="steps-mid", label=one.name)
    if end is not None:
        axes.annotate(
            "",
            (end + 0.5, largest[-1] if largest else 0),
            xytext=(0, 26),
            textcoords="offset points",
            arrowprops={"arrowstyle": "<-", "color": colour, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0},
        )


def _whole_from(one: Profile) -> int | None:
    """Return how many layers come before convolutions that see the whole image; None where there are no such."""
    first = next((index for index, layer in enumerate(one.layers) if layer.field is None), None)
    return first if first is not None and any(layer.op != "fc" for layer in one.layers[first:]) else None


def plot_points(
    points: Sequence[NetworkPoint],
    labels: tuple[str, str],
    theme: Theme,
    format: str,
    *,
    is_log: tuple[bool, bool],
) -> bytes:
    """Draw networks as points with their names, those of a family joined. `labels` are those of the axes.

    Errors: Failure where matplotlib is missing
    """
    with styled(theme):
        figure = _figure(4.9)
        axes = figure.subplots()
        families = list(dict.fromkeys(point.family for point in points))
        for number, family in enumerate(families):
            _family(axes, [point for point in points if point.family == family], theme, number)
        axes.set(xlabel=labels[0], ylabel=labels[1])
        for axis, log in (("x", is_log[0]), ("y", is_log[1])):
            _scale(axes, axis, [point.x if axis == "x" else point.y for point in points], is_log=log)
        axes.grid(which="major")
        axes.set_axisbelow(True)
        axes.margins(0.08)
        if _has_legend(points, families):
            if len(families) > _LONG_LEGEND:
                axes.legend(handlelength=1.8, loc="upper left", bbox_to_anchor=(1, 1))
            else:
                axes.legend(handlelength=1.8, loc="best")
        _names(figure, axes, points, families, theme)
        return save(figure, format)


def _family(axes: Axes, members: Sequence[NetworkPoint], theme: Theme, number: int) -> None:
    members = sorted(members, key=lambda point: (point.x, point.y))
    axes.plot(
        [point.x for point in members],
        [point.y for point in members],
        color=series(theme, number),
        linestyle=DASHES[number // 8 % len(DASHES)] if theme.name != "print" else DASHES[number % len(DASHES)],
        linewidth=1.1,
        marker=MARKERS[number % len(MARKERS)],
        markersize=5,
        markeredgecolor=theme.background,
        markeredgewidth=0.6,
        label=members[0].family,
        zorder=3,
    )


def _scale(axes: Axes, axis: str, values: Sequence[float], *, is_log: bool) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    which = axes.xaxis if axis == "x" else axes.yaxis
    if is_log and min(values) > 0:
        (axes.set_xscale if axis == "x" else axes.set_yscale)("log")
        is_wide = max(values) / min(values) > 30
        which.set_major_locator(LogLocator(subs=(1.0,) if is_wide and max(values) / min(values) > 300 else (1, 2, 5)))
        which.set_minor_formatter(NullFormatter())
    else:
        which.set_major_locator(MaxNLocator(6))
    which.set_major_formatter(FuncFormatter(si))


def _names(figure: Figure, axes: Axes, points: Sequence[NetworkPoint], families: Sequence[str], theme: Theme) -> None:
    """Write the names where there is room, with a line to those that had to go further away."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # names are placed where everything stands now
    pixels: list[Pixels] = []
    for point in points:
        x, y = axes.transData.transform((point.x, point.y))
        pixels.append((float(x), float(y)))
    texts = [
        axes.annotate(name, (0, 0), xycoords="figure pixels", fontsize=7, color=theme.ink, zorder=5)
        for name in _short_names(points, families)
    ]
    boxes = [text.get_window_extent() for text in texts]
    segments = [
        (one, other)
        for family in families
        for one, other in _neighbours([(pixels[i], p) for i, p in enumerate(points) if p.family == family])
    ]
    bounds = axes.get_window_extent()
    ground = Area(bounds.x0 + 2, bounds.y0 + 2, bounds.x1 + 12, bounds.y1 - 1)
    sizes = [(box.width, box.height) for box in boxes]
    legend = axes.get_legend()
    scale = figure.dpi / 72
    taken: list[Area] = []
    if legend is not None:
        box = legend.get_window_extent()
        taken.append(Area(box.x0, box.y0, box.x1, box.y1))
    found = place_names(pixels, sizes, segments, ground, 2.6 * scale, taken)
    for point, text, (x, y), (area, is_far) in zip(points, texts, pixels, found, strict=True):
        # In points from the data, so that the file's resolution does not matter.
        text.xy = (point.x, point.y)
        text.xycoords = "data"
        text.set_position(((area.left - x) / scale, (area.bottom - y) / scale))
        text.anncoords = "offset points"
        if is_far:
            end = (min(max(x, area.left), area.right), min(max(y, area.bottom), area.top))
            axes.annotate(
                "",
                (point.x, point.y),
                xytext=((end[0] - x) / scale, (end[1] - y) / scale),
                textcoords="offset points",
                arrowprops={"arrowstyle": "-", "color": theme.muted, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2},
                zorder=2,
            )


def _short_names(points: Sequence[NetworkPoint], families: Sequence[str]) -> list[str]:
    """Leave out what the legend says where every name of a family begins with it."""
    cut: dict[str, int] = {}
    for family in families:
        names = [point.name for point in points if point.family == family]
        is_plain = len(names) > 1 and all(name.startswith(family) and len(name) > len(family) for name in names)
        cut[family] = len(family) if is_plain and _has_legend(points, families) else 0
    return [point.name[cut[point.family] :].removeprefix("_") for point in points]


def _has_legend(points: Sequence[NetworkPoint], families: Sequence[str]) -> bool:
    return len(families) > 1 and len(points) > _FEW_POINTS


def _neighbours(members: Sequence[tuple[Pixels, NetworkPoint]]) -> list[Segment]:
    ordered = [pixel for pixel, _ in sorted(members, key=lambda pair: (pair[1].x, pair[1].y))]
    return list(pairwise(ordered))


def _figure(height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)  # measures text, whatever the format
    return figure


def _depth_axis(axes: Axes, profiles: Sequence[Profile]) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(0.5, max(len(one.layers) for one in profiles) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(11, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.set_xlabel(_LAYERS)


def _head(figure: Figure, rows: Sequence[Axes], profiles: Sequence[Profile], theme: Theme, what: str) -> None:
    """Write the title; under it the stages of one network, or the names of several."""
    if len(profiles) == 1:
        figure.suptitle(f"{profiles[0].name}: {what}", fontsize=10, x=0.01, ha="left")
        _bands(rows, profiles[0].stages, theme)
        return
    figure.suptitle(what.capitalize(), fontsize=10, x=0.01, ha="left")
    # A column is as wide as the longest name, at about 0.085 inches a character, and its line.
    columns = int((_WIDTH - 0.7) // (0.085 * max(len(one.name) for one in profiles) + 0.6))
    rows[0].legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=max(1, min(len(profiles), columns)), borderaxespad=0.2
    )


def _bands(rows: Sequence[Axes], stages: Sequence[Section], theme: Theme) -> None:
    """Shade every second stage, and write the names that fit above the first panel."""
    total = stages[-1].last if stages else 1
    for number, stage in enumerate(stages):
        if number % 2 == 0:
            for axes in rows:
                axes.axvspan(
                    stage.first + 0.5, stage.last + 0.5, color=theme.frame_line, alpha=0.28, zorder=0, linewidth=0
                )
        room = stage.size / total * (_WIDTH - 1)
        # A character of this size is about 0.058 inches wide.
        last = stage.name.rpartition(".")[2]
        texts = (stage.name, last, re.sub(r"^[a-z_]+(?=\d)", "", last))
        text = next((text for text in texts if room > 0.058 * len(text) + 0.03), "")
        rows[0].annotate(
            text,
            ((stage.first + stage.last + 1) / 2, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=7.5,
            color=theme.muted,
        )
