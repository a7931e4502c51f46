"""Text to syntax tree, with recovery: every independent syntax mistake is reported, none is raised."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# lark leaves the inside of its interactive parser untyped.

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any

from lark import Lark, Token

from archdsl.syntax import tree
from archdsl.syntax.builder import Builder
from archdsl.syntax.damage import Parsed, sound
from archdsl.syntax.fast import FastParser, Unusual
from archdsl.syntax.recovery import Parse
from archdsl.text.diagnostic import Diagnostic, Reporter
from archdsl.text.source import NOWHERE, Source, Span

MAX_CHARACTERS = 200_000


def parse(source: Source, report: Reporter, tokens: list[Token] | None = None) -> Parsed | None:
    """Parse a spec. Mistakes go to `report`; None when they leave no tree that tells more about the spec.

    `tokens` is given the tokens and comments of the text in order.
    """
    if len(source.text) > MAX_CHARACTERS:
        size = f"{len(source.text):,} characters"
        report.error("E004", f"{size}, where a spec has at most {MAX_CHARACTERS:,}", Span(0, 0, source))
        return None
    return _frontend().parse_file(source, report, tokens)


def parse_part(source: Source, begin: int, end: int) -> Parsed | None:
    """Parse the declarations in [begin, end) of a text; None where that may hold a mistake.

    Requires: what stands before and behind is legal, and separated from them. A whole text has limits of its own.
    """
    return _frontend().parse_part(source, begin, end)


def parse_expression(source: Source, report: Reporter) -> tree.Expression | None:
    """Parse one expression, such as a setting's value."""
    return _frontend().parse_expression(source, report)


def tokenise(source: Source) -> list[Token]:
    """Return a legal text's tokens and comments in their order, separators as they stand."""
    return _frontend().tokenise(source)


def language_words() -> frozenset[str]:
    """Return the words that the grammar keeps for itself, which no name is."""
    return _frontend().words


@cache
def _frontend() -> _Frontend:
    return _Frontend()


def _grammar_path() -> Path:
    # A wheel carries the grammar inside the package; a checkout has it beside the package.
    packaged = Path(__file__).parents[1] / "_grammars" / "archdsl.lark"
    return packaged if packaged.exists() else Path(__file__).parents[2] / "grammars" / "archdsl.lark"


def _cache_path(grammar: str) -> str | None:
    """Name a file of the user's own for the parser's tables; None where there is no such place.

    Tables are unpickled, so they never come from a folder that others can write to.
    """
    home = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(home) if home else Path("~/.cache").expanduser()) / "archdsl"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    status = folder.stat()
    is_ours = not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o022)
    if not (is_ours and os.access(folder, os.W_OK)):
        return None
    return str(folder / f"parser-{sha256(grammar.encode()).hexdigest()[:16]}")


def _without_spaces(token: Token) -> Token:
    """Leave the spaces in front of a word out of its token."""
    text = token.lstrip(" \t\f")
    skipped = len(token) - len(text)
    return Token(
        token.type,
        text,
        (token.start_pos or 0) + skipped,
        token.line,
        (token.column or 0) + skipped,
        token.end_line,
        token.end_column,
        token.end_pos,
    )


class _Frontend:
    """The grammar's tables with the tree builder; one a process, used by one thread at a time."""

    def __init__(self) -> None:
        grammar = _grammar_path().read_text(encoding="utf-8")
        self._comments: list[Token] = []
        self._report = Reporter()
        self._damage: list[int] = []
        self._lock = RLock()
        self._builder = Builder(self._parse_inner)
        self._lark = Lark(
            grammar,
            parser="lalr",
            lexer="basic",
            start=["start", "expression"],
            transformer=self._builder,
            lexer_callbacks={"COMMENT": self._comments.append, "REUSED": _without_spaces, "NAMED": _without_spaces},
            # Digits and letters of other scripts look like those that paths and numbers are made of.
            g_regex_flags=re.ASCII,
            cache=_cache_path(grammar) or False,
        )
        strings = [str(terminal.pattern.value) for terminal in self._lark.terminals if terminal.pattern.type == "str"]
        self.words = frozenset(filter(str.isalpha, strings))
        self._fast: FastParser | None
        try:
            self._fast = FastParser(self._lark, {"REUSED": _without_spaces, "NAMED": _without_spaces})
        except Unusual:
            self._fast = None

    def parse_file(self, source: Source, report: Reporter, tokens: list[Token] | None) -> Parsed | None:
        with self._lock:
            if tokens is None and (parsed := self._parse_fast(source, "start")) is not None:
                return Parsed(*parsed)
            self._comments.clear()
            file, damage, inside = self._run(source, report, "start", tokens)
            if tokens is not None:
                tokens[:] = self._with_comments(tokens)
            comments = tuple(Span(c.start_pos or 0, c.end_pos or 0, source) for c in self._comments)
        if file is None:
            return None
        return sound(file, comments, sorted(damage), inside) if damage or inside else Parsed(file, comments)

    def parse_part(self, source: Source, begin: int, end: int) -> Parsed | None:
        with self._lock:
            parsed = self._parse_fast(source, "start", (begin, end))
        return Parsed(*parsed) if parsed is not None else None

    def parse_expression(self, source: Source, report: Reporter) -> tree.Expression | None:
        with self._lock:
            parsed = self._parse_fast(source, "expression")
            return parsed[0] if parsed is not None else self._run(source, report, "expression")[0]

    def tokenise(self, source: Source) -> list[Token]:
        with self._lock:
            self._comments.clear()
            parser = self._lark.parse_interactive(source.text, start="start")
            return self._with_comments(list(parser.lexer_thread.lex(parser.parser_state)))

    def _with_comments(self, tokens: list[Token]) -> list[Token]:
        return sorted([*tokens, *self._comments], key=lambda token: token.start_pos or 0)

    def _parse_fast(
        self, source: Source, start: str, part: tuple[int, int | None] = (0, None)
    ) -> tuple[Any, tuple[Span, ...]] | None:
        """Return what a legal text holds, and its comments; None where it may have a mistake, to be found anew."""
        if self._fast is None:
            return None
        comments: list[Span] = []
        self._builder.begin(source)
        self._report = Reporter()
        self._damage = []
        self._comments.clear()
        try:
            result = self._fast.parse(source, start, comments, part)
        except Unusual:
            return None
        finally:
            self._builder.begin(NOWHERE)
        is_unusual = self._report.diagnostics or self._comments  # one inside a label is taken for one of the file
        return None if is_unusual else (result, tuple(comments))

    def _run(
        self, source: Source, report: Reporter, start: str, tokens: list[Token] | None = None
    ) -> tuple[Any, list[int], frozenset[int]]:
        found = Reporter()
        self._builder.begin(source)
        self._report = found
        run = Parse(self._lark.parse_interactive(source.text, start=start), source, found, tokens)
        try:
            self._damage = run.damage
            result = run.result()
        finally:
            self._builder.begin(NOWHERE)
        damage, inside = run.settled_damage()
        if found.diagnostics:
            from archdsl.syntax import habits  # what only mistakes need

            told = habits.retell(source, found.diagnostics, lambda mended: self._mistakes(mended, start))
            for diagnostic in told.diagnostics:
                report.add(diagnostic)
                # It may be told of a statement around the one that does not parse.
                inside |= {diagnostic.span.start} - {*damage}
            # What of another tool's file happens to be a statement of ours is none.
            inside |= told.foreign - {*damage}
        return result, damage, inside

    def _mistakes(self, source: Source, start: str) -> Sequence[Diagnostic]:
        """Return the mistakes of a text that stands for another one, and leave no trace of it."""
        found, comments = Reporter(), [*self._comments]
        self._builder.begin(source)
        self._report = found
        run = Parse(self._lark.parse_interactive(source.text, start=start), source, found)
        try:
            self._damage = run.damage
            run.result()
        finally:
            self._builder.begin(NOWHERE)
            self._comments[:] = comments
        return found.diagnostics

    def _parse_inner(self, text: str, offset: int, code: str) -> tree.Expression:
        """Parse what stands in braces inside a text, from `offset` of the source being built; `code` is a mistake's."""
        source, report = self._builder.source, self._report
        inner, part = Reporter(), Source(text, source.name)
        self._builder.shift = offset
        try:
            if self._fast is not None and "#" not in text:
                with suppress(Unusual):
                    return self._fast.parse(part, "expression", [])
            run = Parse(self._lark.parse_interactive(text, start="expression"), part, inner)
            found: tree.Expression | None = run.result()
        finally:
            self._builder.shift = 0
        if found is None or inner.has_errors:
            span = Span(offset, offset + len(text), source)
            message = f"`{text}` is no expression to put into a {'label' if code in ('E112', 'E113') else 'key'}"
            report.error(code, message, span, help="write a name: `layer{i}`")
            self._damage.append(offset)
            return tree.Literal(0, span)
        return found
