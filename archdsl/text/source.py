"""Source text and places in it: what every diagnostic and every graph node points at."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


@dataclass(frozen=True, eq=False, repr=False)
class Source:
    """A spec's text and the name that messages show for it. Compared by identity."""

    text: str
    name: str = "<string>"

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offsets, in code points, at which each line begins."""
        return (0, *(i + 1 for i, c in enumerate(self.text) if c == "\n"))

    def position(self, offset: int) -> tuple[int, int]:
        """Give the 1-based line and column, in code points, of an offset."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def utf16_column(self, offset: int) -> int:
        """Give the 1-based column of an offset in UTF-16 code units, as editors count."""
        start = self.line_starts[self.position(offset)[0] - 1]
        return 1 + sum(1 + (c > "\uffff") for c in self.text[start:offset])

    def line(self, number: int) -> str:
        """Give the text of a 1-based line, without its end."""
        starts = self.line_starts
        end = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].removesuffix("\r")


NOWHERE = Source("", "<none>")


class Span(NamedTuple):
    """A half-open range of code points, [start, end), in one source."""

    start: int
    end: int
    source: Source = NOWHERE

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def to(self, other: "Span") -> "Span":
        """Give the span from this one's start to the other's end."""
        return Span(self.start, max(self.end, other.end), self.source)

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"
