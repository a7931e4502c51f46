"""The confusion matrix and the worst mistakes as pictures."""

# matplotlib leaves keyword arguments untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.figure import Figure
from torch import Tensor

from archdsl.backends.chart.style import save
from archdsl.text.render.display import visible
from archdsl.training.reports.curves import drawing

if TYPE_CHECKING:
    from matplotlib.text import Text

MOST_MISTAKES = 36
_ACROSS = 6
_NAMED, _COUNTED = 40, 20
"""Classes up to which a confusion matrix names them, and writes its counts."""
_LONGEST = 24


class Mistake(NamedTuple):
    """An image, uint8 [C, H, W], what it is called, and what was wrong."""

    image: Tensor
    name: str
    line: str


def plain(text: str, longest: int = _LONGEST) -> str:
    """Return a text of a user's as a picture may show it: on one line, cut where it is long."""
    shown = visible(" ".join(text.split()))
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def as_it_is(text: Text) -> None:
    """Let a text be itself, and no formula where it has dollar signs."""
    text.set_parse_math(False)


def confusion_png(table: Tensor, classes: Sequence[str], title: str) -> bytes:
    """Draw a confusion matrix, each row as shares of its class."""
    count = len(classes)
    shares = table.double() / table.double().sum(1, keepdim=True).clamp_min(1)
    with drawing():
        side = min(10.0, 2.6 + 0.32 * count)
        figure = Figure(figsize=(side + 0.8, side), layout="constrained")
        axes = figure.subplots()
        shown = axes.imshow(shares.numpy(), cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
        figure.colorbar(shown, ax=axes, label="share of the class", shrink=0.8)
        axes.set(xlabel="predicted", ylabel="class")
        as_it_is(axes.set_title(plain(title, 70)))
        if count <= _NAMED:
            names = [plain(name, 16) for name in classes]
            axes.set_xticks(range(count), names, rotation=90)
            axes.set_yticks(range(count), names)
            for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
                as_it_is(label)
        if count <= _COUNTED:
            for row in range(count):
                for column in range(count):
                    number, part = int(table[row, column]), float(shares[row, column])
                    colour = "white" if part > 0.5 else "black"
                    if number:
                        axes.text(column, row, _amount(number), ha="center", va="center", fontsize=6.5, color=colour)
        return save(figure, "png")


def _amount(number: int) -> str:
    if number < 10_000:
        return str(number)
    return f"{number / 1000:.0f}k" if number < 1_000_000 else f"{number / 1e6:.3g}M"


def mistakes_png(mistakes: Sequence[Mistake], title: str) -> bytes:
    """Draw images with what was wrong about each, the worst first."""
    across = min(_ACROSS, len(mistakes))
    down = ceil(len(mistakes) / across)
    with drawing():
        figure = Figure(figsize=(max(1.7 * across, 4.0), 1.95 * down + 0.4), layout="constrained")
        as_it_is(figure.suptitle(plain(title, 90), fontsize=10))
        grid = figure.subplots(down, across, squeeze=False)
        for axes in grid.flat:
            axes.axis("off")
        for axes, mistake in zip(grid.flat, mistakes, strict=False):
            pixels = mistake.image.permute(1, 2, 0).numpy()
            axes.imshow(pixels if pixels.shape[2] == 3 else pixels[:, :, 0], cmap="gray", vmin=0, vmax=255)
            lines = f"{plain(mistake.line)}\n{_end(mistake.name)}"
            as_it_is(axes.set_title(lines, fontsize=6.5))
        return save(figure, "png")


def _end(name: str) -> str:
    """Return the end of a path, which tells more than its start."""
    shown = visible(" ".join(name.split()))
    return shown if len(shown) <= _LONGEST else f"…{shown[1 - _LONGEST :]}"
