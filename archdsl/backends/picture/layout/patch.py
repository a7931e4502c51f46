"""A patch of the layout: boxes with known places relative to the line that the flow takes through them.

Directions are those of the flow: `along` it, from 0, and `across` it, where the line itself is at 0. Whether the flow
goes down the page or to the right is settled at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple


class Bounds(NamedTuple):
    """A rectangle: two bounds across the flow, two along it."""

    low: float
    start: float
    high: float
    end: float

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    def moved(self, across: float, along: float) -> Bounds:
        return Bounds(self.low + across, self.start + along, self.high + across, self.end + along)


class Leg(NamedTuple):
    """A straight piece of an edge's way along the flow: into a branch, out of it, or past everything else."""

    edge: int
    across: float
    start: float
    end: float
    kind: Literal["in", "out", "lane", "soft"]

    def moved(self, across: float, along: float) -> Leg:
        return Leg(self.edge, self.across + across, self.start + along, self.end + along, self.kind)


@dataclass(slots=True)
class Patch:
    """Places of boxes by name, of frames by group, and legs of edges; `low` and `high` bound them across the flow."""

    length: float = 0.0
    low: float = 0.0
    high: float = 0.0
    boxes: dict[str, Bounds] = field(default_factory=dict[str, Bounds])
    frames: list[tuple[str, Bounds]] = field(default_factory=list[tuple[str, Bounds]])
    legs: list[Leg] = field(default_factory=list[Leg])

    def put(self, other: Patch, across: float, along: float) -> None:
        """Put another patch's content into this one, whose bounds grow with it."""
        self.boxes.update((name, place.moved(across, along)) for name, place in other.boxes.items())
        self.frames.extend((group, place.moved(across, along)) for group, place in other.frames)
        self.legs.extend(leg.moved(across, along) for leg in other.legs)
        self.low = min(self.low, other.low + across)
        self.high = max(self.high, other.high + across)
        self.length = max(self.length, along + other.length)

    def beyond(self, start: float, end: float) -> float:
        """Return how far the content reaches across the flow between two places along it."""
        places = [*self.boxes.values(), *(place for _, place in self.frames)]
        found = [place.high for place in places if place.start < end and place.end > start]
        found += [leg.across for leg in self.legs if leg.start < end and leg.end > start]
        return max(found, default=0.0)


@dataclass(frozen=True, slots=True)
class Tile:
    """A box to be placed: its size along and across the flow, and the groups around it, from the outermost in."""

    name: str
    along: float
    across: float
    groups: tuple[str, ...] = ()
    is_bar: bool = False


@dataclass(frozen=True, slots=True)
class Title:
    """The space that a frame needs before its content: along the flow, across it, and for the title's text.

    `is_entered` says that the flow comes in from outside, where the title is.
    """

    along: float
    across: float
    text_along: float
    text_across: float
    is_entered: bool = True
