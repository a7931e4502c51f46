"""The layout rule: which line ends separate statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf

from lark import Token

from archdsl.syntax.indentation import unclosed_braces
from archdsl.text.diagnostic import Fix, Label, Reporter
from archdsl.text.source import Source, Span

MAX_DEPTH = 100
CLOSER = {"LPAR": ")", "LSQB": "]", "_INDEX": "]", "LBRACE": "}"}
OPENS = {"LPAR": "RPAR", "LSQB": "RSQB", "_INDEX": "RSQB", "LBRACE": "RBRACE"}
CLOSES = frozenset({"RPAR", "RSQB", "RBRACE"})
# What begins a statement and can never stand inside ( ) or [ ]: an opening bracket before it was forgotten.
STATEMENT_WORDS = frozenset({"MODEL", "VARIANT", "FN", "LET", "USE", "LABEL", "OUTPUT", "ASSERT"})
# What begins a declaration and can never stand in a body: a closing brace before it was forgotten.
DECLARATION_WORDS = frozenset({"MODEL", "VARIANT", "USE", "INLINE", "BLOCK", "KEYS"})
EXPERIMENT = "experiment"
CONTINUES = frozenset({"_ELSE", "_SHORTCUT"})


class TooDeep(Exception):
    """Brackets nest deeper than a spec may."""


class Layout:
    """Yield the tokens that the grammar sees: separators only between statements.

    A bracket that is never closed is reported, and closed by a token without width, so that what follows is parsed as
    what it is. `damage` lists the places of such brackets.
    """

    def __init__(self, source: Source, report: Reporter) -> None:
        self._source, self._report = source, report
        self._open: list[Token] = []
        self._blamed: set[int] = set()
        """Where the brackets are that stand open around a mistake."""
        self._choices: set[int] = set()
        """Braces of `choose {`, in which lines may end as they may in ( ) and [ ]."""
        self._is_experiment = False
        """Whether the declaration at hand is an experiment, in whose body `model` begins a statement."""
        self._ends = unclosed_braces(source.text)
        """Where what never closed braces hold ends, as far as indentation tells."""
        self.damage: list[int] = []
        self.of_brackets: set[int] = set()
        """The damage that concerns ( ) and [ ], which a statement keeps to itself."""
        self.unclosed: set[int] = set()
        """Where braces begin that are never closed, so that what stands behind may belong elsewhere."""

    def blame(self) -> None:
        """Say that a mistake inside the brackets that are open here is reported already."""
        self._blamed.update(token.start_pos or 0 for token in self._open if token.type != "LBRACE")

    def tokens(self, tokens: Iterable[Token]) -> Iterator[Token]:
        separator: Token | None = None
        line_end: Token | None = None
        previous = "LBRACE"
        for token in tokens:
            kind = token.type
            if kind == "_SEPARATOR" and token != ";" and (self._is_inside() or self._is_choosing()):
                line_end = line_end or token
                continue
            is_parameter = kind == "BLOCK" and previous in ("LPAR", "COMMA")
            for closer in self._missing(token, starts_line=bool(separator or line_end) and not is_parameter):
                yield closer
                separator, previous = separator or line_end, closer.type
            line_end = None
            if kind == "_SEPARATOR":
                separator = separator or token
                continue
            if not self._open and (separator or previous == "LBRACE"):
                self._is_experiment = token == EXPERIMENT
            token = self._track(token, kind)
            if kind == "LBRACE" and previous == "CHOOSE":
                self._choices.add(token.start_pos or 0)
            is_between = previous != "LBRACE" and kind != "RBRACE"
            if separator and is_between and not (kind in CONTINUES and separator != ";"):
                yield separator
            separator, previous = None, kind
            yield token
        end = len(self._source.text.rstrip())
        while self._open:
            yield self._close(int(self._end_of(self._open[-1], end)))

    def _is_inside(self) -> bool:
        return bool(self._open) and self._open[-1].type != "LBRACE"

    def _is_choosing(self) -> bool:
        return bool(self._open) and (self._open[-1].start_pos or 0) in self._choices

    def _missing(self, token: Token, *, starts_line: bool) -> Iterator[Token]:
        """Close what has to be closed before a token."""
        is_statement_word = starts_line and token.type in STATEMENT_WORDS
        ends_brackets = is_statement_word or token.type in ("RBRACE", "_SEPARATOR")
        while (ends_brackets and self._is_inside()) or (is_statement_word and self._is_choosing()):
            yield self._close(token.start_pos or 0)
        while self._open and self._end_of(self._open[-1], inf) <= (token.start_pos or 0):
            yield self._close(int(self._end_of(self._open[-1], inf)))
        is_statement = self._is_experiment and token.type == "MODEL"
        if starts_line and token.type in DECLARATION_WORDS and not is_statement:
            while self._open and not self._is_indented(token, self._open[-1]):
                yield self._close(token.start_pos or 0)

    def _end_of(self, opened: Token, otherwise: float) -> float:
        """Return where what a bracket holds ends, if it is never closed and indentation tells."""
        return self._ends.get(opened.start_pos or 0, otherwise)

    def _is_indented(self, token: Token, opened: Token) -> bool:
        """Return whether a word stands inside an open bracket: on its line, or on one that is indented deeper."""
        lines = [self._source.position(t.start_pos or 0)[0] for t in (token, opened)]
        if lines[0] == lines[1]:
            return True
        own, outer = map(self._source.line, lines)
        return len(own) - len(own.lstrip()) > len(outer) - len(outer.lstrip())

    def _track(self, token: Token, kind: str) -> Token:
        """Follow a bracket; one that closes another kind of bracket becomes what it should have been."""
        if kind in OPENS:
            self._open.append(token)
            if len(self._open) > MAX_DEPTH:
                help = "name a part with `let` or `block`"
                self._report.error("E003", f"brackets nest deeper than {MAX_DEPTH}", self._span(token), help=help)
                raise TooDeep
        elif kind in CLOSES and self._open:
            wanted = OPENS[self._open[-1].type]
            if wanted == kind:
                self._open.pop()
            elif self._is_inside():
                opened = self._open.pop()
                self._mismatched(opened, token)
                return Token(wanted, str(token), token.start_pos, end_pos=token.end_pos)
        return token

    def _close(self, offset: int) -> Token:
        opened = self._open.pop()
        closer = CLOSER[opened.type]
        if opened.start_pos not in self._blamed:
            span = self._span(opened)
            self.damage.append(span.start)
            (self.unclosed if opened.type == "LBRACE" else self.of_brackets).add(span.start)
            message, help = f"`{opened}` is never closed", f"close it with `{closer}`"
            self._report.error("E005", message, span, help=help, fix=self._closing(span, offset, closer))
        return Token(OPENS[opened.type], closer, offset, end_pos=offset)

    def _closing(self, opened: Span, offset: int, closer: str) -> Fix | None:
        """Return the fix that closes a bracket; on one line it is certain where."""
        text = self._source.text
        end = len(text[:offset].rstrip())
        if closer == "}":
            place = Span(end, end, self._source)
            on_own_line = "\n" in text[opened.start : end] or "#" in text[opened.start : end]
            line = self._source.line(self._source.position(opened.start)[0])
            indent = line[: len(line) - len(line.lstrip())]
            return Fix.at(place, f"\n{indent}}}" if on_own_line else " }", title="add `}`")
        is_one_line = "\n" not in text[opened.start : end] and "#" not in text[opened.start : end]
        return (
            Fix.at(Span(end, end, self._source), closer, is_safe=True, title=f"add `{closer}`") if is_one_line else None
        )

    def _mismatched(self, opened: Token, token: Token) -> None:
        if opened.start_pos in self._blamed:
            return
        closer, span = CLOSER[opened.type], self._span(token)
        self.damage.append(span.start)
        self.of_brackets.add(span.start)
        labels = [Label(self._span(opened), "opened here")]
        message = f"`{token}` closes `{opened}`"
        fix = Fix.at(span, closer, title=f"write `{closer}`")
        self._report.error("E005", message, span, labels=labels, help=f"close it with `{closer}`", fix=fix)

    def _span(self, token: Token) -> Span:
        return Span(token.start_pos or 0, token.end_pos or 0, self._source)
