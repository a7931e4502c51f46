"""From a picture to a scene: everything about how it looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archdsl.backends.picture import measure
from archdsl.backends.picture.layout import Arrangement, Point, Route, arrange
from archdsl.backends.picture.layout.arrangement import Rect
from archdsl.backends.picture.layout.page import LABEL, TITLE
from archdsl.backends.picture.legend import Legend, draw_legend
from archdsl.backends.picture.measure import COSTS, Content, CostName, part_of, text_width
from archdsl.backends.picture.picture import Box, Edge, Picture
from archdsl.backends.picture.scene import (
    Curve,
    Disc,
    Pen,
    Primitive,
    Rectangle,
    Scene,
    Text,
    curved,
    lock,
    moved,
    rounded,
    with_head,
)
from archdsl.backends.theme import Theme

_WIDEST = 3.5
"""Up to this ratio of width to height a flow to the right may stay so."""
_MARGIN = 14.0
_HEADER = 34.0
_HEADLINE, _SUBTITLE = 14.0, 10.5
_ROUND = 3.0
_TRACK_HEIGHT = 4.0


def paint(picture: Picture, theme: Theme, cost: CostName | None = None) -> Scene:
    """Lay a picture out and draw it. With `cost`, boxes are coloured by their part of that cost, not by kind."""
    contents = {box.id: measure.measure(box, picture, cost) for box in picture.boxes}
    plan = arrange(picture, contents, picture.direction)
    if plan.is_right and plan.width > _WIDEST * plan.height:
        plan = arrange(picture, contents, "down")
    return draw(picture, contents, plan, theme, cost)


def draw(
    picture: Picture, contents: Mapping[str, Content], plan: Arrangement, theme: Theme, cost: CostName | None = None
) -> Scene:
    """Draw a picture as its plan says. Requires: a plan made for these very contents."""
    return _Painter(picture, contents, plan, theme, cost).scene()


class _Painter:
    def __init__(
        self, picture: Picture, contents: Mapping[str, Content], plan: Arrangement, theme: Theme, cost: CostName | None
    ) -> None:
        self.picture, self.contents, self.plan, self.theme = picture, contents, plan, theme
        self.cost: CostName | None = cost
        parts = [part_of(box, picture, cost) for box in picture.boxes] if cost else []
        self.highest = max(parts, default=0.0) or 1.0

    def scene(self) -> Scene:
        headline = text_width(self.picture.title, _HEADLINE, is_bold=True) + 10
        header = headline + text_width(self.picture.subtitle, _SUBTITLE)
        width = max(self.plan.width, header, 150.0)
        legend = self._legend(width)
        left, top = _MARGIN + (max(width, legend.width) - self.plan.width) / 2, _MARGIN + _HEADER
        width = max(width, legend.width)
        bottom = top + self.plan.height + 18
        primitives = [
            *self._frames(),
            *self._links(),
            *(primitive for edge, route in self._edges() for primitive in self._edge(edge, route)),
            *self._arguments(),
            *(primitive for box in self.picture.boxes for primitive in self._box(box)),
        ]
        placed = [moved(primitive, left, top) for primitive in primitives]
        at = Point(_MARGIN, _MARGIN + _HEADLINE)
        title = Text(at, self.picture.title, _HEADLINE, self.theme.ink, is_bold=True)
        beside = Point(at.x + headline, at.y)
        subtitle = Text(beside, self.picture.subtitle, _SUBTITLE, self.theme.muted)
        entries = [moved(primitive, _MARGIN, bottom) for primitive in legend.primitives]
        height = bottom + legend.height + _MARGIN
        return Scene(
            width + 2 * _MARGIN,
            height,
            self.theme.background,
            self.picture.title,
            f"{self.picture.subtitle}; {len(self.picture.boxes)} boxes",
            (*placed, title, subtitle, *entries),
        )

    def _legend(self, width: float) -> Legend:
        return draw_legend(self.picture, self.theme, width, self.cost, self.highest, self._share_names())

    def _share_names(self) -> tuple[tuple[int, str], ...]:
        kinds = {share.kind for content in self.contents.values() for share in content.shares}
        names = list(COSTS.values()) if self.cost is None else [COSTS[self.cost]]
        return tuple((kind, names[kind]) for kind in sorted(kinds))

    def _frames(self) -> Iterator[Primitive]:
        groups = {group.id: group for group in self.picture.groups}
        for name, rect in self.plan.frames:
            group = groups[name]
            is_detail = group.is_detail
            line = Pen(self.theme.edge, 1.0) if is_detail else Pen(self.theme.frame_line, 1.0)
            fill = self.theme.background if is_detail else self.theme.frame
            yield Rectangle(rect, fill, line, 6.0 if is_detail else 5.0)
            colour = self.theme.ink if is_detail else self.theme.muted
            at = Point(rect.left + 8, rect.top + TITLE + 3.5)
            if group.title:
                yield Text(at, group.title, TITLE, colour, is_bold=True)

    def _edges(self) -> Iterator[tuple[Edge, Route]]:
        """Yield the edges, shortcuts last, so that they lie above the lines that they leave."""
        pairs = list(zip(self.picture.edges, self.plan.routes, strict=True))
        yield from (pair for pair in pairs if not pair[0].is_shortcut)
        yield from (pair for pair in pairs if pair[0].is_shortcut)

    def _links(self) -> Iterator[Primitive]:
        pen = Pen(self.theme.edge, 1.0)
        yield from (rounded(link.points, pen) for link in self.plan.links)

    def _edge(self, edge: Edge, route: Route) -> Iterator[Primitive]:
        pen = Pen(self.theme.shortcut, 1.5) if edge.is_shortcut else Pen(self.theme.edge, 1.0)
        is_right = self.plan.is_right
        path = curved(route.points, pen, is_right=is_right) if route.is_soft else rounded(route.points, pen)
        yield from with_head(path)
        if edge.label:
            start, then = route.points[:2]
            is_down = not self.plan.is_right and then.y > start.y
            is_up = not self.plan.is_right and then.y < start.y
            at = Point(start.x + (5 if is_down or is_up else 3), start.y + (LABEL + 2 if is_down else -4))
            yield Text(at, edge.label, LABEL, self.theme.muted)

    def _arguments(self) -> Iterator[Primitive]:
        """Write what boxes call the values that they take where these arrive, in one text those of one place."""
        found: dict[tuple[Point, bool], list[str]] = {}
        for edge, route in zip(self.picture.edges, self.plan.routes, strict=True):
            if edge.argument:
                *_, before, end = route.points
                is_level = self.plan.is_right or before.y == end.y
                found.setdefault((end, is_level), []).append(edge.argument)
        for (end, is_level), names in found.items():
            text = ", ".join(dict.fromkeys(names))
            at = Point(end.x - (text_width(text, LABEL) + 8 if is_level else -5), end.y - (4 if is_level else 8))
            yield Text(at, text, LABEL, self.theme.muted)

    def _box(self, box: Box) -> Iterator[Primitive]:
        rect, theme = self.plan.boxes[box.id], self.theme
        if box.is_circle:
            yield from _circle(box.lines[0], rect, theme)
        elif box.is_bar:
            yield Rectangle(rect, theme.edge, Pen("", 0), 2.0, note=box.lines[0])
            yield self._bar_text(box.lines[0], rect)
        else:
            fill = self._fill(box)
            if box.kind not in ("input", "output"):
                pen = Pen(theme.lines[box.kind], theme.widths.get(box.kind, 1.0), theme.dashes.get(box.kind, ""))
                is_round = box.kind in ("activation", "norm", "regularise")
                yield Rectangle(rect, fill, pen, min(rect.height / 2, 9.0) if is_round else _ROUND, self._note(box))
            yield from self._content(self.contents[box.id], rect, fill, is_grey=box.is_frozen)
            if box.is_frozen:
                ink = theme.muted if self.cost is None else theme.ink_on(fill)
                yield from lock(Point(rect.right - measure.LOCK - 4, rect.top + 4), ink)

    def _fill(self, box: Box) -> str:
        if self.cost is None or box.costs is None:
            fill = self.theme.frozen if box.is_frozen else self.theme.fills[box.kind]
            return fill if self.cost is None else self.theme.background
        return self.theme.heat(part_of(box, self.picture, self.cost) / self.highest)

    def _note(self, box: Box) -> str:
        paths = ", ".join(box.paths[:3]) + (" …" if len(box.paths) > 3 else "")
        costs = measure.costs_text(box.costs) if box.costs else ""
        return "\n".join(text for text in (paths, costs, "frozen" if box.is_frozen else "") if text)

    def _bar_text(self, text: str, rect: Rect) -> Text:
        centre, size, colour = rect.centre, measure.SMALL, self.theme.background
        is_turned = rect.height > rect.width
        base = size * 0.35
        at = Point(centre.x + base, centre.y) if is_turned else Point(centre.x, centre.y + base)
        return Text(at, text, size, colour, is_bold=True, anchor="middle", is_turned=is_turned)

    def _content(self, content: Content, rect: Rect, fill: str, *, is_grey: bool) -> Iterator[Primitive]:
        """Write the lines of a box, and below them its shares as bars."""
        theme = self.theme
        is_heat = self.cost is not None
        ink = theme.ink_on(fill) if is_heat else theme.ink
        y = rect.top + (rect.height - content.height) / 2 + (content.height - _text_height(content)) / 2
        for line in content.lines:
            y += line.size * measure.LINE
            colour = ink if is_heat or not line.is_muted else theme.muted
            at = Point(rect.centre.x, y - line.size * 0.28)
            yield Text(at, line.text, line.size, colour, line.is_bold, "middle")
        y += 1.5 if content.shares else 0
        widest = max((text_width(share.text, measure.SHARE) for share in content.shares), default=0.0)
        left = rect.centre.x - (measure.TRACK + 4 + widest) / 2
        for share in content.shares:
            y += measure.SHARE * measure.LINE
            top = y - measure.SHARE * 0.28 - measure.SHARE * 0.36 - _TRACK_HEIGHT / 2
            track = Rect(left, top, left + measure.TRACK, top + _TRACK_HEIGHT)
            track_fill, bar_fill = (theme.background, ink) if is_heat else (theme.track, theme.bars[share.kind])
            track_fill = theme.background if is_grey else track_fill
            none = Pen("", 0)
            yield Rectangle(track, track_fill if not is_heat else "", Pen(ink, 0.5) if is_heat else none)
            length = max(1.0, measure.TRACK * min(share.part, 1.0))
            yield Rectangle(track._replace(right=left + length), bar_fill, none)
            at = Point(left + measure.TRACK + 4, y - measure.SHARE * 0.28)
            yield Text(at, share.text, measure.SHARE, ink)


def _text_height(content: Content) -> float:
    lines = sum(line.size * measure.LINE for line in content.lines)
    return lines + len(content.shares) * measure.SHARE * measure.LINE + (1.5 if content.shares else 0)


def _circle(symbol: str, rect: Rect, theme: Theme) -> Iterator[Primitive]:
    """Draw a join as a circle with its sign, which is drawn too: fonts set signs at different heights."""
    x, y = rect.centre
    pen = Pen(theme.edge, 1.2)
    yield Disc(rect.centre, rect.width / 2, theme.background, pen)
    arm = rect.width * 0.24
    slant = arm * 0.8
    strokes = {
        "+": [((-arm, 0), (arm, 0)), ((0, -arm), (0, arm))],
        "×": [((-slant, -slant), (slant, slant)), ((-slant, slant), (slant, -slant))],
        "−": [((-arm, 0), (arm, 0))],
    }.get(symbol)
    if strokes is None:
        yield Text(Point(x, y + 4), symbol, 11, theme.ink, is_bold=True, anchor="middle")
        return
    for (x0, y0), (x1, y1) in strokes:
        yield Curve(Point(x + x0, y + y0), ((Point(x + x1, y + y1),),), Pen(theme.edge, 1.6))
