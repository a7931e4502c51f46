"""What to say of a token that the grammar does not accept."""

from __future__ import annotations

from collections.abc import Iterable

_WORDS = {
    "NAME": "a name",
    "CALL_NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a string",
    "LABEL": "a label",
    "_SEPARATOR": "a new line",
    "RBRACE": "`}`",
    "LBRACE": "`{`",
    "RPAR": "`)`",
    "LPAR": "`(`",
    "RSQB": "`]`",
    "LSQB": "`[`",
    "EQUAL": "`=`",
    "COMMA": "`,`",
    "COLON": "`:`",
    "IN": "`in`",
    "_OF": "`of`",
    "$END": "the end of the file",
}
_MOST_WORDS = 4


def expectation(accepted: Iterable[str]) -> str:
    """Say what could stand at a place, or "" when that would be a long list."""
    words = sorted({_WORDS.get(kind, "") for kind in accepted})
    if "" in words or len(words) > _MOST_WORDS:
        return ""
    return " or ".join(words)


def advice(kind: str, text: str, accepted: frozenset[str]) -> str:
    """Say what to do about an unexpected token, as far as the grammar tells."""
    if text.isalpha() and kind not in ("NAME", "LABEL") and "NAME" in accepted:
        return f"`{text}` is a word of the language: choose another name"
    if text == ",":
        return "arguments of a step are separated by spaces"
    if kind == "SIGN" and "NAME" in accepted:
        return "put a negative argument into parentheses"
    if kind == "$END":
        return "the file ends too early"
    expected = expectation(accepted)
    return f"expected {expected}" if expected else ""
