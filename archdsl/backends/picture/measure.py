"""How large things are: text, boxes, titles; in pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from archdsl.backends.picture import font
from archdsl.backends.picture.picture import Box, Picture
from archdsl.backends.words import amount
from archdsl.passes.costs import Total

CostName: TypeAlias = Literal["macs", "parameters", "activations"]
COSTS: dict[CostName, str] = {"macs": "MACs", "parameters": "params", "activations": "activations"}
"""What may be shown, and what a box calls it."""

NAME, BODY, SMALL, SHARE = 11.0, 10.5, 9.5, 8.5
"""The sizes of a box's texts: its name, what it does, the shape it gives, its part of the costs."""
LINE = 1.24
"""The height of a line, in sizes of its text."""
TRACK = 30.0
"""The width of the bar that shows a part of the costs."""
CIRCLE, BAR = 19.0, 15.0
_PAD_X, _PAD_Y = 9.0, 5.0
_LEAST_SHARE = 0.01
_LEAST_WIDTH = 44.0
LOCK = 7.0
"""The width of the lock in the corner of what is frozen."""


class TextLine(NamedTuple):
    """A line of text in a box."""

    text: str
    size: float
    is_bold: bool = False
    is_muted: bool = False


class Share(NamedTuple):
    """A part of a network's cost, from 0 to 1, and the words for it; `kind` is 0 for the first bar, 1 for the other."""

    part: float
    text: str
    kind: int


@dataclass(frozen=True, slots=True)
class Content:
    """What stands in a box, and the size that it needs."""

    lines: tuple[TextLine, ...]
    shares: tuple[Share, ...]
    width: float
    height: float


def text_width(text: str, size: float, *, is_bold: bool = False) -> float:
    """Return the width of a text."""
    return font.load(is_bold=is_bold).width(text) * size


def cost_of(total: Total, name: CostName) -> int:
    """Return one of the costs that a picture can show."""
    return {"macs": total.macs, "parameters": total.parameters, "activations": total.activations}[name]


def part_of(box: Box, picture: Picture, name: CostName) -> float:
    """Return a box's part of the network's cost, from 0 to 1."""
    return cost_of(box.costs, name) / max(cost_of(picture.total, name), 1) if box.costs else 0.0


def measure(box: Box, picture: Picture, cost: CostName | None = None) -> Content:
    """Say what stands in a box, line by line. With `cost`, its part of that cost alone is shown."""
    if box.is_circle:
        return Content((), (), CIRCLE, CIRCLE)
    if box.is_bar:
        return Content(
            (TextLine(box.lines[0], SMALL, is_bold=True),), (), text_width(box.lines[0], SMALL, is_bold=True) + 18, BAR
        )
    lines = tuple(_lines(box))
    shares = tuple(_shares(box, picture, cost))
    widths = [text_width(line.text, line.size, is_bold=line.is_bold) for line in lines]
    widths += [TRACK + 4 + text_width(share.text, SHARE) for share in shares]
    height = sum(line.size * LINE for line in lines) + len(shares) * SHARE * LINE + (1.5 if shares else 0)
    if box.kind in ("input", "output"):
        return Content(lines, shares, max(widths) + 6, height + 4)
    beside = 2 * (_PAD_X + (LOCK if box.is_frozen else 0))
    return Content(lines, shares, max(_LEAST_WIDTH, max(widths) + beside), height + 2 * _PAD_Y)


def _lines(box: Box) -> Iterator[TextLine]:
    is_end = box.kind in ("input", "output")
    if box.name:
        yield TextLine(box.name, NAME, is_bold=True)
    for index, text in enumerate(box.lines):
        yield TextLine(text, BODY, is_bold=not box.name and index == 0 and (is_end or box.kind == "block"))
    if box.shape:
        yield TextLine(box.shape, SMALL, is_muted=True)


def _shares(box: Box, picture: Picture, cost: CostName | None) -> Iterator[Share]:
    names: tuple[CostName, ...] = ("macs", "parameters") if cost is None else (cost,)
    for index, name in enumerate(names):
        part = part_of(box, picture, name)
        if part >= _LEAST_SHARE:
            yield Share(part, f"{part:.0%} {COSTS[name]}", index)


def costs_text(total: Total) -> str:
    """Write costs out: `1.2M parameters, 96M MACs`."""
    return f"{amount(total.parameters)} parameters, {amount(total.macs)} MACs"
