"""One parse of a text, which goes on behind each mistake."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# lark leaves the inside of its interactive parser untyped.

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken
from lark.parsers.lalr_analysis import Shift
from lark.parsers.lalr_interactive_parser import InteractiveParser

from archdsl.syntax import messages
from archdsl.syntax.layout import CLOSER, DECLARATION_WORDS, EXPERIMENT, Layout, TooDeep
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source, Span

_MAX_ERRORS = 30
MAX_WORDS = 50_000
_DECLARES = DECLARATION_WORDS | {"FN", "LET", "DEFAULTS", "ALLOW"}
DECLARING_NAMES = {"recipe": "RECIPE", EXPERIMENT: "EXPERIMENT"}
"""Names that are words of the language where a declaration begins."""
NAMES_IN_EXPERIMENTS = frozenset({"MODEL", "TRAINING"})
"""Words of the language that are names in an experiment's body."""


class Parse:
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
        """Return the damage that may change what stands around it, and that inside statements which are kept."""
        left = [offset for offset in self.damage if not any(start <= offset <= end for start, end in self._dropped)]
        unclosed = self._layout.unclosed
        inside = self._layout.of_brackets.intersection(left)
        return [offset for offset in self.damage if offset in unclosed or offset in left], frozenset(inside)

    def _lex(self) -> Iterator[Token]:
        for count, token in enumerate(self._all_tokens()):
            if count == MAX_WORDS:
                span = Span(token.start_pos or 0, token.end_pos or 0, self._source)
                help = "split it into files, and take blocks from one to another"
                self._report.error("E004", f"a spec has at most {MAX_WORDS:,} words and signs", span, help=help)
                raise _GiveUp
            yield token

    def _all_tokens(self) -> Iterator[Token]:
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
        token = self._as_declared(token)
        try:
            self._parser.feed_token(token)
        except UnexpectedToken:
            if token.start_pos != token.end_pos:  # what a token without width stands for is reported
                self._unexpected(token)
            self._layout.blame()
            self._recover(token)
        self._behind = token.end_pos or self._behind

    def _as_declared(self, token: Token) -> Token:
        """Return a word as what it is at its place: some are of the language in some places, and names elsewhere."""
        kind = token.type
        if kind == "NAME" and (declaring := DECLARING_NAMES.get(token)) is not None:
            return Token.new_borrow_pos(declaring, str(token), token) if declaring in self._actions() else token
        if kind in NAMES_IN_EXPERIMENTS and kind not in (actions := self._actions()) and "NAME" in actions:
            stack = self._parser.parser_state.value_stack
            if any(isinstance(value, Token) and value.type == "EXPERIMENT" for value in stack):
                return Token.new_borrow_pos("NAME", str(token), token)
        return token

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
        help = messages.advice(token.type, str(token), accepted, is_choosing=self._is_choosing())
        self._error("E001", what, span, help)

    def _is_choosing(self) -> bool:
        """Return whether the bracket around a mistake is that of `choose {`."""
        words = [v.type if isinstance(v, Token) else "" for v in self._parser.parser_state.value_stack]
        inner = next((i for i in reversed(range(len(words))) if words[i] in CLOSER), 0)
        return inner > 0 and words[inner - 1] == "CHOOSE"

    def _is_below(self, token: Token) -> bool:
        """Return whether a brace closes a body on a line of its own, so that the mistake is on a line above."""
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
        depth = self._unwind()
        is_outside = not any(isinstance(v, Token) and v.type == "LBRACE" for v in self._parser.parser_state.value_stack)
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
                if following is not None and (following.type in _DECLARES or following in DECLARING_NAMES):
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

    def _unwind(self) -> int:
        """Go back to the last place where a statement could begin or had just ended, out of bodies that are closed.

        Returns how many braces of `choose {` were gone back over, in which no statement can begin.
        """
        state = self._parser.parser_state
        closed = choices = 0
        while len(state.state_stack) > 1:
            top = state.value_stack[-1]
            kind = top.type if isinstance(top, Token) else ""
            action = self._actions().get("_SEPARATOR")
            has_ended = action is not None and action[0] is Shift
            below = state.value_stack[-2] if len(state.value_stack) > 1 else None
            is_choice = kind == "LBRACE" and isinstance(below, Token) and below.type == "CHOOSE"
            if not closed and not is_choice and (kind in ("LBRACE", "_SEPARATOR") or has_ended):
                return choices
            choices += is_choice and not closed
            closed += (kind == "RBRACE") - (kind == "LBRACE" and (closed > 0 or not is_choice))
            state.state_stack.pop()
            state.value_stack.pop()
        return choices

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
