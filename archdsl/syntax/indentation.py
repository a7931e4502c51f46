"""Where braces that are never closed should have been: by the indentation of the lines behind them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

# A label's braces stand around a value, directly behind a name.
_PIECE = re.compile(r'"[^"\n]*"|#[^\n]*|(?<=\w)\{[^{}\n"]*\}|[(){}\[\]]|\n')
_TAB = 4


class _OpenBrace(NamedTuple):
    offset: int
    indent: int
    line: int


def unclosed_braces(text: str) -> Mapping[int, int]:
    r"""Map the places of braces that are never closed to where what they hold ends, if indentation tells all of them.

    >>> unclosed_braces("model m {\n  stem: {\n    conv 8\n  act\n}\n")
    {18: 30}
    >>> unclosed_braces("model m {\n  stem: { conv 8 }\n}\n")
    {}
    """
    if text.count("{") == text.count("}"):
        return {}
    scan = _Scan(text)
    for match in _PIECE.finditer(text):
        scan.take(match.group(), match.start())
    scan.end()
    return scan.found if scan.is_indented and len(scan.found) == scan.missing else {}


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self._opened: list[_OpenBrace] = []
        self._brackets = 0
        self._line = self._indent = 0
        self._behind = 0
        """Where the last line ends that is more than a comment."""
        self._has_body: list[bool] = []
        """Of each open brace, whether something stands behind it on its line, or deeper on a later one."""
        self.is_indented = True
        """Whether all bodies that were given up are indented, so that indentation means something."""
        self.found: dict[int, int] = {}
        self.missing = 0
        """How many more braces are opened than closed."""
        self._begin_line(0)

    def take(self, piece: str, offset: int) -> None:
        """Follow a brace, a bracket or a line end."""
        if piece == "\n":
            self._line += 1
            self._begin_line(offset + 1)
        elif piece == "{":
            self.missing += 1
            self._opened.append(_OpenBrace(offset, self._indent, self._line))
            rest = self._line_at(offset + 1).partition("#")[0]
            self._has_body.append(bool(rest.strip()))
        elif piece == "}":
            self.missing -= 1
            if self._opened:
                self._opened.pop()
                self._has_body.pop()
        elif piece in ("(", ")", "[", "]"):
            self._brackets = max(0, self._brackets + (1 if piece in "([" else -1))

    def _begin_line(self, start: int) -> None:
        """Give up the braces that a line ends by its indentation: it is that of the line with the brace, or less."""
        line = self._line_at(start)
        content = line.strip()
        if not content or content.startswith("#"):
            return
        if not self._brackets:
            self._indent = len(line.expandtabs(_TAB)) - len(line.expandtabs(_TAB).lstrip())
            self._end_by_indent(closes=content.startswith("}"))
        self._behind = start + len(line.rstrip())

    def _end_by_indent(self, *, closes: bool) -> None:
        while self._opened and self._opened[-1].line < self._line:
            top = self._opened[-1]
            if self._indent > top.indent:
                self._has_body[-1] = True
                break
            if closes and self._indent == top.indent:
                break
            if closes and not any(opened.indent == self._indent for opened in self._opened):
                break
            self._give_up()

    def _line_at(self, start: int) -> str:
        end = self._text.find("\n", start)
        return self._text[start : end if end >= 0 else len(self._text)]

    def _give_up(self) -> None:
        self.found[self._opened.pop().offset] = self._behind
        self.is_indented = self._has_body.pop() and self.is_indented

    def end(self) -> None:
        """Give up what is open at the end of the text."""
        while self._opened:
            self._give_up()
