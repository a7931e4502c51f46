"""The legend below a picture: what colours, bars and lines mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archdsl.backends.picture.layout.arrangement import Point, Rect
from archdsl.backends.picture.measure import COSTS, LOCK, CostName, text_width
from archdsl.backends.picture.picture import Picture
from archdsl.backends.picture.scene import Curve, Pen, Primitive, Rectangle, Text, lock, moved, with_head
from archdsl.backends.theme import KIND_NAMES, Theme

_SIZE = 9.5
_ROW = 17.0
_SWATCH, _TALL = 18.0, 11.0
_APART = 16.0
_STEPS, _STEP = 24, 5.0
_LEAST = 420.0
"""A legend may be this wide, however narrow the picture is."""


@dataclass(frozen=True, slots=True)
class Legend:
    """Shapes from (0, 0) on."""

    width: float
    height: float
    primitives: tuple[Primitive, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A sign, `width` wide, and what it means."""

    primitives: tuple[Primitive, ...]
    width: float
    text: str


def draw_legend(
    picture: Picture,
    theme: Theme,
    width: float,
    cost: CostName | None,
    highest: float,
    shares: Sequence[tuple[int, str]],
) -> Legend:
    """Set the legend in rows that are about as wide as the picture."""
    entries = [
        *(_kinds(picture, theme) if cost is None else [_scale(theme, cost, highest)]),
        *(_bar(theme, index, name) for index, name in shares if cost is None),
        *([_frozen(theme, is_heat=cost is not None)] if any(box.is_frozen for box in picture.boxes) else []),
        *([_shortcut(theme)] if any(edge.is_shortcut for edge in picture.edges) else []),
    ]
    limit = max(width, _LEAST)
    primitives: list[Primitive] = []
    x, y, widest = 0.0, 0.0, 0.0
    for entry in entries:
        needed = entry.width + 5 + text_width(entry.text, _SIZE)
        if x and x + needed > limit:
            x, y = 0.0, y + _ROW
        primitives += (moved(primitive, x, y) for primitive in entry.primitives)
        primitives.append(Text(Point(x + entry.width + 5, y + _TALL - 2), entry.text, _SIZE, theme.muted))
        widest = max(widest, x + needed)
        x += needed + _APART
    return Legend(widest, y + _ROW if entries else 0.0, tuple(primitives))


def _kinds(picture: Picture, theme: Theme) -> Iterator[_Entry]:
    for kind in picture.kinds:
        pen = Pen(theme.lines[kind], theme.widths.get(kind, 1.0), theme.dashes.get(kind, ""))
        radius = 5.0 if kind in ("activation", "norm", "regularise") else 2.0
        yield _Entry(
            (Rectangle(Rect(0, 0, _SWATCH, _TALL), theme.fills[kind], pen, radius),), _SWATCH, KIND_NAMES[kind]
        )


def _scale(theme: Theme, cost: CostName, highest: float) -> _Entry:
    """Show the scale of a cost, from nothing to the box that costs most."""
    steps = [
        Rectangle(Rect(i * _STEP, 0, (i + 1) * _STEP, _TALL), theme.heat(i / (_STEPS - 1)), Pen("", 0))
        for i in range(_STEPS)
    ]
    width = _STEPS * _STEP
    edge = Rectangle(Rect(0, 0, width, _TALL), "", Pen(theme.muted, 0.7))
    zero = text_width("0%", _SIZE) + 4
    primitives = [moved(primitive, zero, 0) for primitive in (*steps, edge)]
    label = Text(Point(0, _TALL - 2), "0%", _SIZE, theme.muted)
    return _Entry((label, *primitives), zero + width, f"{highest:.0%} of the network's {_words(cost)}")


def _words(cost: CostName) -> str:
    return {"macs": COSTS["macs"], "parameters": "parameters", "activations": "activations"}[cost]


def _bar(theme: Theme, index: int, name: str) -> _Entry:
    track = Rectangle(Rect(0, 3, 26, 7), theme.track, Pen("", 0))
    bar = Rectangle(Rect(0, 3, 12, 7), theme.bars[index], Pen("", 0))
    return _Entry((track, bar), 26, f"part of all {'parameters' if name == 'params' else name}")


def _frozen(theme: Theme, *, is_heat: bool) -> _Entry:
    swatch = Rectangle(
        Rect(0, 0, _SWATCH, _TALL), theme.background if is_heat else theme.frozen, Pen(theme.muted, 0.7), 2.0
    )
    return _Entry((swatch, *lock(Point((_SWATCH - LOCK) / 2, 1.2), theme.muted)), _SWATCH, "frozen")


def _shortcut(theme: Theme) -> _Entry:
    line = Curve(Point(0, 5.5), ((Point(24, 5.5),),), Pen(theme.shortcut, 1.5))
    return _Entry(tuple(with_head(line)), 24, "shortcut")
