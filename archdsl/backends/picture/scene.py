"""A scene: primitives and text with places and colours, which the writers of SVG, PDF and TikZ put in their own words.

In pixels, with x to the right and y down. Colours are `#rrggbb`; an empty one paints nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot
from typing import Literal, NamedTuple, TypeAlias

from archdsl.backends.picture.layout.arrangement import Point, Rect


class Pen(NamedTuple):
    """How lines are drawn; `dash` gives the lengths of strokes and spaces in SVG's notation."""

    colour: str
    width: float = 1.0
    dash: str = ""


class Rectangle(NamedTuple):
    """A rectangle; `note` is shown where the pointer rests on it."""

    rect: Rect
    fill: str
    pen: Pen
    radius: float = 0.0
    note: str = ""


class Disc(NamedTuple):
    """A circle."""

    centre: Point
    radius: float
    fill: str
    pen: Pen


class Curve(NamedTuple):
    """A line through corners, each piece straight (one point) or a cubic curve (two controls, and its end)."""

    start: Point
    pieces: tuple[tuple[Point, ...], ...]
    pen: Pen


class Triangle(NamedTuple):
    """An arrow's head."""

    points: tuple[Point, Point, Point]
    fill: str


class Text(NamedTuple):
    """A line of text: `at` is on its base line, at the start, middle or end. Turned text reads upwards."""

    at: Point
    text: str
    size: float
    colour: str
    is_bold: bool = False
    anchor: Literal["start", "middle", "end"] = "start"
    is_turned: bool = False


Primitive: TypeAlias = Rectangle | Disc | Curve | Triangle | Text


@dataclass(frozen=True, slots=True)
class Scene:
    """Shapes, the lowest first. `title` and `description` say in words what is shown."""

    width: float
    height: float
    background: str
    title: str
    description: str
    primitives: tuple[Primitive, ...]


_ROUND = 9.0
_HEAD, _HALF = 6.5, 2.7
_KAPPA = 0.5523
"""With controls at this part of the way to the corner, a cubic curve is a quarter of a circle."""


def rounded(points: Sequence[Point], pen: Pen) -> Curve:
    """Draw a line through points, its corners rounded."""
    pieces: list[tuple[Point, ...]] = []
    for index in range(1, len(points) - 1):
        before, corner, after = points[index - 1], points[index], points[index + 1]
        # Each side of a corner has half of its line, except at the ends of the way.
        first = _length(before, corner) / (1 if index == 1 else 2)
        second = _length(corner, after) / (1 if index == len(points) - 2 else 2)
        if index == len(points) - 2:
            second = max(second - _HEAD, second / 2)  # an arrow's head is straight
        radius = min(_ROUND, first, second)
        start, end = _towards(corner, before, radius), _towards(corner, after, radius)
        pieces.append((start,))
        controls = _towards(corner, before, radius * (1 - _KAPPA)), _towards(corner, after, radius * (1 - _KAPPA))
        pieces.append((*controls, end))
    return Curve(points[0], (*pieces, (points[-1],)), pen)


def curved(points: Sequence[Point], pen: Pen, *, is_right: bool) -> Curve:
    """Draw a curve through points that leaves and enters each along the flow."""
    pieces: list[tuple[Point, ...]] = []
    for one, other in pairwise(points):
        if one.x == other.x or one.y == other.y:
            pieces.append((other,))
        elif is_right:
            middle = (one.x + other.x) / 2
            pieces.append((Point(middle, one.y), Point(middle, other.y), other))
        else:
            middle = (one.y + other.y) / 2
            pieces.append((Point(one.x, middle), Point(other.x, middle), other))
    return Curve(points[0], tuple(pieces), pen)


def with_head(path: Curve) -> Iterator[Primitive]:
    """End a line in an arrow's head. The line stops within the head, so that its end does not show."""
    *before_last, last = path.pieces
    *controls, tip = last
    before = controls[-1] if controls else (before_last[-1][-1] if before_last else path.start)
    length = _length(before, tip) or 1.0
    along = Point((tip.x - before.x) / length, (tip.y - before.y) / length)
    back = Point(tip.x - along.x * _HEAD, tip.y - along.y * _HEAD)
    left = Point(back.x - along.y * _HALF, back.y + along.x * _HALF)
    right = Point(back.x + along.y * _HALF, back.y - along.x * _HALF)
    end = Point(tip.x - along.x * _HEAD / 2, tip.y - along.y * _HEAD / 2)
    yield path._replace(pieces=(*before_last, (*controls, end)))
    yield Triangle((tip, left, right), path.pen.colour)


def lock(at: Point, colour: str) -> Iterator[Primitive]:
    """Draw a small closed padlock, 7 wide and 8 high, from its upper left corner on."""
    x, y = at
    sides = ((Point(x + 1.7, y + 2.4),), (Point(x + 1.7, y + 0.2), Point(x + 5.3, y + 0.2), Point(x + 5.3, y + 2.4)))
    yield Curve(Point(x + 1.7, y + 3.6), (*sides, (Point(x + 5.3, y + 3.6),)), Pen(colour, 1.1))
    yield Rectangle(Rect(x, y + 3.6, x + 7, y + 8), colour, Pen("", 0), 0.8)


def moved(primitive: Primitive, x: float, y: float) -> Primitive:
    """Shift a primitive."""

    def at(point: Point) -> Point:
        return Point(point.x + x, point.y + y)

    match primitive:
        case Rectangle():
            left, top, right, bottom = primitive.rect
            return primitive._replace(rect=Rect(left + x, top + y, right + x, bottom + y))
        case Disc():
            return primitive._replace(centre=at(primitive.centre))
        case Curve():
            pieces = tuple(tuple(at(point) for point in piece) for piece in primitive.pieces)
            return primitive._replace(start=at(primitive.start), pieces=pieces)
        case Text():
            return primitive._replace(at=at(primitive.at))
        case _:
            one, two, three = primitive.points
            return primitive._replace(points=(at(one), at(two), at(three)))


def _length(one: Point, other: Point) -> float:
    return hypot(other.x - one.x, other.y - one.y)


def _towards(start: Point, end: Point, distance: float) -> Point:
    length = _length(start, end) or 1.0
    part = distance / length
    return Point(start.x + (end.x - start.x) * part, start.y + (end.y - start.y) * part)
