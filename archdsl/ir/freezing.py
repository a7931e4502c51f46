"""What is to stay as it is in training: patterns of paths, as texts say them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import field
from enum import Enum, auto
from typing import TypeAlias

from archdsl.text.diagnostic import Reporter
from archdsl.text.error import SpecError
from archdsl.text.record import record
from archdsl.text.source import Source, Span


class Head(Enum):
    """The word `head`: the last steps with weights before the outputs of the classes' shape."""

    HEAD = auto()

    def __str__(self) -> str:
        return "head"


HEAD = Head.HEAD
EXCEPT = "except"

FreezePattern: TypeAlias = str | Head
"""A path whose segments may hold `*`, `?` and `[…]`, which covers all below it; or the head."""

_PIECE = re.compile(r'"[^"\n]*"|[^\s,"]+|"')


@record
class Freezing:
    """`freeze PATTERN… except PATTERN…`: what the first reach, without what the others do.

    `spans` are the places of the patterns, those behind `except` last, and do not count in comparisons.

    >>> str(Freezing.read("* except fc head"))
    '"*" except "fc" head'
    """

    patterns: tuple[FreezePattern, ...]
    excepts: tuple[FreezePattern, ...] = ()
    spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)

    def __str__(self) -> str:
        """Write it as a spec does, without the word `freeze`."""
        excepts = f" {EXCEPT} {_written(self.excepts)}" if self.excepts else ""
        return f"{_written(self.patterns)}{excepts}"

    def all_patterns(self) -> tuple[FreezePattern, ...]:
        """Return the patterns and, behind them, the exceptions."""
        return (*self.patterns, *self.excepts)

    def span_of(self, index: int) -> Span:
        """Return the place of a pattern, counted through `excepts`; one in a text of its own where none is known."""
        if index < len(self.spans):
            return self.spans[index]
        text = _written([self.all_patterns()[index]])
        return Span(0, len(text), Source(text, "<freeze>"))

    @classmethod
    def read(cls, text: str, name: str = "<freeze>") -> Freezing:
        """Read what stands behind the word `freeze`; quotes may be left out, `head` without them is the word.

        `name` is what messages call the text.

        Errors: SpecError with E132 where the text names no pattern, or one has no end
        """
        source, report = Source(text, name), Reporter()
        found = cls.gather(list(_pieces(source, report)), Span(0, len(text), source), report)
        if report.has_errors:
            raise SpecError(report.diagnostics)
        return found

    @classmethod
    def gather(cls, pieces: Sequence[tuple[FreezePattern | None, Span]], whole: Span, report: Reporter) -> Freezing:
        """Make one of patterns with their places, in order; None stands for the word `except`.

        Errors: E132, reported, where there is no pattern on one of the sides, or `except` stands there twice
        """
        words = [index for index, (pattern, _) in enumerate(pieces) if pattern is None]
        if len(words) > 1:
            help = "name all exceptions behind the first"
            report.error("E132", "`except` stands here twice", pieces[words[1]][1], help=help)
        middle = words[0] if words else len(pieces)
        reached = [(pattern, span) for pattern, span in pieces[:middle] if pattern is not None]
        excepts = [(pattern, span) for pattern, span in pieces[middle:] if pattern is not None]
        if not reached:
            report.error("E132", "this freezes nothing", whole, help='name paths: `"layer1.*"`, or `"*"` for all')
        elif words and not excepts:
            help = 'name what goes on training: `except "fc"`'
            report.error("E132", "nothing stands behind `except`", pieces[middle][1], help=help)
        spans = tuple(span for _, span in (*reached, *excepts))
        return cls(tuple(pattern for pattern, _ in reached), tuple(pattern for pattern, _ in excepts), spans)


def _pieces(source: Source, report: Reporter) -> Iterator[tuple[FreezePattern | None, Span]]:
    for match in _PIECE.finditer(source.text):
        span = Span(match.start(), match.end(), source)
        match match.group():
            case "except":
                yield None, span
            case "head":
                yield HEAD, span
            case '"':
                report.error("E132", "this pattern has no closing quote", span, help='write `"layer1.*"`')
            case text:
                yield text.strip('"'), span


def _written(patterns: Sequence[FreezePattern]) -> str:
    return " ".join(f'"{pattern}"' if isinstance(pattern, str) else str(pattern) for pattern in patterns)
