"""Legal texts to trees in one tight loop over lark's own scanner and tables; what is unusual is left to `recovery`."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# lark leaves its tables untyped.

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias, cast

from lark import Lark, Token
from lark.lexer import UnlessCallback
from lark.parse_tree_builder import ChildFilterLALR, ChildFilterLALR_NoPlaceholders, ExpandSingleChild
from lark.parsers.lalr_analysis import Shift

from archdsl.syntax.indentation import unclosed_braces
from archdsl.syntax.layout import CLOSES, CONTINUES, MAX_DEPTH, OPENS, STATEMENT_WORDS
from archdsl.syntax.recovery import DECLARING_NAMES, MAX_WORDS, NAMES_IN_EXPERIMENTS
from archdsl.text.source import Source, Span

TokenChange: TypeAlias = Callable[[Token], Token]
"""What a lexer's callback makes of a token."""
# How many parts a rule has, what makes its value of them (None where that is the only part), and its name.
_Reduction: TypeAlias = tuple[int, Callable[[list[Any]], Any] | None, str]
_SOMETIMES = {*DECLARING_NAMES.values(), *NAMES_IN_EXPERIMENTS}
"""Words that are of the language in some places, and names elsewhere."""
# Stands on the stack for every sign that no callback is given.
_SIGN = Token("_SIGN", "")


class Unusual(Exception):
    """Something is left to the other parser: a text that may have a mistake, or a lark that looks otherwise inside."""


class FastParser:
    """Parses legal texts with lark's scanner, tables and callbacks, a few times as fast as token by token.

    Errors: Unusual where lark looks otherwise inside than is expected here
    """

    def __init__(self, lark: Lark, changes: Mapping[str, TokenChange]) -> None:
        """Read lark's tables; `changes` are the callbacks of its lexer that change tokens, by kind."""
        self._changes = changes
        self._skipped: dict[tuple[int, int, str], int] = {}
        """What `_skip` gave, by its arguments."""
        try:
            self._read_scanner(lark)
            self._read_tables(lark)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Unusual from error

    def _read_scanner(self, lark: Lark) -> None:
        lexer = cast("Any", lark.parser).lexer
        (pattern,) = lexer.scanner._mres
        callbacks = dict(lexer.callback)
        unless = callbacks.pop("NAME")
        _expect(isinstance(pattern, re.Pattern) and lexer.ignore_types == {"COMMENT", "_SPACE"})
        _expect(type(unless) is UnlessCallback and callbacks.keys() == {"COMMENT", *self._changes})
        self._find: Callable[[str, int, int], Iterator[re.Match[str]]] = pattern.finditer
        texts = [str(terminal.pattern.value) for terminal in lark.terminals if terminal.pattern.type == "str"]
        self._words: dict[str, str] = {word: unless(Token("NAME", word)).type for word in texts if word.isalpha()}
        self._words.update(DECLARING_NAMES)

    def _read_tables(self, lark: Lark) -> None:
        table, callbacks = cast("Any", lark.parser).parser._parse_table, cast("Any", lark)._callbacks
        _expect(not {terminal.name for terminal in lark.terminals} & {*map(str, callbacks)})
        self._starts: dict[str, int] = table.start_states
        self._ends: dict[str, int] = table.end_states
        rules = {arg for row in table.states.values() for action, arg in row.values() if action is not Shift}
        reductions = {rule: (len(rule.expansion), _maker(rule, callbacks[rule]), rule.origin.name) for rule in rules}
        self._states: dict[int, dict[str, int | _Reduction]] = {
            state: {symbol: arg if action is Shift else reductions[arg] for symbol, (action, arg) in row.items()}
            for state, row in table.states.items()
        }
        self._to: dict[int, dict[str, int]] = {
            state: {symbol: arg for symbol, (action, arg) in row.items() if action is Shift}
            for state, row in table.states.items()
        }
        parts = (part for rule in rules for part in rule.expansion)
        self._kept = {part.name for part in parts if part.is_term and not part.filter_out}
        _expect(all(isinstance(state, int) for state in table.states) and self._kept >= {"NAME", *_SOMETIMES})

    def parse(self, source: Source, start: str, comments: list[Span], part: tuple[int, int | None] = (0, None)) -> Any:
        """Return what the grammar's rule `start` makes of a text, whose comments are put into `comments`.

        `part` is where in the text that stands, as [begin, end), if not all of it is meant.
        Errors: Unusual where the other parser may have something to say
        """
        if unclosed_braces(source.text):
            raise Unusual
        return self._run(self._laid_out(source, comments, *part), start)

    def _laid_out(
        self, source: Source, comments: list[Span], begin: int, stop: int | None
    ) -> Iterator[tuple[str, Token]]:
        """Yield the tokens that `Layout` lets through, with their kinds, as long as it has nothing to report."""
        words, kept, changes = self._words, self._kept, self._changes
        opened: list[tuple[str, bool]] = []
        joins_lines = starts_line = False
        separator, previous = "", "LBRACE"
        stop = len(source.text) if stop is None else stop
        reached, count = begin, 0
        for match in self._find(source.text, begin, stop):
            kind: Any = match.lastgroup
            start, end = match.span()
            if start != reached:
                raise Unusual  # a character that no token begins with
            reached = end
            if kind == "_SPACE":
                continue
            if kind == "COMMENT":
                comments.append(Span(start, end, source))
                continue
            count += 1
            value = match[0]
            if kind == "_SEPARATOR":
                if not joins_lines:
                    separator = separator or value
                elif value == ";":
                    raise Unusual
                starts_line = True
                continue
            if kind == "NAME":
                kind = words.get(value, kind)
            elif kind in changes:
                changed = changes[kind](Token(kind, value, start, end_pos=end))
                value, start, end = str(changed), changed.start_pos or 0, changed.end_pos or 0
            # The other words that close what was forgotten are never legal in there.
            if joins_lines and starts_line and kind in STATEMENT_WORDS:
                raise Unusual
            if kind in OPENS:
                joins_lines = kind != "LBRACE" or previous == "CHOOSE"
                opened.append((OPENS[kind], joins_lines))
                if len(opened) > MAX_DEPTH:
                    raise Unusual
            elif kind in CLOSES:
                if not opened or opened.pop()[0] != kind:
                    raise Unusual
                joins_lines = bool(opened) and opened[-1][1]
            if separator:
                if previous != "LBRACE" and kind != "RBRACE" and (separator == ";" or kind not in CONTINUES):
                    yield "_SEPARATOR", _SIGN
                separator = ""
            starts_line, previous = False, kind
            if kind in kept:
                token: Token = str.__new__(Token, value)
                token.type, token.start_pos, token.end_pos = kind, start, end
                yield kind, token
            else:
                yield kind, _SIGN
        if reached < stop or opened or count > MAX_WORDS:
            raise Unusual
        yield "$END", _SIGN

    def _run(self, tokens: Iterable[tuple[str, Token]], start: str) -> Any:
        """Return the value of a rule whose text has these tokens."""
        states, to, skipped, skip = self._states, self._to, self._skipped, self._skip
        end = self._ends[start]
        state = self._starts[start]
        path, values = [state], list[Any]()
        """The states on the way here, and what lies between them."""
        for kind, token in tokens:
            if kind not in states[state]:
                kind = self._kind_here(kind, states[state], values)
                token.type = kind
            while True:
                action = states[state].get(kind)
                if isinstance(action, int):
                    path.append(action)
                    values.append(token)
                    state = action
                    break
                if action is None:
                    raise Unusual
                size, make, name = action
                if make is None:
                    key = path[-2], state, kind
                    state = path[-1] = skipped.get(key) or skip(key, end)
                else:
                    parts: list[Any] = []
                    if size:
                        parts = values[-size:]
                        del values[-size:], path[-size:]
                    values.append(make(parts))
                    state = to[path[-1]][name]
                    path.append(state)
                if state == end and kind == "$END":
                    return values[-1]
        raise Unusual

    def _skip(self, key: tuple[int, int, str], end: int) -> int:
        """Return the state behind all rules, one after another, that have the value at hand as their only part.

        `key` is the state below that value, the state above it, and the kind of the next token.
        """
        below, state, kind = key
        while not (state == end and kind == "$END"):
            action = self._states[state].get(kind)
            if not isinstance(action, tuple) or action[1] is not None:
                break
            state = self._to[below][action[2]]
        self._skipped[key] = state
        return state

    @staticmethod
    def _kind_here(kind: str, row: Mapping[str, object], values: list[Any]) -> str:
        """Return what a word is where it cannot be of the language, as `Parse` has it."""
        if kind in NAMES_IN_EXPERIMENTS and "NAME" in row:
            is_name = any(isinstance(value, Token) and value.type == "EXPERIMENT" for value in values)
        else:
            is_name = kind in _SOMETIMES and kind not in NAMES_IN_EXPERIMENTS
        if not is_name:
            raise Unusual
        return "NAME"


def _maker(rule: Any, callback: Any) -> Callable[[list[Any]], Any] | None:
    """Return what makes a rule's value of its parts; None where it is the only part.

    Where lark's filter only drops signs or marks what is absent, the same is done without going through its list.
    """
    kind, parts = type(callback), len(rule.expansion)
    if kind is ExpandSingleChild and parts == 1:
        return None
    if kind not in (ChildFilterLALR, ChildFilterLALR_NoPlaceholders):
        return callback
    entries, build, last = _read_filter(callback)
    if any(expands for _, expands, _ in entries) or type(build) is ExpandSingleChild:
        return callback
    # What is absent is taken from behind the parts.
    kept = [index for at, _, absences in entries for index in (*[parts] * absences, at)] + [parts] * last

    def make(given: list[Any]) -> Any:
        return build([given[index] for index in kept])

    def make_with_absent(given: list[Any]) -> Any:
        given.append(None)
        return build([given[index] for index in kept])

    return make_with_absent if parts in kept else make


def _read_filter(callback: Any) -> tuple[list[tuple[int, bool, int]], Callable[[list[Any]], Any], int]:
    """Return what a filter includes, each with how many are absent before it, what is given that, and absent behind."""
    entries: Any = [(*entry, 0)[:3] for entry in callback.to_include]
    return entries, callback.node_builder, getattr(callback, "append_none", 0)


def _expect(is_so: bool) -> None:
    if not is_so:
        raise Unusual
