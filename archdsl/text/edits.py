"""Edits of a text that fixes are made of."""

from __future__ import annotations

import re

from archdsl.text.source import Span

_BLANKS = " \t"


def removal(statement: Span) -> Span:
    r"""Give what to remove with a statement, so that no empty line, blank or `;` is left of it.

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
