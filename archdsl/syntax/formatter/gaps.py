"""The gaps between words that share a line."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.syntax.formatter.words import BRACKETS, CLOSERS, COMMENT, RANGE, SEPARATED, Word

# Behind these words an expression has room: `let n = a + b`. The arguments of a step are set tight: `conv a+b`.
_GIVES_ROOM = frozenset({"LET", "FN", "IF", "FOR", "ASSERT", "_WHEN"})
# What an expression may end with, so that a sign behind it has a left side.
_ENDS_OPERAND = frozenset(
    {"NAME", "REFERENCE", "DOTTED", "NUMBER", "STRING", "TRUE", "FALSE", "IN", "RPAR", "RSQB", "RBRACE"}
)
# What a range never reaches across.
_ENDS_RANGE = frozenset({"COMMA", "EQUAL", "COMPARE", "FOR", "IF", "_ELSE", "AND", "OR", "NOT", "LBRACE"})
# Behind these a name is followed by the parenthesis of its parameters or arguments, with or without a space.
_DECLARES = frozenset({"BLOCK", "MODEL", "_OF"})
_TIGHT_BEFORE = frozenset({"COMMA", "COLON", "RPAR", "RSQB", "_INDEX", "POWER", "DOT", RANGE})
_TIGHT_AFTER = BRACKETS | {"POWER", "DOT", RANGE}


class _Level:
    """A bracket that is open: whether operators in it have room, and what a range in it has seen."""

    __slots__ = ("awaits_in", "has_range", "has_room", "is_body", "signs")

    def __init__(self, *, is_body: bool) -> None:
        self.is_body, self.has_room = is_body, not is_body
        self.awaits_in = self.has_range = False
        self.signs: list[int] = []


def set_gaps(words: Sequence[Word]) -> None:
    """Set the gaps of words by their grammar alone."""
    levels = [_Level(is_body=True)]
    before, name = "", ""  # the kinds of the last two words that are no comments
    is_tight = False  # whether the next word follows without a gap
    has_left = False  # whether an operand stands to the left
    for index, word in enumerate(words):
        kind = word.kind
        if kind == COMMENT:
            word.gap = "  "
            continue
        level = levels[-1]
        if kind in CLOSERS:
            _end_range(words, level)
            levels.pop()
            word.gap = " " if level.is_body and before != "LBRACE" else ""
            if level.is_body:
                levels[-1].has_room = False
            name, before, is_tight, has_left = before, kind, False, True
            continue
        begins_statement = level.is_body and (word.gap == SEPARATED or before in ("", "LBRACE"))
        if begins_statement:
            level.has_room, level.awaits_in = False, kind == "KEYS"
        if begins_statement or kind in _ENDS_RANGE:
            _end_range(words, level)
        if level.is_body and kind in _GIVES_ROOM:
            level.has_room = True
        follows, is_tight = is_tight, False
        gap = "" if follows or kind in _TIGHT_BEFORE or before in _TIGHT_AFTER else " "
        takes_left = False
        if kind in ("SIGN", "TIMES"):
            if not has_left:
                is_tight = True
            elif level.has_room:
                level.signs.append(index)
            else:
                gap, is_tight = "", True
        elif kind == "EQUAL":
            if not (before == "STRING" or (level.is_body and level.has_room)):
                gap, is_tight = "", True
        elif kind == RANGE:
            level.has_range = True
        elif kind == "FOR":
            level.awaits_in = True
        elif kind == "IN" and level.awaits_in:
            level.awaits_in = False
        elif kind == "LPAR":
            is_declared = before == "NAME" and name in _DECLARES and len(levels) == 1
            if before == "CALL_NAME" or is_declared:
                gap = ""
        else:
            takes_left = kind in _ENDS_OPERAND
        if before == "LBRACE" and not level.is_body:
            gap = ""
        if word.gap != SEPARATED:
            word.gap = gap
        if word.closer >= 0:
            levels.append(_Level(is_body=kind == "LBRACE" and not word.is_choice))
        name, before, has_left = before, kind, takes_left
    _end_range(words, levels[0])


def _end_range(words: Sequence[Word], level: _Level) -> None:
    """Take the room out of the ends of a range: `0..n-1` looks like what it is, `(0..n) - 1` is not meant."""
    if level.has_range:
        for index in level.signs:
            words[index].gap = ""
            if words[index + 1].kind != COMMENT:
                words[index + 1].gap = ""
    level.has_range = False
    level.signs.clear()
