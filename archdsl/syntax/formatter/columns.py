"""The text of lines: statements of neighbouring lines that do the same, and comments behind code, share columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from archdsl.syntax.formatter.lines import WIDTH, Line
from archdsl.syntax.formatter.words import CLOSERS, COMMENT, SEPARATED, Word

_COMMENT_GAP = 2


@dataclass(slots=True, eq=False)
class _Row:
    """A line that becomes text."""

    indent: int
    follows_blank: bool
    cells: list[str] = field(default_factory=list[str])
    """Its code: one cell for each statement where it may be a row of a table, else one for all; none for a comment."""
    verbs: Sequence[str] = ()
    """What the statements of a row of a table do: `:conv` for `conv1: conv 64 k=7`, `conv` without a label."""
    kind: str = ""
    """What the first statements of neighbouring rows of one table have in common."""
    comment: str = ""
    column: int = 0
    """Where the comment begins."""
    is_continued: bool = False
    """Whether it is a comment alone, which goes on below one behind code."""

    @property
    def code(self) -> str:
        return " " * self.indent + " ".join(self.cells) if self.cells else ""

    def __str__(self) -> str:
        blank = "\n" if self.follows_blank else ""
        return f"{blank}{self.code.ljust(self.column)}{self.comment}\n"


def write_lines(words: Sequence[Word], lines: Sequence[Line]) -> str:
    """Return the text of lines, aligned."""
    rows = [_row(words, line) for line in lines]
    table: list[_Row] = []
    commented: list[_Row] = []
    for row in rows:
        if table and (row.follows_blank or not row.verbs or row.kind != table[0].kind):
            _align(table, 1)
            table = []
        if row.verbs:
            table.append(row)
    _align(table, 1)
    for row in rows:
        goes_on = row.is_continued or (bool(row.cells) and commented[:1] != [] and commented[0].indent == row.indent)
        if commented and (row.follows_blank or not row.comment or not goes_on):
            _align_comments(commented)
            commented = []
        if row.comment and (row.cells or row.is_continued):
            commented.append(row)
    _align_comments(commented)
    return "".join(map(str, rows))


def _row(words: Sequence[Word], line: Line) -> _Row:
    first, last = words[line.start], words[line.end - 1]
    row = _Row(line.indent, first.follows_blank)
    end = line.end
    if last.kind == COMMENT:
        row.comment, row.column, row.is_continued = last.text, line.indent, last.is_continued
        end -= 1
    starts = [line.start]
    braces: list[int] = []
    is_whole = True
    parts: list[str] = []
    for index in range(line.start, end):
        word = words[index]
        if word.gap == SEPARATED and parts:
            row.cells.append("".join(parts) + ";")
            starts.append(index)
            parts = [word.text]
        else:
            parts += (word.gap, word.text) if parts else (word.text,)
        if word.kind == "LBRACE":
            braces.append(index)
        is_whole = is_whole and word.closer < line.end and (word.kind not in CLOSERS or word.opener >= line.start)
    if parts:
        row.cells.append("".join(parts))
    if is_whole and len(starts) > 1 and (not braces or _is_one_body(words, braces, starts, end)):
        row.verbs = [_verb(words, start, end) for start in starts]
        # Bodies have to begin alike; of statements, all or none have a label.
        inner = _verb(words, braces[0] + 1, end) if braces else ""
        row.kind = f"{row.verbs[0]} {{ {inner}" if braces else ":" * row.verbs[0].startswith(":")
    return row


def _is_one_body(words: Sequence[Word], braces: Sequence[int], starts: Sequence[int], end: int) -> bool:
    """Return whether a line is one labelled statement that ends with a body, which holds all that it separates."""
    brace = braces[0]
    return (
        len(braces) == 1
        and words[starts[0] + 1].kind == "COLON"
        and words[brace].closer == end - 1
        and all(words[start].opener == brace for start in starts[1:])
    )


def _verb(words: Sequence[Word], start: int, end: int) -> str:
    """Return the first word of a statement, and a colon before it if there is a label."""
    is_labelled = start + 2 < end and words[start + 1].kind == "COLON"
    return f":{words[start + 2].text}" if is_labelled else words[start].text


def _align(table: Sequence[_Row], column: int) -> None:
    """Let the statements of neighbouring rows begin in one column where they have the same verb; then the next ones.

    A column that would make a row too long is left as it is.
    """
    for verb, group in groupby(table, key=lambda row: row.verbs[column] if column < len(row.verbs) else ""):
        rows = list(group)
        if not verb or len(rows) < 2:
            continue
        starts = [len(" ".join(row.cells[:column])) for row in rows]
        widest = max(starts)
        missing = [widest - start for start in starts]
        if all(len(row.code) + more <= WIDTH for row, more in zip(rows, missing, strict=True)):
            for row, more in zip(rows, missing, strict=True):
                row.cells[column - 1] += " " * more
        _align(rows, column + 1)


def _align_comments(rows: Sequence[_Row]) -> None:
    """Let the comments of neighbouring lines begin in one column, unless only that makes a line too long."""
    ends = [len(row.code) + _COMMENT_GAP if row.cells else 0 for row in rows]
    widest = max(ends, default=0)
    fit = all(
        widest + len(row.comment) <= WIDTH or end + len(row.comment) > WIDTH
        for row, end in zip(rows, ends, strict=True)
    )
    column = 0
    for row, end in zip(rows, ends, strict=True):
        column = widest if fit else end or column
        row.column = column
