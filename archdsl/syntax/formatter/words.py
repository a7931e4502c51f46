"""The words of a spec: its tokens and comments, the brackets that they are in, and the line breaks of its author."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lark import Token

COMMENT = "COMMENT"
RANGE = "RANGE"
SEPARATED = "; "
"""The gap before a statement that shares its line with the one before it."""

BRACKETS = frozenset({"LPAR", "LSQB", "_INDEX"})
OPENERS = BRACKETS | {"LBRACE"}
CLOSERS = frozenset({"RPAR", "RSQB", "RBRACE"})
CLAUSES = frozenset({"FOR", "IF", "_ELSE", "AND", "OR"})
"""What may begin a line inside ( ) and [ ], besides what follows a comma or stands beside the brackets."""

_CONTINUES = frozenset({"_ELSE", "_SHORTCUT"})
_CARRIAGE_RETURN = re.compile(r"\r(?!\n)")


@dataclass(slots=True, eq=False)
class Word:
    """A token or a comment."""

    kind: str
    text: str
    opener: int
    """The index of the bracket that it is directly inside of, or that it closes; -1 outside of all."""
    begins_line: bool
    follows_blank: bool
    """Whether a blank line stands before it, if it begins a line."""
    gap: str = ""
    """What stands between it and the word before it on its line."""
    closer: int = -1
    """The index of the bracket that closes it, if it opens one."""
    is_choice: bool = False
    """Whether it is the opening brace of `choose`, which holds items as a bracket does, and no statements."""
    is_continued: bool = False
    """Whether it is a comment that goes on below one behind code, in the same column."""


def read_words(text: str, tokens: Iterable[Token]) -> list[Word]:
    """Return the words of a legal text, from its tokens and comments in order.

    A word begins a line where its author began one and a line may begin. Separators, and a comma before a closing
    bracket, are left out: a statement has either a line of its own or the gap `SEPARATED`.
    """
    words: list[Word] = []
    brackets: list[int] = []
    code = -1  # the index of the last word that is no comment
    column = -1  # of the comment behind code that the next line may continue
    end, is_separated = 0, False
    for token in tokens:
        kind, start = token.type, token.start_pos or 0
        if kind == "_SEPARATOR":
            is_separated = True
            continue
        lines = _line_ends(text, end, start) if start > end else 0
        end = start + len(token)
        previous = words[-1].kind if words else ""
        if kind == COMMENT:
            begins_line = lines > 0 or not words
            own = start - text.rfind("\n", 0, start)
            is_below = lines == 1 and own == column
            column = own if is_below or not begins_line else -1
            follows_blank = lines > 1 and previous not in OPENERS and previous != ""
            opener = brackets[-1] if brackets else -1
            comment = Word(kind, token.rstrip(" \t\f"), opener, begins_line, follows_blank, is_continued=is_below)
            words.append(comment)
            continue
        if kind in CLOSERS:
            if words[code].kind == "COMMA":
                del words[code]
                code -= 1
                previous = words[-1].kind
            opener = brackets.pop()
            words[opener].closer = len(words)
        else:
            opener = brackets[-1] if brackets else -1
        word = Word(RANGE if token == ".." else kind, str(token), opener, False, False)
        if kind == "COMMA":  # also from behind a comment
            code += 1
            words.insert(code, word)
            continue
        before = words[code].kind if code >= 0 else ""
        if previous in ("", COMMENT):
            word.begins_line = True
        elif lines:
            word.begins_line = _may_begin_line(word, before, words[opener] if opener >= 0 else None)
        word.follows_blank = lines > 1 and kind not in CLOSERS and previous not in OPENERS and previous != ""
        if is_separated and before not in ("", "LBRACE") and kind != "RBRACE" and kind not in _CONTINUES:
            word.gap = SEPARATED if opener < 0 or words[opener].kind == "LBRACE" else ""
        is_separated = False
        if kind in OPENERS:
            word.is_choice = before == "CHOOSE"
            brackets.append(len(words))
        code, column = len(words), -1
        words.append(word)
    return words


def _line_ends(text: str, start: int, end: int) -> int:
    gap = text[start:end]
    return gap.count("\n") + (len(_CARRIAGE_RETURN.findall(gap)) if "\r" in gap else 0)


def _may_begin_line(word: Word, before: str, inside: Word | None) -> bool:
    """Return whether a break that the author made before a word is kept. `inside` is the bracket that it is in."""
    if before in OPENERS:
        return word.kind not in CLOSERS
    if inside is None or (inside.kind == "LBRACE" and not inside.is_choice):
        return word.kind not in _CONTINUES
    return before == "COMMA" or word.kind in CLOSERS or word.kind in CLAUSES
