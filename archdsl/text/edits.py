"""Edits of a text that fixes are made of."""

from __future__ import annotations

import re
from collections.abc import Collection

from archdsl.text.diagnostic import Fix
from archdsl.text.source import Span
from archdsl.text.suggest import is_synonym

_BLANKS = " \t"


def without_argument(step: Span, argument: Span) -> str:
    """Return the text of a step without one of its arguments."""
    text = step.source.text
    return (
        f"{text[step.start : argument.start].rstrip(_BLANKS)} {text[argument.end : step.end].lstrip(_BLANKS)}".rstrip()
    )


def removal(statement: Span) -> Span:
    r"""Return what to remove with a statement, so that no empty line, blank or `;` is left of it.

    >>> from archdsl.text.source import Source
    >>> source = Source("a; b  # c\n  d\n")
    >>> [removal(Span(i, i + 1, source)).text for i in (0, 3, 12)]
    ['a; ', '; b', '  d\n']
    """
    text, start, end = statement.source.text, statement.start, statement.end
    before = len(text[:start].rstrip(_BLANKS))
    after = end + len(text[end:]) - len(text[end:].lstrip(_BLANKS))
    is_first, is_last = before == 0 or text[before - 1] in "\r\n", text[after : after + 1] in ("", "\r", "\n")
    if is_first and is_last:
        line_end = re.compile(r"\r?\n|\r|$").match(text, after)
        return Span(before, line_end.end() if line_end else after, statement.source)
    if text.startswith(";", after):
        behind = after + 1
        return Span(start, behind + len(text[behind:]) - len(text[behind:].lstrip(_BLANKS)), statement.source)
    if before and text[before - 1] == ";":
        return Span(before - 1, end, statement.source)
    return statement


def renamed(
    span: Span, name: str, near: str | None, meant: str | None = None, *, own: Collection[str] = ()
) -> Fix | None:
    """Return the fix that writes the nearest name, where a span begins with the one that is unknown.

    It is safe where other tools have that very name for it, or the case alone differs, but not for the author's `own`
    names, of which the declaration may be what is wrong; `meant` is the long form of `near`, if it has one.
    """
    if near is None or not span.text.startswith(name) or not name:
        return None
    place = Span(span.start, span.start + len(name), span.source)
    return Fix.at(place, near, is_safe=near not in own and is_synonym(name, meant or near), title=f"write `{near}`")


def rounded_down(span: Span) -> Fix | None:
    """Return the fix that rounds a division down, where a span holds one division alone."""
    found = re.findall(r"/+|\*\*|[*%#\"]", span.text)
    if found != ["/"]:
        return None
    start = span.start + span.text.index("/")
    return Fix.at(Span(start, start + 1, span.source), "//", title="round down by `//`")
