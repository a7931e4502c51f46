"""Plain tables that fit a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

GAP = "  "
_LEAST = 14  # columns that what can shrink keeps, before a whole column gives way


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. A `path` that shrinks loses its start, other text its end."""

    title: str
    cells: Sequence[str]
    is_right: bool = False
    can_shrink: bool = False
    is_path: bool = False

    @property
    def width(self) -> int:
        return max(map(len, (self.title, *self.cells)))

    @property
    def least(self) -> int:
        return min(self.width, _LEAST) if self.can_shrink else self.width


def lay_out(choices: Sequence[Sequence[Column]], width: int) -> list[str]:
    """Write the first choice of columns that fits in `width`, or the last, as lines of which the first is the header.

    Columns that can shrink give way from the right, all to their least before the choice is given up.
    """
    columns = next((c for c in choices if _sum([column.least for column in c]) <= width), choices[-1])
    widths = [column.width for column in columns]
    for index, column in reversed(list(enumerate(columns))):
        excess = _sum(widths) - width
        if column.can_shrink and excess > 0:
            widths[index] = max(column.least, column.width - excess)
    return list(_lines(columns, widths))


def _sum(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _lines(columns: Sequence[Column], widths: Sequence[int]) -> Iterator[str]:
    for line in zip(*((column.title, *column.cells) for column in columns), strict=True):
        cells: list[str] = []
        for text, column, room in zip(line, columns, widths, strict=True):
            shown = crop(text, room, at_start=column.is_path)
            cells.append(shown.rjust(room) if column.is_right else shown.ljust(room))
        yield GAP.join(cells).rstrip()


def crop(text: str, room: int, *, at_start: bool) -> str:
    """Cut a text to some columns; a path at its start and between segments, for its end tells more.

    >>> crop("layer1.0.conv1", 8, at_start=True), crop("3×3 conv, 64, /2", 8, at_start=False)
    ('….conv1', '3×3 con…')
    """
    if len(text) <= room:
        return text
    if not at_start:
        return text[: room - 1] + "…"
    tail = text[len(text) - room + 1 :]
    return "…" + (tail[tail.index(".") :] if "." in tail else tail)
