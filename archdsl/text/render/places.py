"""Where a diagnostic is, as every renderer says it."""

from collections.abc import Iterable
from operator import attrgetter

from archdsl.text.diagnostic import Diagnostic
from archdsl.text.source import NOWHERE, Span


def is_somewhere(span: Span) -> bool:
    """Return whether a span is in a text that can be shown."""
    return span.source is not NOWHERE


def bounds(span: Span) -> tuple[int, int]:
    """Return the start and end offsets, moved into the text where they lie outside."""
    length = len(span.source.text)
    start = min(max(span.start, 0), length)
    return start, min(max(span.end, start), length)


def last_offset(span: Span) -> int:
    """Return the offset of the last code point in a span, or its start if it is empty."""
    start, end = bounds(span)
    return max(start, end - 1)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sort by file name, then position, then code, then message."""
    by_text = sorted(diagnostics, key=attrgetter("code", "message"))
    return sorted(by_text, key=lambda d: (d.span.source.name, *bounds(d.span)))
