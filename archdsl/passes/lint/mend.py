"""Edits that the lints' fixes are made of."""

from __future__ import annotations

import re
from functools import lru_cache

from archdsl.ir.graph import Node
from archdsl.text.diagnostic import Fix
from archdsl.text.edits import removal
from archdsl.text.source import Span

_LABEL = re.compile(r"""(?:"[^"\n]*"|[A-Za-z_]\w*(?:\{[^{}\n]*\}\w*)*)[ \t]*:[ \t]*\Z""")
_VARIANT = re.compile(r"^[ \t]*variant\b", re.M)
_REPEAT = re.compile(r"[ \t]*x\b")


def statement_of(span: Span) -> Span:
    """Return a step's place with the label before it."""
    line_start = span.source.text.rfind("\n", 0, span.start) + 1
    label = _LABEL.search(span.source.text, line_start, span.start)
    return Span(label.start() if label else span.start, span.end, span.source)


def is_repeated(span: Span) -> bool:
    """Return whether a repeat follows a step's text: `conv 8 x 3`."""
    return _REPEAT.match(span.source.text, span.end) is not None


def without(node: Node, *, is_same_network: bool) -> Fix | None:
    """Remove a step; safely where the network stays the same, whoever calls it, and no other step's name depends on it.

    A variant may have other operators in the place of those around it, or find them by their paths.
    """
    span = node.span
    is_named = node.is_labelled and re.split(r"\W", node.id)[0] in _named(span.source.text)
    statement = statement_of(span)
    if is_repeated(span) or node.calls or span.text.endswith("}") or is_named or _is_alone(statement):
        return None
    is_fixed = node.op is not None and node.word == node.op.keyword and not _VARIANT.search(span.source.text)
    is_free = not node.is_labelled and not node.id.isdigit() and is_fixed
    return Fix.at(removal(statement), "", is_safe=is_same_network and is_free, title=f"remove `{span.text}`")


@lru_cache(maxsize=1)
def _named(text: str) -> frozenset[str]:
    """Return the first words of what a text refers to."""
    return frozenset(re.findall(r"(?:@|\breuse\s+)(\w+)", text))


def _is_alone(statement: Span) -> bool:
    """Return whether nothing but a statement stands in its braces."""
    text = statement.source.text
    return text[: statement.start].rstrip().endswith("{") and text[statement.end :].lstrip().startswith("}")


def followed_by(span: Span, step: str) -> Fix | None:
    """Put a step behind another one; never safe, since it makes another network."""
    if is_repeated(span):
        return None
    return Fix.at(Span(span.end, span.end, span.source), f"; {step}", title=f"write `{step}` behind it")


def preceded_by(span: Span, step: str) -> Fix:
    """Put a step before another one; never safe, since it makes another network."""
    start = statement_of(span).start
    return Fix.at(Span(start, start, span.source), f"{step}; ", title=f"write `{step}` before it")
