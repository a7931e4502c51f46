"""The formatter: a legal spec's text in the one style, checked to be the same spec."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lark import Token

from archdsl.syntax.formatter.columns import write_lines
from archdsl.syntax.formatter.gaps import set_gaps
from archdsl.syntax.formatter.lines import break_lines
from archdsl.syntax.formatter.words import CLOSERS, COMMENT, read_words
from archdsl.syntax.layout import Layout
from archdsl.syntax.parser import parse, tokenise
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source

# Behind these the grammar takes a name whether or not a bracket follows it directly.
_NAMING = frozenset({"BLOCK", "MODEL", "_OF", "USE"})


class FormatterBug(Exception):
    """Formatting would have changed what a spec says, or a second formatting would change the text again."""

    def __init__(self, source: Source, fault: str) -> None:
        super().__init__(f"formatting `{source.name}` {fault}, so it is left as it was")


def format_source(source: Source, report: Reporter) -> str | None:
    """Return a spec's text in the one style; None where it is no legal spec, with its mistakes in `report`.

    Lines end as the first one does, with LF or CR LF, and with LF where that is neither.
    Errors: FormatterBug
    """
    bare = Source(source.text.removeprefix("\ufeff"), source.name)
    found = Reporter()
    tokens: list[Token] = []
    parsed = parse(bare, found, tokens)
    for diagnostic in found.diagnostics:
        report.add(diagnostic)
    if parsed is None or found.has_errors:
        return None
    text = _format(bare.text, tokens)
    _check(bare, tokens, text)
    return text.replace("\n", "\r\n") if _ends_with_crlf(bare.text) else text


def _format(text: str, tokens: Sequence[Token]) -> str:
    words = read_words(text, tokens)
    set_gaps(words)
    return write_lines(words, break_lines(words))


def _check(source: Source, tokens: Sequence[Token], text: str) -> None:
    """Compare what was formatted with the source, and with itself formatted once more.

    The parser sees a text as the tokens that `Layout` gives, and sees nothing else. Equal tokens therefore make equal
    trees, but for spans, and comparing them takes a third of the time of parsing.
    """
    result = Source(text, source.name)
    again = tokenise(result)
    if _comments(again) != _comments(tokens):
        raise FormatterBug(source, "would change a comment")
    if list(_meaning(result, again)) != list(_meaning(source, tokens)):
        raise FormatterBug(source, "would change what it says")
    if _format(text, again) != text:
        raise FormatterBug(source, "twice would give another text than once")


def _comments(tokens: Sequence[Token]) -> list[str]:
    return [token.rstrip(" \t\f") for token in tokens if token.type == COMMENT]


def _meaning(source: Source, tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Return the tokens that the parser sees, as far as they make a difference to the tree.

    Separators are all alike, a comma before a closing bracket says nothing, and in `block name (c)` the name is the
    same with a space behind it and without: the grammar takes either kind of token there.
    """
    before, comma, depth = "", False, 0
    report = Reporter()
    for token in Layout(source, report).tokens(token for token in tokens if token.type != COMMENT):
        kind = token.type
        depth += (kind == "LBRACE") - (kind == "RBRACE")
        if comma and kind not in CLOSERS:
            yield "COMMA", ","
        comma = kind == "COMMA"
        if kind == "_SEPARATOR":
            yield kind, ";"
        elif kind == "CALL_NAME" and before in _NAMING and not depth:
            yield "NAME", str(token)
        elif not comma:
            yield kind, str(token)
        before = kind
    if report.has_errors:
        raise FormatterBug(source, "would break a bracket")


def _ends_with_crlf(text: str) -> bool:
    return text[: text.find("\n") + 1].endswith("\r\n")
