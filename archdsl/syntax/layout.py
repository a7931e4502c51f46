"""The layout rule: which line ends separate statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lark import Token

from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source, Span

MAX_DEPTH = 100
CLOSER = {"LPAR": ")", "LSQB": "]", "_INDEX": "]", "LBRACE": "}"}
_OPENS = {"LPAR": "RPAR", "LSQB": "RSQB", "_INDEX": "RSQB", "LBRACE": "RBRACE"}
_CLOSES = frozenset({"RPAR", "RSQB", "RBRACE"})
# What can never stand inside ( ) or [ ]: an opening bracket before it was forgotten.
_STATEMENT_WORDS = frozenset({"MODEL", "VARIANT", "FN", "LET", "USE", "LABEL", "OUTPUT", "ASSERT", "RBRACE"})
_CONTINUES = frozenset({"_ELSE", "_SHORTCUT"})


class TooDeep(Exception):
    """Brackets nest deeper than a spec may."""


class Layout:
    """Yield the tokens that the grammar sees: separators only between statements."""

    def __init__(self, source: Source, report: Reporter) -> None:
        self._source, self._report = source, report
        self.open: list[Token] = []

    def tokens(self, tokens: Iterable[Token]) -> Iterator[Token]:
        separator: Token | None = None
        previous = "LBRACE"
        for token in tokens:
            kind = token.type
            if kind == "_SEPARATOR":
                is_inside = bool(self.open) and self.open[-1].type != "LBRACE"
                if not (is_inside and token == "\n"):
                    separator = separator or token
                continue
            self._track(token, kind)
            is_between = previous != "LBRACE" and kind != "RBRACE"
            if separator and is_between and not (kind in _CONTINUES and separator == "\n"):
                yield separator
            separator, previous = None, kind
            yield token
        for token in self.open:
            self._unclosed(token)

    def _track(self, token: Token, kind: str) -> None:
        while self.open and self.open[-1].type != "LBRACE" and kind in _STATEMENT_WORDS:
            self._unclosed(self.open.pop())
        if kind in _OPENS:
            self.open.append(token)
            if len(self.open) > MAX_DEPTH:
                self._report.error(
                    "E003", f"brackets nest deeper than {MAX_DEPTH}", self._span(token), help="name a part with `let` or `block`"
                )
                raise TooDeep
        elif kind in _CLOSES and self.open and _OPENS[self.open[-1].type] == kind:
            self.open.pop()

    def _unclosed(self, token: Token) -> None:
        closer = CLOSER[token.type]
        self._report.error("E005", f"`{token}` is never closed", self._span(token), help=f"close it with `{closer}`")

    def _span(self, token: Token) -> Span:
        return Span(token.start_pos or 0, token.end_pos or 0, self._source)
