"""Source text and places in it: what every diagnostic and every graph node points at."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from archdsl.text.record import record


@dataclass(frozen=True, eq=False, repr=False)
class Source:
    """A spec's text, the name that messages show for it, and the file that it was read from. Compared by identity.

    The text stays as it is. Where its file was edited since, `moves` says which parts the later text holds too.
    """

    text: str
    name: str = "<string>"
    path: Path | None = None
    moves: Moves | None = field(default=None, init=False)

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offsets, in code points, at which each line begins."""
        starts = accumulate((len(line) + 1 for line in self.text.split("\n")[:-1]), initial=0)
        return tuple(starts)

    def position(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column, in code points, of an offset."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def utf16_column(self, offset: int) -> int:
        """Return the 1-based column of an offset in UTF-16 code units, as editors count."""
        start = self.line_starts[self.position(offset)[0] - 1]
        return 1 + sum(1 + (c > "\uffff") for c in self.text[start:offset])

    def line(self, number: int) -> str:
        """Return the text of a 1-based line, without its end."""
        starts = self.line_starts
        end = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].removesuffix("\r")

    def follow(self, later: Source, parts: Sequence[Stretch]) -> None:
        """Let places in parts of this text be those that the same words have in a later text of the file.

        Requires: the parts are in order and apart.
        """
        object.__setattr__(self, "moves", Moves(later, tuple(parts)))
        object.__setattr__(later, "moves", None)  # the later text is the newest, also where an edit was taken back


class Stretch(NamedTuple):
    """The range [start, end) of a text, which begins `shift` code points further on in a later one."""

    start: int
    end: int
    shift: int


@record
class Moves:
    """A later text of a file, and where in it parts of the earlier one are."""

    later: Source
    parts: tuple[Stretch, ...]

    def shift(self, begin: int, stop: int) -> int | None:
        """Return how far a place moved; None where it lies in no part that the later text holds."""
        index = bisect_right(self.parts, begin, key=lambda part: part.start) - 1
        return self.parts[index].shift if index >= 0 and stop <= self.parts[index].end else None


NOWHERE = Source("", "<none>")


class Span(NamedTuple):
    """A half-open range of code points in one source.

    It was made of the text `origin`, as [begin, stop). `start`, `end` and `source` say where the same words are now,
    which are others once the file was edited elsewhere (`Source.follow`). Compared by where it was made.
    """

    begin: int
    stop: int
    origin: Source = NOWHERE

    @property
    def start(self) -> int:
        return self.begin if self.origin.moves is None else self.now().begin

    @property
    def end(self) -> int:
        return self.stop if self.origin.moves is None else self.now().stop

    @property
    def source(self) -> Source:
        return self.origin if self.origin.moves is None else self.now().origin

    @property
    def text(self) -> str:
        return self.origin.text[self.begin : self.stop]

    def now(self) -> Span:
        """Return the place that the words have in the latest text that still holds them."""
        begin, stop, origin = self
        while origin.moves is not None and (shift := origin.moves.shift(begin, stop)) is not None:
            begin, stop, origin = begin + shift, stop + shift, origin.moves.later
        return Span(begin, stop, origin)

    def holds(self, other: Span) -> bool:
        """Return whether another place lies within this one."""
        return self.source is other.source and self.start <= other.start and other.end <= self.end

    def to(self, other: Span) -> Span:
        """Return the span from this one's start to the other's end."""
        return Span(self.begin, max(self.stop, other.stop), self.origin)

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"
