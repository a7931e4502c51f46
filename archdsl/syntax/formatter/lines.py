"""The lines of a spec: where they begin, how far they are indented, and where one that is too long is broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archdsl.syntax.formatter.words import BRACKETS, CLAUSES, CLOSERS, COMMENT, SEPARATED, Word

WIDTH = 120
"""The columns that code should keep to. Comments are left as they are."""

INDENT = 2
# The most words that may follow a list at the beginning of a call, if the list alone is to be spread.
_TAIL = 10
# How far a line is searched for a place to break, so that hostile text cannot make it slow.
_HORIZON = 4 * WIDTH


@dataclass(frozen=True, slots=True)
class Line:
    """The words from `start` to `end`, without it, that share a line."""

    start: int
    end: int
    indent: int


def break_lines(words: Sequence[Word]) -> list[Line]:
    """Divide words into lines.

    A bracket is either on one line as far as its own contents go, or what it holds stands on lines between it and the
    bracket that closes it. A line is indented by one step from that on which the bracket around it was opened,
    however many were opened there.
    """
    for opener in {word.opener for word in words if word.begins_line and word.opener >= 0}:
        _spread(words, opener)
    lines: list[Line] = []
    indents = {-1: -INDENT}
    start = 0
    while start < len(words):
        first = words[start]
        indent = indents[first.opener] + (0 if first.kind in CLOSERS else INDENT)
        end = _end_of_line(words, start, indent)
        for index in range(start, end):
            if words[index].closer >= 0:
                indents[index] = indent
        lines.append(Line(start, end, indent))
        start = end
    return lines


def _spread(words: Sequence[Word], opener: int) -> None:
    """Let what a bracket holds, and the bracket that closes it, begin lines."""
    words[words[opener].closer].begins_line = True
    if words[opener + 1].kind != COMMENT:
        words[opener + 1].begins_line = True


def _is_spread(words: Sequence[Word], opener: int) -> bool:
    return opener < 0 or words[words[opener].closer].begins_line


def _end_of_line(words: Sequence[Word], start: int, indent: int) -> int:
    """Return where a line ends, after it has been broken as often as it needs and can be."""
    while True:
        end, place, opener = _measure(words, start, indent)
        if place >= 0:
            words[place].begins_line = True
        elif opener >= 0:
            _spread(words, _innermost(words, opener))
        else:
            return end


def _innermost(words: Sequence[Word], opener: int) -> int:
    """Return the bracket to spread for another one: of `f([…], 3)` the list."""
    inner = opener + 1
    is_whole = words[inner].kind in BRACKETS and _size(words, opener) - _size(words, inner) <= _TAIL
    return _innermost(words, inner) if is_whole and _can_spread(words, inner) else opener


def _measure(words: Sequence[Word], start: int, indent: int) -> tuple[int, int, int]:
    """Return where a line ends and, if it is too long, the word to begin another with, or the bracket to spread.

    The line is broken between statements, or between the items of a bracket that is spread, at the last place that
    fits; where there is none, its outermost bracket that holds the most is spread. -1 stands for nothing.
    """
    column = indent
    place = clause = opener = -1
    inside = -1  # up to where a bracket reaches that the line opened
    index = start
    while index < len(words):
        word = words[index]
        if index > start:
            if word.begins_line:
                break
            fits = column <= WIDTH
            if word.gap == SEPARATED and _is_spread(words, word.opener):
                place = index if fits or place < 0 else place
            elif word.kind != COMMENT and _is_item(words, index):
                if words[index - 1].kind == "COMMA":
                    place = index if fits or place < 0 else place
                else:
                    clause = index if fits or clause < 0 else clause
            column += len(word.gap)
        if word.kind == COMMENT:
            index += 1
            break
        column += len(word.text)
        if index > inside and word.closer >= 0:
            inside = word.closer
            if _can_spread(words, index) and (
                opener < 0 or (column <= WIDTH and _size(words, index) > _size(words, opener))
            ):
                opener = index
        index += 1
        if (column > WIDTH and place >= 0) or (column > _HORIZON and max(clause, opener) >= 0):
            break
    if column <= WIDTH:
        return index, -1, -1
    return index, (place if place >= 0 else clause), opener


def _is_item(words: Sequence[Word], index: int) -> bool:
    """Return whether a word may begin a line within the bracket that it is in, which is spread."""
    word = words[index]
    opener = words[word.opener] if word.opener >= 0 else None
    if opener is None or not (opener.kind in BRACKETS or opener.is_choice) or not _is_spread(words, word.opener):
        return False
    return word.kind not in CLOSERS and (words[index - 1].kind == "COMMA" or word.kind in CLAUSES)


def _can_spread(words: Sequence[Word], opener: int) -> bool:
    word = words[opener]
    return word.kind != "_INDEX" and _size(words, opener) > 2 and not _is_spread(words, opener)


def _size(words: Sequence[Word], opener: int) -> int:
    return words[opener].closer - opener
