"""The difference of two networks as a picture: both side by side, with signs and colours for what differs.

What is the same is one pale line, however long. Signs and line styles say the same as the colours, so that the picture
reads in black and white.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from archdsl.backends.difference.text import names as names_of
from archdsl.backends.difference.text import weights
from archdsl.backends.difference.words import (
    MEANING,
    SIGNS,
    change_text,
    costs,
    figure_text,
    label,
    operator,
    ratio_text,
    setting,
)
from archdsl.backends.picture.drawing import ThemeName
from archdsl.backends.picture.layout.arrangement import Point, Rect
from archdsl.backends.picture.measure import text_width
from archdsl.backends.picture.scene import Disc, Pen, Primitive, Rectangle, Scene, Text
from archdsl.backends.summary import fold
from archdsl.backends.theme import THEMES, Theme, mix
from archdsl.passes.difference import Difference, Element, SettingChange
from archdsl.passes.difference.outline import OutlineEntry

_MARGIN, _COLUMN, _GUTTER = 18.0, 330.0, 44.0
_INDENT, _GAP = 10.0, 5.0
_NAME, _BODY, _SMALL = 11.0, 10.5, 9.5
_ROW, _LINE, _PALE = 22.0, 13.0, 17.0
_MOST_ROWS = 400
_WIDTH = 2 * _MARGIN + 2 * _COLUMN + _GUTTER
_LEFT, _RIGHT = _MARGIN, _MARGIN + _COLUMN + _GUTTER


@dataclass(frozen=True, slots=True)
class _Look:
    fill: str
    pen: Pen


def paint_difference(difference: Difference, entries: Sequence[OutlineEntry], theme: Theme) -> Scene:
    """Draw two networks side by side."""
    painter = _Painter(difference, theme)
    primitives = tuple(painter.primitives(entries))
    title = names_of(difference)
    told = "; ".join(f"{sign} {meaning}" for sign, meaning in MEANING.items())
    return Scene(_WIDTH, painter.height, theme.background, title, f"Two networks side by side: {told}", primitives)


def draw(
    difference: Difference, entries: Sequence[OutlineEntry], theme: ThemeName, format: Literal["svg", "png", "pdf"]
) -> bytes:
    """Draw two networks side by side in a format."""
    scene = paint_difference(difference, entries, THEMES[theme])
    match format:
        case "svg":
            from archdsl.backends.picture.svg import write_svg

            return write_svg(scene).encode()
        case "png":
            from archdsl.backends.picture.png import write_png

            return write_png(scene)
        case "pdf":
            from archdsl.backends.picture.pdf import write_pdf

            return write_pdf(scene)


class _Painter:
    def __init__(self, difference: Difference, theme: Theme) -> None:
        self._difference, self._theme = difference, theme
        self._rows = 0
        self._hidden = 0
        self.height = 0.0
        solid = {"+": theme.lines["activation"], "−": theme.shortcut, "~": theme.bars[1], ">": theme.lines["block"]}
        dashes = {"+": "", "−": "5 3", "~": "", ">": "1.5 2.5"}
        widths = {"+": 2.0, "−": 1.4, "~": 1.2, ">": 1.6}
        self._looks = {
            sign: _Look(mix((theme.background, colour), 0.14), Pen(colour, widths[sign], dashes[sign]))
            for sign, colour in solid.items()
        }

    def primitives(self, entries: Sequence[OutlineEntry]) -> Iterator[Primitive]:
        yield from self._head()
        y = 68.0
        for primitives, bottom in self._level(entries, y, 0):
            yield from primitives
            y = bottom
        if self._hidden:
            yield self._text(_LEFT, y + 14, f"… and {self._hidden} more", is_muted=True)
            y += 22
        yield from self._totals(y + 16)

    def _head(self) -> Iterator[Primitive]:
        theme = self._theme
        difference = self._difference
        for x, side in ((_LEFT, difference.before), (_RIGHT, difference.after)):
            text = _cut(side.title, _COLUMN, 13.0, is_bold=True)
            yield Text(Point(x, 24), text, 13.0, theme.ink, is_bold=True)
        x = _LEFT
        for sign, meaning in MEANING.items():
            yield from self._sign(sign, Point(x + 7, 44))
            yield Text(Point(x + 19, 47.5), meaning, _SMALL, theme.muted)
            x += 19 + text_width(meaning, _SMALL) + 16
        yield Text(Point(x, 47.5), "pale: the same in both", _SMALL, theme.muted)

    def _level(self, entries: Sequence[OutlineEntry], y: float, depth: int) -> Iterator[tuple[list[Primitive], float]]:
        for is_same, run in groupby(entries, key=lambda entry: entry.is_same):
            members = list(run)
            if is_same:
                primitives, y = self._same(members, y, depth)
                yield primitives, y
                continue
            for entry in members:
                if self._rows >= _MOST_ROWS:
                    self._hidden += 1
                    continue
                self._rows += 1
                primitives, y = self._opened(entry, y, depth) if entry.inside else self._row(entry, y, depth)
                yield primitives, y

    def _opened(self, entry: OutlineEntry, top: float, depth: int) -> tuple[list[Primitive], float]:
        """Frame what is inside a body on both sides, under its name."""
        level = list(self._level(entry.inside, top + _ROW, depth + 1))
        inner = [primitive for primitives, _ in level for primitive in primitives]
        bottom = (level[-1][1] if level else top + _ROW) + 3
        frame: list[Primitive] = []
        pen = Pen(self._theme.frame_line, 1.0)
        for x, step, names in self._both(entry):
            if step is not None:
                rect = Rect(x + depth * _INDENT, top, x + _COLUMN - depth * _INDENT, bottom)
                frame.append(Rectangle(rect, self._theme.frame if depth % 2 == 0 else self._theme.background, pen, 4.0))
                frame += self._line(step, names, rect, top + 15, is_body=True)
        frame += self._signs(entry, top + _ROW / 2)
        return frame + inner, bottom + _GAP

    def _both(self, entry: OutlineEntry) -> tuple[tuple[float, Element | None, tuple[str, ...]], ...]:
        return (_LEFT, entry.before, entry.names[0]), (_RIGHT, entry.after, entry.names[1])

    def _row(self, entry: OutlineEntry, y: float, depth: int) -> tuple[list[Primitive], float]:
        """Draw a step that differs, or a block that differs as an earlier one does."""
        notes = [setting(SettingChange(name, ((before, after),))) for name, before, after in entry.settings]
        note = ", ".join(notes) if notes else f"differs as {entry.alike} does" if entry.alike else ""
        height = _ROW + (_LINE if note else 0)
        sign = SIGNS[entry.kinds[0]] if entry.kinds else "~"
        look = self._looks[sign]
        if entry.alike and not entry.kinds:
            look = _Look(self._theme.frame, Pen(self._theme.frame_line, 1.0))
        primitives: list[Primitive] = []
        for x, step, names in self._both(entry):
            if step is None:
                continue
            rect = Rect(x + depth * _INDENT, y, x + _COLUMN - depth * _INDENT, y + height)
            primitives.append(Rectangle(rect, look.fill, look.pen, 3.0))
            primitives += self._line(step, names, rect, y + 15, is_body=step.node.body is not None)
            if note and (x == _RIGHT or entry.after is None):
                room = rect.right - rect.left - 16
                primitives.append(
                    Text(Point(rect.left + 8, y + 15 + _LINE), _cut(note, room, _SMALL), _SMALL, self._theme.muted)
                )
        primitives += self._signs(entry, y + height / 2)
        primitives += self._costs(entry, y + 15, depth)
        return primitives, y + height + _GAP

    def _line(self, step: Element, names: Sequence[str], rect: Rect, y: float, *, is_body: bool) -> Iterator[Primitive]:
        """Write a step's name and what it is."""
        room = rect.right - rect.left - 16
        name = fold(names) if step.node.is_labelled or is_body else ""
        text = operator(step)
        if is_body and step.op == step.node.names[0]:
            text = ""
        text += f" ×{len(names)}" if len(names) > 1 else ""
        x = rect.left + 8
        if name:
            shown = _cut(name, room, _NAME, is_bold=True)
            yield Text(Point(x, y), shown, _NAME, self._theme.ink, is_bold=True)
            width = text_width(shown, _NAME, is_bold=True) + 7
            x, room = x + width, room - width
        if text and room > 20:
            yield Text(Point(x, y), _cut(text, room, _BODY), _BODY, self._theme.ink)

    def _signs(self, entry: OutlineEntry, y: float) -> Iterator[Primitive]:
        signs = dict.fromkeys(SIGNS[kind] for kind in entry.kinds)
        if not signs and entry.alike:
            signs = {"~": None}
        middle = _LEFT + _COLUMN + _GUTTER / 2
        start = middle - 9 * (len(signs) - 1)
        for index, sign in enumerate(signs):
            yield from self._sign(sign, Point(start + 18 * index, y))

    def _sign(self, sign: str, at: Point) -> Iterator[Primitive]:
        colour = self._looks[sign].pen.colour
        yield Disc(at, 7.5, self._theme.background, Pen(colour, 1.4))
        yield Text(Point(at.x, at.y + 4.2), sign, 12.0, colour, is_bold=True, anchor="middle")

    def _costs(self, entry: OutlineEntry, y: float, depth: int) -> Iterator[Primitive]:
        """Write what a step's own parameters change by, where there is room on the side that lacks the step."""
        count = max(map(len, entry.names))
        before, after = entry.before, entry.after
        if before is not None and after is not None:
            return
        sign = 1 if after is not None else -1
        step = after or before
        assert step is not None
        text = costs(sign * count * step.parameters, sign * count * step.macs)
        x = _LEFT if before is None else _RIGHT
        if text:
            yield Text(Point(x + depth * _INDENT + 8, y), text, _SMALL, self._theme.muted)

    def _same(self, entries: Sequence[OutlineEntry], y: float, depth: int) -> tuple[list[Primitive], float]:
        """Write a run of steps that are the same as one pale line on each side."""
        self._rows += 1
        primitives: list[Primitive] = []
        for number, x in enumerate((_LEFT, _RIGHT)):
            words: list[str] = []
            for entry in entries:
                step = (entry.before, entry.after)[number]
                if step is not None:
                    is_named = step.node.is_labelled or step.node.body is not None
                    words.append(fold(entry.names[number]) if is_named else operator(step))
            left = x + depth * _INDENT
            room = _COLUMN - 2 * depth * _INDENT - 16
            text = _cut(_listed(words), room, _SMALL)
            primitives.append(Text(Point(left + 8, y + 12), text, _SMALL, self._theme.muted))
        return primitives, y + _PALE + 1

    def _totals(self, y: float) -> Iterator[Primitive]:
        """Write the totals that differ, and how many weights can be kept."""
        theme = self._theme
        columns = (_LEFT, _LEFT + 240, _LEFT + 360, _LEFT + 480, _LEFT + 560)
        line = Rect(_LEFT, y - 6, _WIDTH - _MARGIN, y - 5.2)
        yield Rectangle(line, theme.frame_line, Pen("", 0.0))
        y += 12
        for figure in self._difference.totals:
            cells = (
                figure_text(figure, figure.before),
                figure_text(figure, figure.after),
                change_text(figure),
                ratio_text(figure),
            )
            yield Text(Point(_LEFT, y), label(figure), _BODY, theme.ink)
            for x, text in zip(columns[1:], cells, strict=True):
                yield Text(Point(x, y), text, _BODY, theme.ink, anchor="end")
            y += 15
        y += 6
        for part in _lines(weights(self._difference.weights).split("; "), _WIDTH - 2 * _MARGIN):
            yield Text(Point(_LEFT, y), part, _SMALL, theme.muted)
            y += _LINE
        self.height = y - _LINE + _MARGIN

    def _text(self, x: float, y: float, text: str, *, is_muted: bool = False) -> Text:
        return Text(Point(x, y), text, _SMALL, self._theme.muted if is_muted else self._theme.ink)


def _listed(words: Sequence[str]) -> str:
    """List steps; of very many only the first and the last."""
    if len(words) <= 6:
        return ", ".join(words)
    return f"{', '.join(words[:3])}, … {len(words) - 5} steps …, {', '.join(words[-2:])}"


def _lines(parts: Sequence[str], room: float) -> Iterator[str]:
    """Put as many parts on a line as fit."""
    line = parts[0]
    for part in parts[1:]:
        if text_width(f"{line}; {part};", _SMALL) <= room:
            line = f"{line}; {part}"
        else:
            yield f"{line};"
            line = part
    yield line


def _cut(text: str, room: float, size: float, *, is_bold: bool = False) -> str:
    """Cut a text to a width."""
    if text_width(text, size, is_bold=is_bold) <= room:
        return text
    while text and text_width(f"{text}…", size, is_bold=is_bold) > room:
        text = text[:-1]
    return f"{text}…"
