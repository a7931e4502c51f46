"""Bend a flow like a U where shortcuts lie in each other: down on the left, up on the right, the shortcuts across.

On the right, what follows the end of a shortcut stands beside it, so that the way up has steps, and the page is filled.
So are U-Nets and other networks of an encoder and a decoder drawn since Ronneberger, Fischer and Brox 2015, figure 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from archdsl.backends.picture.layout.patch import Bounds, Patch
from archdsl.backends.picture.layout.stream import Stream
from archdsl.backends.picture.layout.ways import Corner

_GAP, _TURN = 17.0, 26.0
"""Between boxes that follow each other, and from the turn below to the first box above it."""
_ACROSS, _BESIDE = 70.0, 24.0
"""Between the two arms at least, and around each box between them or beside another."""
_INTO = 38.0
"""From where a line parts from a shortcut to the box that it leads to, with room for a word on it."""
_BAR = 84.0
"""The least width of a bar, which no branches beside each other make wide."""
_FEWEST = 2
"""From so many shortcuts in each other on, a flow is bent."""


@dataclass(frozen=True, slots=True)
class Bent:
    """The places of the boxes, and the corners of every link's way by its number, where the left column is at 0."""

    patch: Patch
    ways: dict[int, list[Corner]]


@dataclass(frozen=True, slots=True)
class _Bridge:
    """A shortcut: where in the spine it leaves and arrives, and the boxes and links on its way."""

    start: int
    end: int
    boxes: tuple[str, ...]
    links: tuple[int, ...]


def bend(stream: Stream) -> Bent | None:
    """Lay a flow out as a U, or give nothing if it is no path with shortcuts that all lie in each other.

    Requires: the flow goes down the page.
    """
    if stream.aside or any(tile.groups for tile in stream.tiles.values()):
        return None
    spine = _longest(stream)
    bridges, sizes = _split(_bridges(stream, spine))
    if len(bridges) < _FEWEST or bridges[-1].end - bridges[-1].start < 2:
        return None
    if not all(one.start < other.start and other.end < one.end for one, other in pairwise(bridges)):
        return None
    drawn = {*spine, *(name for bridge in bridges for name in bridge.boxes)}
    links = len(spine) - 1 + sum(len(bridge.links) for bridge in (*bridges, *sizes))
    if len(drawn) < len(stream.tiles) or links < len(stream.links):
        return None
    return _Bender(stream, spine, bridges, sizes).bent()


def _longest(stream: Stream) -> list[str]:
    """List the boxes of the longest way through the flow."""
    lengths: dict[str, int] = {}
    before: dict[str, str] = {}
    for name in stream.tiles:
        source = max(stream.sources(name), key=lambda each: lengths[each], default="")
        lengths[name] = lengths.get(source, 0) + 1
        before[name] = source
    spine = [max(lengths, key=lambda name: lengths[name])]
    while before[spine[-1]]:
        spine.append(before[spine[-1]])
    return spine[::-1]


def _bridges(stream: Stream, spine: Sequence[str]) -> list[_Bridge]:
    """List the ways beside the spine, which leave it and come back to it without parting."""
    at = {name: index for index, name in enumerate(spine)}
    found: list[_Bridge] = []
    for index, name in enumerate(spine):
        follows = False
        for link in stream.out_of[name]:
            target = stream.links[link].target
            if at.get(target) == index + 1 and not follows:
                follows = True
                continue
            boxes, links = list[str](), [link]
            while target not in at and len(stream.into[target]) == len(stream.out_of[target]) == 1:
                boxes.append(target)
                links.append(stream.out_of[target][0])
                target = stream.links[links[-1]].target
            if target in at:
                found.append(_Bridge(index, at[target], tuple(boxes), tuple(links)))
    return found


def _split(bridges: Sequence[_Bridge]) -> tuple[list[_Bridge], list[_Bridge]]:
    """Tell shortcuts from lines beside them, by which the box before a shortcut's end reads the same value."""
    ends = {(bridge.start, bridge.end) for bridge in bridges}
    sizes = [one for one in bridges if not one.boxes and (one.start, one.end + 1) in ends]
    return [bridge for bridge in bridges if bridge not in sizes], sizes


class _Bender:
    def __init__(
        self, stream: Stream, spine: Sequence[str], bridges: Sequence[_Bridge], sizes: Sequence[_Bridge]
    ) -> None:
        self.stream, self.spine, self.bridges, self.sizes = stream, spine, bridges, sizes
        inner = bridges[-1]
        self.bottom = inner.start + (inner.end - inner.start) // 2  # the last box on the left
        self.heights = [stream.tiles[name].along for name in spine]
        self.widths = [max(tile.across, _BAR * tile.is_bar) for tile in (stream.tiles[name] for name in spine)]
        between = (sum(stream.tiles[name].across + _BESIDE for name in bridge.boxes) + _BESIDE for bridge in bridges)
        self.left, self.between = max(self.widths[: self.bottom + 1]) / 2, max(_ACROSS, *between)
        self.acrosses = dict.fromkeys(range(self.bottom + 1), 0.0)
        self.beside = self._steps()
        self.middles = dict[int, float]()
        self.boxes = dict[str, Bounds]()

    def bent(self) -> Bent:
        self._set_heights()
        for index, middle in self.middles.items():
            half = self.widths[index] / 2
            self.boxes[self.spine[index]] = _around(self.acrosses[index], middle, half, self.heights[index] / 2)
        for bridge in self.bridges:
            self._place(bridge)
        low, high = -self.left, max(place.high for place in self.boxes.values())
        length = max(place.end for place in self.boxes.values())
        return Bent(Patch(length, low, high, self.boxes), dict(self._ways()))

    def _steps(self) -> dict[int, int]:
        """Find the column of each box on the right; give which box stands beside the end of each shortcut, or its end.

        A shortcut's end has the next box beside it where more follow, and the column goes on above that one.
        """
        beside: dict[int, int] = {}
        column = list(range(self.bottom + 1, self.bridges[-1].end + 1))
        across = self.left + self.between + max(self.widths[index] for index in column) / 2
        ends = [*(bridge.end for bridge in reversed(self.bridges)), len(self.spine)]
        for end, after in pairwise(ends):
            self.acrosses.update(dict.fromkeys(column, across))
            following = range(end + 1, min(after + 1, len(self.spine)))
            beside[end] = end + (after - end > 2)
            if beside[end] > end:
                text = self.stream.text(self.spine[end])
                across += max(self.widths[index] for index in column) / 2 + max(_BESIDE, text + 12)
                across += max(self.widths[index] for index in following) / 2
                column = []
            column = [*column, *following]
        self.acrosses.update(dict.fromkeys(column, across))
        return beside

    def _set_heights(self) -> None:
        """Find the middle of each box of the spine along the page: the two ends of a shortcut have the same."""
        first, last = self.bridges[0], self.bridges[-1]
        above = self.beside[first.end]
        row = max(self._need(range(-1, first.start + 1)), self._need(range(len(self.spine), above - 1, -1)))
        self._spread(range(first.start, -1, -1), row)
        self._spread(range(above, len(self.spine)), row)
        self.middles[first.end] = row
        for outer, inner in pairwise(self.bridges):
            left, right = range(outer.start, inner.start + 1), range(outer.end, self.beside[inner.end] - 1, -1)
            start, row = row, row + max(self._need(left), self._need(right))
            self._fill(left, start, row)
            self._fill(right, start, row)
            self.middles[inner.end] = row
        left, right = range(last.start, self.bottom + 1), range(last.end, self.bottom, -1)
        end = row + max(self._need(left), self._need(right) + self._half(right[-1]) + _TURN)
        self._fill(left, row, end)
        self._fill(right, row, end - self._half(right[-1]) - _TURN)

    def _half(self, index: int) -> float:
        return self.heights[index] / 2 if 0 <= index < len(self.spine) else -self._gap(index)

    def _gap(self, index: int) -> float:
        """Return the space between a box and the next, with that of the text between."""
        if not 0 <= index < len(self.spine):
            return _GAP
        return _GAP + self.stream.label(self.spine[index])

    def _need(self, indices: Sequence[int]) -> float:
        """Return the least distance between the middles of the first and the last of several boxes."""
        return sum(self._half(one) + self._gap(min(one, other)) + self._half(other) for one, other in pairwise(indices))

    def _spread(self, indices: Sequence[int], middle: float) -> None:
        """Put boxes above each other, the first at a place."""
        self.middles[indices[0]] = middle
        for one, other in pairwise(indices):
            middle -= self._half(one) + self._gap(min(one, other)) + self._half(other)
            self.middles[other] = middle

    def _fill(self, indices: Sequence[int], start: float, end: float) -> None:
        """Put boxes below each other from one middle to another, what is left over between all of them."""
        more = (end - start - self._need(indices)) / max(len(indices) - 1, 1)
        middle = start
        self.middles[indices[0]] = middle
        for one, other in pairwise(indices):
            middle += self._half(one) + self._gap(min(one, other)) + self._half(other) + more
            self.middles[other] = middle

    def _place(self, bridge: _Bridge) -> None:
        """Put the boxes of a shortcut between the columns."""
        tiles = [self.stream.tiles[name] for name in bridge.boxes]
        between = self.acrosses[bridge.end] - self.widths[bridge.end] / 2 - self.left
        space = (between - sum(tile.across for tile in tiles)) / (len(tiles) + 1)
        across = self.left
        for tile in tiles:
            across += space + tile.across / 2
            self.boxes[tile.name] = _around(across, self.middles[bridge.start], tile.across / 2, tile.along / 2)
            across += tile.across / 2

    def _ways(self) -> Iterable[tuple[int, list[Corner]]]:
        of = {(link.source, link.target): index for index, link in self.stream.links.items()}
        for index, (one, other) in enumerate(pairwise(self.spine)):
            source, target, middle = self.boxes[one], self.boxes[other], self.middles[index]
            if self.beside.get(index, index) > index:
                corners = [(source.high, middle), (target.low, middle)]
            elif index < self.bottom:
                corners = [(0.0, source.end), (0.0, target.start)]
            elif index > self.bottom:
                corners = [(target.middle, source.start), (target.middle, target.end)]
            else:
                corners = [(source.high, middle), (target.middle, middle), (target.middle, target.end)]
            yield of[one, other], corners
        for bridge in self.bridges:
            middle = self.middles[bridge.start]
            names = (self.spine[bridge.start], *bridge.boxes, self.spine[bridge.end])
            for link, (one, other) in zip(bridge.links, pairwise(names), strict=True):
                yield link, [(self.boxes[one].high, middle), (self.boxes[other].low, middle)]
        for bridge in self.sizes:
            source, target = self.boxes[self.spine[bridge.start]], self.boxes[self.spine[bridge.end]]
            before, middle = target.low - _INTO, self.middles[bridge.start]
            below = self.middles[bridge.end]
            yield bridge.links[0], [(source.high, middle), (before, middle), (before, below), (target.low, below)]


def _around(across: float, along: float, half_across: float, half_along: float) -> Bounds:
    return Bounds(across - half_across, along - half_along, across + half_across, along + half_along)
