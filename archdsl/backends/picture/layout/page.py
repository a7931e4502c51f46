"""Fill a page: fold a long flow into columns, set the insides of blocks beside it, and find the ways of edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import Literal

from archdsl.backends.picture.layout.arrangement import Arrangement, Border, Point, Rect, Route
from archdsl.backends.picture.layout.bend import Bent, bend
from archdsl.backends.picture.layout.chain import FRAME, GAP, Atom, Chain, Weaver, common, frame
from archdsl.backends.picture.layout.patch import Bounds, Leg, Patch, Tile, Title
from archdsl.backends.picture.layout.stream import Link, Stream
from archdsl.backends.picture.layout.ways import way
from archdsl.backends.picture.measure import Content, text_width
from archdsl.backends.picture.picture import Box, BoxGroup, Edge, Picture

LABEL = 9.0
"""The size of the text at an edge."""
TITLE = 10.0
"""The size of a frame's title."""
_BETWEEN = 34.0
"""Between the columns of a flow."""
_PANEL = 18.0
"""Between panels, and between them and the flow."""
_TURN = 10.0
"""How far the line from one column to the next goes past the column's ends."""
_SHAPE, _STRIP = 1.4, 2.2
"""What width over height is aimed at, and where the flow goes to the right."""
_BREAK = 0.12
"""What a further column costs, in the logarithm of that shape."""
_WASTE = 1.5
"""What columns cost that are shorter than the longest, likewise."""
_EMPTY = 0.8
"""What the part of the page costs where there is nothing, likewise."""
_STRETCHES = (1.0, 1.15, 1.35)
"""How long columns of panels may be, for a main flow of 1."""
_COUNTS = (*range(1, 13), 14, 17, 20, 24, 29, 35, 42, 50, 60)
"""The numbers of columns that are tried."""

Direction = Literal["right", "down"]


@dataclass(slots=True)
class _Column:
    """A part of the main flow, which begins at `across`, and reaches from `low`; `last` is its last station."""

    patch: Patch
    across: float
    low: float
    last: str


@dataclass(slots=True)
class _Layout:
    """Everything on the page, still in the directions of the flow."""

    whole: Patch
    columns: list[_Column]
    filled: float
    """The area that columns and panels take."""


def arrange(picture: Picture, contents: Mapping[str, Content], direction: Direction | None = None) -> Arrangement:
    """Find a place for everything. Without a direction, the one that fills a page better is taken."""
    if direction is not None:
        return _Page(picture, contents, direction).plan()
    plans = [_Page(picture, contents, each).plan() for each in ("right", "down")]
    return min(plans, key=lambda plan: abs(log(plan.width / plan.height / _SHAPE)))


class _Page:
    def __init__(self, picture: Picture, contents: Mapping[str, Content], direction: Direction) -> None:
        self.picture, self.is_right = picture, direction == "right"
        self.parents = {group.id: group.parent for group in picture.groups}
        details = {group.id for group in picture.groups if group.is_detail}
        self.titles = {group.id: self._title(group) for group in picture.groups}
        self.tiles: dict[str, Tile] = {}
        self.panels: dict[str, list[str]] = {}
        self.turn = 0.0
        self.bent: Bent | None = None
        for box in picture.boxes:
            groups = self._groups(box.group)
            self.tiles[box.id] = self._tile(box, contents[box.id], groups)
            panel = next((group for group in groups if group in details), "")
            self.panels.setdefault(panel, []).append(box.id)

    def plan(self) -> Arrangement:
        streams = {panel: self._stream(names) for panel, names in self.panels.items()}
        main = streams.pop("")
        weaver = Weaver(main, self.titles)
        chain = weaver.cut(list(main.tiles))
        self.bent = None if self.is_right else bend(main)
        panels = [self._panel(panel, stream) for panel, stream in streams.items()]
        counts = [count for count in _COUNTS if count <= len(chain.atoms) and (count == 1 or self.bent is None)]
        stretches = _STRETCHES if panels else _STRETCHES[:1]
        layouts = (self._layout(weaver, chain, panels, count, stretch) for count in counts for stretch in stretches)
        best = min(layouts, key=self._badness)
        return self._turned(best)

    def _panel(self, panel: str, stream: Stream) -> Patch:
        weaver = Weaver(stream, self.titles)
        return frame(weaver.stack(weaver.cut(list(stream.tiles), 1)), panel, self.titles[panel])

    def _groups(self, group: str | None) -> tuple[str, ...]:
        found: list[str] = []
        while group is not None:
            found.append(group)
            group = self.parents[group]
        return tuple(reversed(found))

    def _tile(self, box: Box, content: Content, groups: tuple[str, ...]) -> Tile:
        along, across = content.height, content.width
        if self.is_right and not box.is_bar:
            along, across = across, along
        return Tile(box.id, along, across, groups, box.is_bar)

    def _title(self, group: BoxGroup) -> Title:
        width = text_width(group.title, TITLE, is_bold=True)
        height = TITLE + 8 if group.title else FRAME
        if self.is_right:
            return Title(FRAME, height - FRAME, width, 0, not group.is_detail)
        return Title(height, 0, 0, width, not group.is_detail)

    def _stream(self, names: Sequence[str]) -> Stream:
        inside = set(names)
        links = {i: self._link(edge) for i, edge in enumerate(self.picture.edges) if edge.source in inside}
        outputs = [box.id for box in self.picture.boxes if box.kind == "output" and box.id in inside]
        tiles = [self.tiles[name] for name in names]
        return Stream(tiles, links, outputs[0] if outputs else names[-1])

    def _link(self, edge: Edge) -> Link:
        text = text_width(edge.label, LABEL)
        along, across = (text, LABEL) if self.is_right else (LABEL, text)
        along, across = (along - 2, across) if edge.label else (0.0, 0.0)
        if self.is_right and edge.argument:  # which stands before the target
            along += text_width(edge.argument, LABEL)
        return Link(edge.source, edge.target, along, across)

    def _layout(self, weaver: Weaver, chain: Chain, panels: Sequence[Patch], count: int, stretch: float) -> _Layout:
        """Lay the main flow out in columns, and panels beside it in columns up to `stretch` times as long."""
        whole = Patch()
        columns: list[_Column] = []
        reach = 0.0
        for atoms in _split(chain.atoms, count):
            names = {name for atom in atoms for name in atom.patch.boxes}
            part = Chain(0, atoms, [aside for aside in chain.asides if aside.host in names])
            content, patch = weaver.stack(part) if self.bent is None else self.bent.patch, Patch()
            patch.put(content, 0, GAP if columns else 0)
            across = reach + (_BETWEEN if columns else 0) - patch.low
            whole.put(patch, across, 0)
            columns.append(_Column(patch, across, across + patch.low, atoms[-1].station))
            reach = across + patch.high
        areas = [(column.patch.high - column.patch.low) * column.patch.length for column in columns]
        areas += [(panel.high - panel.low) * panel.length for panel in panels]
        along, width = 0.0, 0.0
        length = max([whole.length * stretch, *(panel.length for panel in panels)])
        total = sum(panel.length + _PANEL for panel in panels) - _PANEL
        if self.bent is not None and panels and total <= length:  # below the steps of the way up there is room
            along = max(0.0, whole.length - total)
            reach = whole.beyond(along - _PANEL, whole.length)
        reach += _PANEL
        for panel in panels:
            if along and along + panel.length > length:
                reach, along, width = reach + width + _PANEL, 0.0, 0.0
            whole.put(panel, reach - panel.low, along)
            along += panel.length + _PANEL
            width = max(width, panel.high - panel.low)
        return _Layout(whole, columns, sum(areas))

    def _badness(self, layout: _Layout) -> float:
        """Say how far a page is from a pleasant one: its shape, how often the eye goes back to the start, and waste."""
        width, height = self._size(layout.whole)
        shape = abs(log(max(width, 1) / max(height, 1) / (_STRIP if self.is_right else _SHAPE)))
        lengths = [column.patch.length for column in layout.columns]
        waste = 1 - sum(lengths) / len(lengths) / max(lengths)
        return shape + _BREAK * len(lengths) + _WASTE * waste + _EMPTY * (1 - layout.filled / max(width * height, 1))

    def _size(self, whole: Patch) -> tuple[float, float]:
        along, across = whole.length, whole.high - whole.low
        return (along, across) if self.is_right else (across, along)

    def _turned(self, layout: _Layout) -> Arrangement:
        """Turn the layout as the flow goes on the page, and give every edge its way."""
        whole, columns = layout.whole, layout.columns
        self.turn = _TURN if len(columns) > 1 else 0.0
        column_of = {name: index for index, column in enumerate(columns) for name in column.patch.boxes}
        circles = {box.id for box in self.picture.boxes if box.is_circle}
        legs: dict[int, list[Leg]] = {}
        for leg in whole.legs:
            legs.setdefault(leg.edge, []).append(leg)
        routes: list[Route] = []
        for index, edge in enumerate(self.picture.edges):
            source, target = whole.boxes[edge.source], whole.boxes[edge.target]
            column = column_of.get(edge.target, 0)
            if column != column_of.get(edge.source, 0):
                source = Bounds(columns[column].across, 0, columns[column].across, 0)
            own = sorted(legs.get(index, ()), key=lambda leg: leg.start)
            if self.bent is not None and index in self.bent.ways:
                points = [(columns[0].across + across, along) for across, along in self.bent.ways[index]]
            else:
                # Branches into a frame part within it: its title stands where the others would enter.
                line = columns[column].across if self._enters(edge) else None
                points = way(source, target, own, is_circle=edge.target in circles, line=line)
            is_soft = any(leg.kind == "soft" for leg in own)
            routes.append(Route(edge.source, edge.target, self._points(points, whole), is_soft))
        boxes = {name: self._rect(whole.boxes[name], whole) for name in self.tiles}
        frames = tuple(Border(group, self._rect(place, whole)) for group, place in whole.frames)
        width, height = self._size(whole)
        width, height = (width + 2 * self.turn, height) if self.is_right else (width, height + 2 * self.turn)
        return Arrangement(width, height, boxes, frames, tuple(routes), tuple(self._links(layout)), self.is_right)

    def _enters(self, edge: Edge) -> bool:
        """Return whether an edge enters a frame."""
        groups = self.tiles[edge.target].groups
        return self.tiles[edge.source].groups[: len(groups)] != groups

    def _links(self, layout: _Layout) -> list[Route]:
        """Lead the flow on from the end of each column to the start of the next."""
        found: list[Route] = []
        for before, after in pairwise(layout.columns):
            place = layout.whole.boxes[before.last]
            end, gutter = max(before.patch.length, place.end) + _TURN, after.low - _BETWEEN / 2
            corners = [(place.middle, place.end), (place.middle, end), (gutter, end), (gutter, -_TURN)]
            corners += [(after.across, -_TURN), (after.across, 0.0)]
            found.append(Route("", "", self._points(corners, layout.whole)))
        return found

    def _points(self, corners: Sequence[tuple[float, float]], whole: Patch) -> tuple[Point, ...]:
        places = ((across - whole.low, along + self.turn) for across, along in corners)
        return tuple(Point(along, across) if self.is_right else Point(across, along) for across, along in places)

    def _rect(self, place: Bounds, whole: Patch) -> Rect:
        low, high = self._points([(place.low, place.start), (place.high, place.end)], whole)
        return Rect(low.x, low.y, high.x, high.y)


def _split(atoms: Sequence[Atom], count: int) -> list[list[Atom]]:
    """Split a flow into columns of about the same length, best where frames end."""
    ends: list[float] = []
    total = 0.0
    for atom in atoms:
        total += atom.patch.length + GAP
        ends.append(total)
    cap = total / count
    found: list[list[Atom]] = []
    start = 0
    for column in range(1, count):
        options = [i for i in range(start + 1, len(atoms)) if atoms[i - 1].station]
        if not options:
            break

        def cost(index: int, goal: float = column * cap) -> float:
            before, after = atoms[index - 1].groups, atoms[index].groups
            split = len(common([before, after]))  # how many frames would go on in the next column
            return abs(ends[index - 1] - goal) + cap * (0.2 * split + 0.05 * (not atoms[index].station))

        best = min(options, key=cost)
        found.append(list(atoms[start:best]))
        start = best
    return [*found, list(atoms[start:])]
