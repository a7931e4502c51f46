"""What to say of a token that the grammar does not accept."""

from __future__ import annotations

from collections.abc import Iterable

_WORDS = {
    "NAME": "a name",
    "CALL_NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a string",
    "LABEL": "a label",
    "REUSED": "a label",
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


def advice_on_character(character: str) -> str:
    """Say what to do about a character that no word of the language contains."""
    if character == '"':
        return "close the string on the line it starts on"
    if character == "^":
        return "write `**` for a power"
    if character.isascii():
        return "remove it"
    return "remove it, or put it into a comment; names are made of the letters a to z, digits and `_`"


def expectation(accepted: Iterable[str]) -> str:
    """Say what could stand at a place, or "" when that would be a long list."""
    words = sorted({_WORDS.get(kind, "") for kind in accepted})
    if "" in words or len(words) > _MOST_WORDS:
        return ""
    return " or ".join(words)


def advice(kind: str, text: str, accepted: frozenset[str], *, is_choosing: bool = False) -> str:
    """Say what to do about an unexpected token, as far as the grammar tells; inside of `choose {` or not."""
    is_word = text.isalpha() and text not in ("true", "false") and kind not in ("NAME", "CALL_NAME", "LABEL")
    if is_word and "NAME" in accepted:
        return f"`{text}` is a word of the language: choose another name"
    if is_choosing:
        return "options stand between commas: `choose {batch, group(4)}`"
    if kind == "CALL_NAME":
        return "what a step takes stands behind a space, without parentheses around it"
    if kind == "SIGN" and "NAME" in accepted:
        return "put a negative argument into parentheses"
    if kind == "RBRACE" and "LBRACE" not in accepted and "$END" in accepted:
        return "no brace is open here: remove it"
    if kind == "_ELSE":
        return "`else` follows the `}` of an `if`, with nothing between but a line end"
    if kind == "$END":
        return "the file ends too early"
    expected = expectation(accepted)
    return f"expected {expected}" if expected else ""
