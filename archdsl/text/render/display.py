"""Text as a terminal shows it: columns taken, invisible characters made visible, lines cropped and wrapped.

A column is one cell of a monospaced terminal; an index is a code point's place in a line. Emoji joined by
U+200D are shown apart, and East Asian characters of ambiguous width take one column.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from unicodedata import category, east_asian_width

from archdsl.text.record import record

TAB = 4
ELLIPSIS = "…"

# Controls, formatting (text direction among it), surrogates, unassigned, and the line separators beside "\n".
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})


def columns_of(text: str) -> int:
    """Count the columns that a text takes once `visible`."""
    return sum(_glyph(c)[1] for c in text)


def visible(text: str) -> str:
    """Replace what a terminal would hide or obey: ESC by ␛, a text direction by <U+202E>, a tab by spaces."""
    return text if text.isascii() and text.isprintable() else "".join(_cells(text)[0])


def wrap(text: str, room: int) -> list[str]:
    """Break a text into lines of at most `room` columns (2 or more), keeping line ends and indentation."""
    return [row for line in text.split("\n") for row in _fill(visible(line), room)]


@record
class VisiblePart:
    """The part of a line that fits in a number of columns."""

    text: str
    _first: int
    """The index in the line to which `_edges[0]` belongs."""
    _edges: list[int]
    """The column in `text` at which each code point begins, and at last the one where the line ends."""
    _left: int
    _right: int

    def columns(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the columns, at least one, of the code points [start, end); None if they start out of view."""
        i, j = start - self._first, min(end - self._first, len(self._edges) - 1)
        if not 0 <= i < len(self._edges):
            return None
        while j > i > 0 and self._edges[i] == self._edges[j]:
            i -= 1  # a combining mark alone is shown at the character that bears it
        left = self._edges[i]
        if not self._left <= left < self._right:
            return None
        return left, min(max(self._edges[j], left + 1), self._right)


def crop(line: str, start: int, end: int, room: int) -> VisiblePart:
    """Show as much of a line as fits in `room` columns around the code points [start, end).

    A column stays free for a mark after the line's end. What is cut off is shown as one `…` at either side.
    """
    # No more is laid out than could be shown, so that a long line costs no more than a short one.
    reach = 4 * room
    first, stop = max(0, start - reach), min(len(line), min(end, start + room) + reach)
    texts, edges = _cells(line[first:stop])
    left = _scroll(edges[start - first], edges[min(end, stop) - first], edges[-1], room)
    cut_left, cut_right = first > 0 or left > 0, stop < len(line) or edges[-1] - left >= room
    low, high = left + cut_left, left + room - cut_right
    shown = ELLIPSIS if cut_left else ""
    column = low
    for text, (begin, finish) in zip(texts, pairwise(edges), strict=True):
        if low <= begin and finish <= high:
            shown += " " * (begin - column) + text
            column = max(column, finish)
    shown += " " * (high - column) + ELLIPSIS if cut_right else ""
    return VisiblePart(shown, first, [edge - left for edge in edges], low - left, high - left)


def _scroll(start: int, end: int, total: int, room: int) -> int:
    """Choose the first column to show: 0 if that shows columns [start, end), else one that centres them."""
    if max(end, start + 1) < room:
        return 0
    kept = min(max(end - start, 1), room - 2)
    return max(0, min(start - (room - kept) // 2, total + 1 - room))


@lru_cache(maxsize=4096)
def _glyph(c: str) -> tuple[str, int]:
    """Return what is shown for a code point, and its columns."""
    if " " <= c <= "~":
        return c, 1
    kind = category(c)
    if c == "\t":
        return " " * TAB, TAB
    if kind in _UNSEEN:
        return _escape(c)
    is_joined = kind in {"Mn", "Me"} or "\u1160" <= c <= "\u11ff"  # marks; Hangul vowels and finals
    return c, 0 if is_joined else 2 if east_asian_width(c) in {"W", "F"} else 1


def _escape(c: str) -> tuple[str, int]:
    number = ord(c)
    if number < 0x20:
        return chr(0x2400 + number), 1
    text = "␡" if number == 0x7F else f"<U+{number:04X}>"
    return text, len(text)


def _cells(text: str) -> tuple[list[str], list[int]]:
    """Return what is shown for each code point, and where each begins, with the last one's end."""
    texts, edges, column = list[str](), [0], 0
    for c in text:
        shown, columns = _glyph(c)
        if c == "\t":
            columns = TAB - column % TAB
            shown = " " * columns
        elif not columns and not column:
            shown, columns = _escape(c)  # a combining mark with nothing to stand on
        texts.append(shown)
        column += columns
        edges.append(column)
    return texts, edges


def _fill(line: str, room: int) -> Iterator[str]:
    """Break a visible line at spaces, and a word longer than the room anywhere."""
    body = line.lstrip(" ")
    indent = line[: min(len(line) - len(body), room // 2)]
    row = indent
    for word in body.split(" "):
        for part in _chop(word, room - len(indent)):
            joined = row + " " + part if row.strip() else row + part
            if columns_of(joined) <= room:
                row = joined
                continue
            yield row
            row = indent + part
    yield row


def _chop(word: str, room: int) -> Iterator[str]:
    if columns_of(word) <= room:
        yield word
        return
    part, used = "", 0
    for c in word:
        columns = _glyph(c)[1]
        if used + columns > room:
            yield part
            part, used = "", 0
        part, used = part + c, used + columns
    yield part
