"""An arrangement: what a picture's layout has found out, in pixels, with x to the right and y down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Point(NamedTuple):
    """A place, in pixels."""

    x: float
    y: float


class Rect(NamedTuple):
    """A box with its sides along the axes, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def centre(self) -> Point:
        return Point((self.left + self.right) / 2, (self.top + self.bottom) / 2)


class Border(NamedTuple):
    """The frame of a group. A group that goes on in the next column has one in each."""

    group: str
    rect: Rect


class Route(NamedTuple):
    """The way of an edge through its corners, which are to be rounded; `is_soft` asks for a curve through them.

    `source` and `target` are boxes; both are empty for a line that leads on to the next column, and so has no arrow.
    """

    source: str
    target: str
    points: tuple[Point, ...]
    is_soft: bool = False


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Rectangles of boxes by name, frames from the outermost in, routes in the order of the picture's edges."""

    width: float
    height: float
    boxes: Mapping[str, Rect]
    frames: tuple[Border, ...]
    routes: tuple[Route, ...]
    links: tuple[Route, ...]
    """The lines that lead on from one column to the next."""
    is_right: bool
    """Whether the flow goes to the right, and not down."""
