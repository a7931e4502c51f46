"""Text to syntax tree, with recovery: every independent syntax mistake is reported, none is raised."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# lark leaves the inside of its interactive parser untyped.

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken
from lark.parsers.lalr_analysis import Shift
from lark.parsers.lalr_interactive_parser import InteractiveParser

from archdsl.syntax import messages, tree
from archdsl.syntax.builder import Builder
from archdsl.syntax.layout import DECLARATION_WORDS, Layout, TooDeep
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import NOWHERE, Source, Span

MAX_CHARACTERS = 200_000
_MAX_ERRORS = 30
_DECLARES = DECLARATION_WORDS | {"LET", "DEFAULTS", "ALLOW"}
_WORD = re.compile(r"[A-Za-z_]\w*", re.A)
_DECLARED = re.compile(r"\b(?:fn|block|model|variant|let|def|class|import)[ \t]+([A-Za-z_]\w*)", re.A)
_APPLIES_TO_ALL = re.compile(r"\b(?:use|defaults)\b", re.A)


class Parsed(NamedTuple):
    """A syntax tree, and the comments that the grammar ignores in the order of the text.

    The tree holds only declarations that were parsed whole, but for statements that are `tree.Broken`; `broken` are the
    names that the others may have declared. `damaged` are offsets of mistakes inside statements that are kept.
    """

    file: tree.File
    comments: tuple[Span, ...]
    broken: frozenset[str] = frozenset()
    damaged: frozenset[int] = frozenset()


def parse(source: Source, report: Reporter, tokens: list[Token] | None = None) -> Parsed | None:
    """Parse a spec. Mistakes go to `report`; None when they leave no tree that tells more about the spec.

    `tokens` is given the tokens and comments of the text in order.
    """
    if len(source.text) > MAX_CHARACTERS:
        size = f"{len(source.text):,} characters"
        report.error("E004", f"{size}, where a spec has at most {MAX_CHARACTERS:,}", Span(0, 0, source))
        return None
    return _frontend().parse_file(source, report, tokens)


def parse_expression(source: Source, report: Reporter) -> tree.Expression | None:
    """Parse one expression, such as a setting's value."""
    return _frontend().parse_expression(source, report)


def _sound(file: tree.File, comments: tuple[Span, ...], damage: list[int], inside: frozenset[int]) -> Parsed | None:
    """Give what of a file holds whatever was meant where the damage is; None if all of it may depend on that.

    The damage that is `inside` statements of bodies is theirs alone.
    """
    bodies = [d.body.span for d in file.declarations if isinstance(d, tree.Block | tree.Model)]
    inside = frozenset(offset for offset in inside if any(body.start < offset < body.end for body in bodies))
    damage = [offset for offset in damage if offset not in inside]
    whole: list[tree.Declaration] = []
    broken: set[str] = set()
    end = 0
    for declaration in (*file.declarations, None):
        span = declaration.span if declaration is not None else Span(len(file.source.text), len(file.source.text))
        if bisect_left(damage, end) < bisect_left(damage, span.start):
            dropped = file.source.text[end : span.start]
            if _APPLIES_TO_ALL.search(dropped):
                return None
            broken.update(_DECLARED.findall(dropped))
            broken.update(
                word for offset in damage if end <= offset < span.start for word in _first_words(file, offset)
            )
        end = span.end
        if declaration is None:
            break
        if bisect_left(damage, span.start) == bisect_left(damage, span.end):
            whole.append(declaration)
        elif isinstance(declaration, tree.Use | tree.Defaults):
            return None
        elif not isinstance(declaration, tree.Keys):
            broken.add(declaration.name.text)
    if not whole:
        return None
    return Parsed(tree.File(file.source, tuple(whole), file.allows), comments, frozenset(broken), inside)


def _first_words(file: tree.File, offset: int) -> list[str]:
    """Give the words at the beginning of a line, of which the second is the name that it may have been to declare."""
    line, _ = file.source.position(offset)
    return _WORD.findall(file.source.line(line))[:2]


def tokenise(source: Source) -> list[Token]:
    """Give a legal text's tokens and comments in their order, separators as they stand."""
    return _frontend().tokenise(source)


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
            lexer_callbacks={"COMMENT": self._comments.append},
            # Digits and letters of other scripts look like those that paths and numbers are made of.
            g_regex_flags=re.ASCII,
            cache=_cache_path(grammar) or False,
        )

    def parse_file(self, source: Source, report: Reporter, tokens: list[Token] | None) -> Parsed | None:
        with self._lock:
            self._comments.clear()
            file, damage, inside = self._run(source, report, "start", tokens)
            if tokens is not None:
                tokens[:] = self._with_comments(tokens)
            comments = tuple(Span(c.start_pos or 0, c.end_pos or 0, source) for c in self._comments)
        if file is None:
            return None
        return _sound(file, comments, sorted(damage), inside) if damage or inside else Parsed(file, comments)

    def parse_expression(self, source: Source, report: Reporter) -> tree.Expression | None:
        with self._lock:
            return self._run(source, report, "expression")[0]

    def tokenise(self, source: Source) -> list[Token]:
        with self._lock:
            self._comments.clear()
            parser = self._lark.parse_interactive(source.text, start="start")
            return self._with_comments(list(parser.lexer_thread.lex(parser.parser_state)))

    def _with_comments(self, tokens: list[Token]) -> list[Token]:
        return sorted([*tokens, *self._comments], key=lambda token: token.start_pos or 0)

    def _run(
        self, source: Source, report: Reporter, start: str, tokens: list[Token] | None = None
    ) -> tuple[Any, list[int], frozenset[int]]:
        found = Reporter()
        self._builder.source, self._report = source, found
        run = _Run(self._lark.parse_interactive(source.text, start=start), source, found, tokens)
        try:
            self._damage = run.damage
            result = run.result()
        finally:
            self._builder.source = NOWHERE
        damage, inside = run.settled_damage()
        if found.diagnostics:
            from archdsl.syntax import habits  # what only mistakes need

            for diagnostic in habits.retell(source, found.diagnostics):
                report.add(diagnostic)
                # It may be told of a statement around the one that does not parse.
                inside |= {diagnostic.span.start} - {*damage}
        return result, damage, inside

    def _parse_inner(self, text: str, offset: int, code: str) -> tree.Expression:
        """Parse what stands in braces inside a text, from `offset` of the source being built; `code` is a mistake's."""
        source, report = self._builder.source, self._report
        padded = Source(" " * offset + text, source.name)
        inner = Reporter()
        run = _Run(self._lark.parse_interactive(padded.text, start="expression"), padded, inner)
        found: tree.Expression | None = run.result()
        if found is None or inner.has_errors:
            span = Span(offset, offset + len(text), source)
            message = f"`{text}` is no expression to put into a {'label' if code == 'E112' else 'key'}"
            report.error(code, message, span, help="write a name: `layer{i}`")
            self._damage.append(offset)
            return tree.Literal(0, span)
        return found


class _Run:
    """One parse: tokens fed one by one, and the way on after a mistake."""

    def __init__(
        self, parser: InteractiveParser, source: Source, report: Reporter, tokens: list[Token] | None = None
    ) -> None:
        self._parser, self._source, self._report = parser, source, report
        self._layout = Layout(source, report)
        self.damage = self._layout.damage
        """Offsets of the mistakes."""
        self._dropped: list[tuple[int, int]] = []
        """Texts for which a broken statement stands."""
        self._tokens = self._layout.tokens(self._lex() if tokens is None else self._recorded(tokens))
        self._behind = 0
        """Where the last token ended."""

    def result(self) -> Any:
        try:
            for token in self._tokens:
                self._feed(token)
            return self._finish()
        except (TooDeep, _GiveUp):
            return None

    def settled_damage(self) -> tuple[list[int], frozenset[int]]:
        """Give the damage that may change what stands around it, and that inside statements which are kept."""
        left = [offset for offset in self.damage if not any(start <= offset <= end for start, end in self._dropped)]
        unclosed = self._layout.unclosed
        inside = self._layout.of_brackets.intersection(left)
        return [offset for offset in self.damage if offset in unclosed or offset in left], frozenset(inside)

    def _lex(self) -> Iterator[Token]:
        thread = self._parser.lexer_thread
        while True:
            try:
                yield from thread.lex(self._parser.parser_state)
                return
            except UnexpectedCharacters as error:
                self._bad_character(error.pos_in_stream)
                # Go on behind the whole run of foreign characters, and name it once.
                run = re.compile(r'[^\s\w"#@{}()\[\]=,:;+\-*/%<>!.]+|.', re.S | re.A).match(
                    self._source.text, error.pos_in_stream
                )
                assert run is not None
                assert thread.state is not None
                thread.state.line_ctr.feed(run.group())
                yield Token("_FOREIGN", "", error.pos_in_stream, end_pos=error.pos_in_stream)

    def _recorded(self, tokens: list[Token]) -> Iterator[Token]:
        for token in self._lex():
            tokens.append(token)
            yield token

    def _bad_character(self, offset: int) -> None:
        character = self._source.text[offset]
        shown = character if character.isprintable() else f"U+{ord(character):04X}"
        help = messages.advice_on_character(character)
        self._error("E002", f"unexpected character `{shown}`", Span(offset, offset + 1, self._source), help)

    def _feed(self, token: Token) -> None:
        try:
            self._parser.feed_token(token)
        except UnexpectedToken:
            if token.start_pos != token.end_pos:  # what a token without width stands for is reported
                self._unexpected(token)
            self._layout.blame()
            self._recover(token)
        self._behind = token.end_pos or self._behind

    def _finish(self) -> Any:
        text = self._source.text
        end = Token("$END", "", start_pos=len(text.rstrip()), end_pos=len(text.rstrip()))
        try:
            return self._parser.feed_token(end)
        except UnexpectedToken:
            if not self.damage:
                self._unexpected(end)
            return None

    def _unexpected(self, token: Token) -> None:
        span = Span(token.start_pos or 0, token.end_pos or 0, self._source)
        accepted = frozenset(self._actions()) - {"BROKEN"}
        if token.type == "$END":
            what = "the spec ends in the middle of a statement"
        elif (token.type == "_SEPARATOR" and token != ";") or self._is_below(token):
            what = "the line ends in the middle of a statement"
            if token.type != "_SEPARATOR":
                span = Span(self._behind, self._behind + 1, self._source)
        else:
            what = f"unexpected `{token}`"
        self._error("E001", what, span, messages.advice(token.type, str(token), accepted))

    def _is_below(self, token: Token) -> bool:
        """Tell whether a brace closes a body on a line of its own, so that the mistake is on a line above."""
        is_inside = any(isinstance(v, Token) and v.type == "LBRACE" for v in self._parser.parser_state.value_stack)
        return is_inside and token.type == "RBRACE" and "\n" in self._source.text[self._behind : token.start_pos or 0]

    def _error(self, code: str, message: str, span: Span, help: str) -> None:
        self._report.error(code, message, span, help=help)
        self.damage.append(span.start)
        if len(self.damage) >= _MAX_ERRORS:
            raise _GiveUp

    def _actions(self) -> dict[str, Any]:
        state = self._parser.parser_state
        return state.parse_conf.parse_table.states[state.position]

    def _recover(self, token: Token | None) -> None:
        """Drop the statement that the mistake is in, and go on behind it; in no body, at the next declaration."""
        failed = token.start_pos or 0 if token is not None else 0
        self._unwind()
        is_outside = not any(isinstance(v, Token) and v.type == "LBRACE" for v in self._parser.parser_state.value_stack)
        depth = 0
        while token is not None:
            if token.type == "LBRACE":
                depth += 1
            elif token.type == "RBRACE":
                if depth == 0 and not is_outside:
                    break
                depth = max(depth - 1, 0)
            elif token.type == "_SEPARATOR" and depth == 0:
                if not is_outside:
                    break
                following = next(self._tokens, None)
                if following is not None and following.type in _DECLARES:
                    self._resume(token)
                    self._feed(following)
                    return
                token = following
                continue
            token = next(self._tokens, None)
        is_marked = not is_outside and token is not None and self._mark(failed, token.start_pos or 0)
        if not is_marked and (token is None or token.type == "RBRACE"):
            self._drop_separator()
        if token is not None:
            self._resume(token)

    def _mark(self, failed: int, end: int) -> bool:
        """Put a broken statement in the place of what was dropped, where one may stand."""
        top: Any = self._parser.parser_state.value_stack[-1]
        start = failed
        if isinstance(top, Token) and top.type in ("LBRACE", "_SEPARATOR"):
            start = top.end_pos or 0
        elif "_SEPARATOR" in self._actions():
            self._parser.feed_token(Token("_SEPARATOR", ";", failed, end_pos=failed))
        if "BROKEN" not in self._actions():
            return False
        text = self._source.text
        start += len(text[start:end]) - len(text[start:end].lstrip())
        last = max(start, len(text[:end].rstrip()))
        self._parser.feed_token(Token("BROKEN", text[start:last], start, end_pos=last))
        self._dropped.append((start, max(start, end)))
        return True

    def _resume(self, token: Token) -> None:
        if token.type in self._actions():
            self._parser.feed_token(token)

    def _unwind(self) -> None:
        """Go back to the last place where a statement could begin or had just ended, out of bodies that are closed."""
        state = self._parser.parser_state
        closed = 0
        while len(state.state_stack) > 1:
            top = state.value_stack[-1]
            kind = top.type if isinstance(top, Token) else ""
            action = self._actions().get("_SEPARATOR")
            has_ended = action is not None and action[0] is Shift
            if not closed and (kind in ("LBRACE", "_SEPARATOR") or has_ended):
                return
            closed += (kind == "RBRACE") - (kind == "LBRACE")
            state.state_stack.pop()
            state.value_stack.pop()

    def _drop_separator(self) -> None:
        state = self._parser.parser_state
        if (
            state.value_stack
            and isinstance(state.value_stack[-1], Token)
            and state.value_stack[-1].type == "_SEPARATOR"
        ):
            state.state_stack.pop()
            state.value_stack.pop()


class _GiveUp(Exception):
    """More mistakes than a person reads at once."""
