"""Diagnostics for people, after rustc and Elm: the fact, the text it is about, and what to do.

Only the lines that name a file may be wider than asked for: a path in pieces cannot be clicked or copied.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from archdsl.text.diagnostic import Diagnostic, Edit, Severity
from archdsl.text.record import record
from archdsl.text.render.display import columns_of, crop, visible, wrap
from archdsl.text.render.places import bounds, in_order, is_somewhere, last_offset
from archdsl.text.source import Source, Span

NARROWEST = 40
"""The width used where less is asked for."""

_ROOM_FOR_LABEL = 24  # columns; a longer label starts left of its mark rather than break into slivers

# Parameters of the ANSI escape "select graphic rendition".
_STYLES = {Severity.ERROR: "1;31", Severity.WARNING: "1;33"}
_FRAME = "1;34"
_STRONG = "1"


class Piece(NamedTuple):
    """A text in one style."""

    text: str
    style: str = ""


Line = Sequence[Piece]


@record
class Mark:
    """Code points [start, end) of one line, counted from 0, to underline, and what to say there."""

    line: int
    start: int
    end: int
    message: str
    style: str
    stroke: str


class Underline(NamedTuple):
    """A mark and its columns in the excerpt shown."""

    left: int
    right: int
    mark: Mark


def render(diagnostics: Iterable[Diagnostic], *, width: int = 80, color: bool = False, is_counted: bool = True) -> str:
    """Write each diagnostic with excerpts of its sources, then a line that counts them unless `is_counted` is false.

    `width` is in terminal columns, at least 40. `color` adds ANSI escapes and changes nothing else.
    """
    ordered = in_order(diagnostics)
    if not ordered:
        return ""
    lines = [line for d in ordered for line in _diagnostic(d, max(width, NARROWEST))]
    counted = [_summary(ordered)] if is_counted else []
    return "".join(_paint(line, color=color) + "\n" for line in [*lines, *counted])


def _paint(line: Line, *, color: bool) -> str:
    pieces = _trim(line)
    if not color:
        return "".join(piece.text for piece in pieces)
    return "".join(f"\x1b[{style}m{text}\x1b[0m" if style else text for text, style in pieces)


def _trim(line: Line) -> list[Piece]:
    """Drop the spaces at the end."""
    pieces = list(line)
    while pieces and not pieces[-1].text.strip(" "):
        pieces.pop()
    return [*pieces[:-1], *(Piece(p.text.rstrip(" "), p.style) for p in pieces[-1:])]


def _summary(diagnostics: Sequence[Diagnostic]) -> Line:
    counts = Counter(d.severity for d in diagnostics)
    worst = Severity.ERROR if counts[Severity.ERROR] else Severity.WARNING
    counted = ", ".join(f"{n} {kind}" + "s" * (n > 1) for kind in Severity if (n := counts[kind]))
    files = {d.span.source.name for d in diagnostics if is_somewhere(d.span)}
    where = f" in {len(files)} files" if len(files) > 1 else "".join(f" in {visible(name)}" for name in files)
    return Piece(worst, _STYLES[worst]), Piece(f": {counted}{where}")


def _diagnostic(d: Diagnostic, width: int) -> Iterator[Line]:
    marks = _marks_by_source(d)
    gutter = len(str(max((mark.line for found in marks.values() for mark in found), default=0)))
    yield from _title(d, width)
    for source, found in marks.items():
        is_main = source is d.span.source
        line, column = source.position(bounds(d.span)[0]) if is_main else (found[0].line, found[0].start + 1)
        arrow = "-->" if is_main else ":::"
        yield Piece(" " * gutter + arrow, _FRAME), Piece(f" {visible(source.name)}:{line}:{column}")
        yield (Piece(" " * gutter + " |", _FRAME),)
        yield from _excerpt(source, found, gutter, width)
    unplaced = [label.message for label in d.labels if not is_somewhere(label.span)]
    for kind, text in [*(("note", note) for note in (*unplaced, *d.notes)), ("help", d.help), ("fix", _mending(d))]:
        if text:
            yield from _remark(kind, text, gutter, width)
    yield ()


def _mending(d: Diagnostic) -> str:
    """Say what the fix does, unless the help says so."""
    if d.fix is None or not d.fix.edits:
        return ""
    first, *others = d.fix.edits
    written = first.replacement.strip()
    is_said = (written and not others and f"`{written}`" in d.help) or (d.fix.title and d.fix.title in d.help)
    return "" if is_said else d.fix.title or _summarised(first)


def _summarised(edit: Edit) -> str:
    old, new = (" ".join(text.split()) for text in (edit.span.text, edit.replacement))
    if not new:
        return f"remove `{old}`"
    return f"replace `{old}` by `{new}`" if old else f"add `{new}`"


def _title(d: Diagnostic, width: int) -> Iterator[Line]:
    head = f"{d.severity}[{d.code}]"
    first, *rest = wrap(d.message, width - len(head) - 2)
    yield Piece(head, _STYLES[d.severity]), Piece(": " + first, _STRONG)
    for row in rest:
        yield Piece(" " * (len(head) + 2)), Piece(row, _STRONG)


def _remark(kind: str, text: str, gutter: int, width: int) -> Iterator[Line]:
    lead = " " * gutter + f" = {kind}: "
    first, *rest = wrap(text, width - len(lead))
    yield Piece(" " * gutter + " = ", _FRAME), Piece(kind, _STRONG), Piece(": " + first)
    for row in rest:
        yield (Piece(" " * len(lead) + row),)


def _marks_by_source(d: Diagnostic) -> dict[Source, list[Mark]]:
    """Group all marks by source, the diagnostic's own first, in the order in which each is mentioned."""
    found: dict[Source, list[Mark]] = {}
    if is_somewhere(d.span):
        found[d.span.source] = _marks(d.span, d.marker, _STYLES[d.severity], "^")
    for label in d.labels:
        if is_somewhere(label.span):
            found.setdefault(label.span.source, []).extend(_marks(label.span, label.message, _FRAME, "-"))
    return found


def _marks(span: Span, message: str, style: str, stroke: str) -> list[Mark]:
    """Mark a span's first line, and its last one unless that only closes brackets."""
    source, (start, end) = span.source, bounds(span)
    message = visible(message.replace("\n", " "))
    first, column = source.position(start)
    last, last_column = source.position(last_offset(span))
    text = source.line(first)
    begin = min(column - 1, len(text))
    if first == last:
        return [Mark(first, begin, min(last_column - (start == end), len(text)), message, style, stroke)]
    opening = Mark(first, begin, max(begin, len(text.rstrip())), message, style, stroke)
    closing = source.line(last)[:last_column]
    if not closing.strip().strip(" \t)]}"):
        return [opening]
    indent = len(closing) - len(closing.lstrip())
    return [opening, Mark(last, indent, len(closing.rstrip()), "up to here", style, stroke)]


def _excerpt(source: Source, marks: Sequence[Mark], gutter: int, width: int) -> Iterator[Line]:
    room = width - gutter - 3
    marked = {number: [m for m in marks if m.line == number] for number in sorted({m.line for m in marks})}
    previous = 0
    for number in _shown_lines(source, list(marked)):
        if previous and number > previous + 1:
            yield (Piece("...", _FRAME),)
        previous = number
        for content, *below in _groups(source.line(number), marked.get(number, []), room):
            yield Piece(f"{number:>{gutter}} | ", _FRAME), *content
            for row in below:
                yield Piece(" " * gutter + " | ", _FRAME), *row


def _shown_lines(source: Source, marked: Sequence[int]) -> list[int]:
    """Add the text shortly before a marked line that is blank, and a line alone between two shown."""
    lines = set(marked)
    for blank in (n for n in marked if not source.line(n).strip()):
        before = [n for n in range(blank - 1, max(0, blank - 4), -1) if source.line(n).strip()]
        lines.update(before[:1])
    lines.update(a + 1 for a, b in pairwise(sorted(lines)) if b == a + 2)
    return sorted(lines)


def _groups(line: str, marks: Sequence[Mark], room: int) -> Iterator[list[Line]]:
    """Lay out a line with its marks: once, or again for marks too far apart to be shown together."""
    left = sorted(marks, key=lambda m: (m.stroke != "^", m.start))
    while True:
        focus = left[0] if left else Mark(0, 0, 0, "", "", "")
        view = crop(line, focus.start, focus.end, room)
        placed = [(mark, view.columns(mark.start, mark.end)) for mark in left]
        # The focus is in view but for pathological text: hundreds of combining marks before it.
        found = [Underline(*(at or (0, 1)), mark) for mark, at in placed if at or mark is focus]
        yield [(Piece(view.text),), *_below(found, room)]
        left = [mark for mark, at in placed if not at and mark is not focus]
        if not left:
            return


def _below(found: Sequence[Underline], room: int) -> Iterator[Line]:
    """Draw underlines and labels: the rightmost label beside its mark if it fits, the others beneath."""
    if not found:
        return
    strokes = {column: u.mark for u in reversed(found) for column in range(u.left, u.right)}
    underlines = [(column, Piece(mark.stroke, mark.style)) for column, mark in sorted(strokes.items())]
    labelled = sorted((u for u in found if u.mark.message), key=lambda u: -u.left)
    end = max(strokes) + 2
    if labelled and labelled[0].right == end - 1 and end + columns_of(labelled[0].mark.message) <= room:
        beside = labelled.pop(0).mark
        underlines.append((end, Piece(beside.message, beside.style)))
    yield _place(underlines)
    if labelled:
        yield _place(_stems(labelled, room))
    for i, label in enumerate(labelled):
        yield from _hanging(label, labelled[i + 1 :], room)


def _hanging(label: Underline, others: Sequence[Underline], room: int) -> Iterator[Line]:
    column = min(label.left, room - min(columns_of(label.mark.message), _ROOM_FOR_LABEL))
    stems = _stems(others, column)
    for row in wrap(label.mark.message, room - column):
        yield _place([*stems, (column, Piece(row, label.mark.style))])


def _stems(labels: Iterable[Underline], before: int) -> list[tuple[int, Piece]]:
    """Draw what ties labels to the marks above, left of a column."""
    stems = {u.left: Piece("|", u.mark.style) for u in labels if u.left < before}
    return sorted(stems.items())


def _place(pieces: Iterable[tuple[int, Piece]]) -> Line:
    """Put pieces at their columns, given from left to right and apart; neighbours of one style become one."""
    line: list[Piece] = []
    end = 0
    for column, piece in pieces:
        if line and column == end and line[-1].style == piece.style:
            line[-1] = Piece(line[-1].text + piece.text, piece.style)
        else:
            line += [Piece(" " * (column - end)), piece]
        end = column + columns_of(piece.text)
    return line
