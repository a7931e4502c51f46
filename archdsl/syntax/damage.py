"""What a text with mistakes still says, whatever was meant where they are."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple

from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.text.source import Span

_WORD = re.compile(r"[A-Za-z_]\w*", re.A)
_DECLARED = re.compile(r"\b(?:fn|block|model|variant|let|def|class|import)[ \t]+([A-Za-z_]\w*)", re.A)
# A declaration inside a body is a statement that does not parse.
_MISPLACED = re.compile(r"\b(?:fn|block)[ \t]+([A-Za-z_]\w*)", re.A)
_WITH_BODIES = (tree.Block, tree.Model, tree.RecipeText, tree.ExperimentText)
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
    is_legal: bool = True


def sound(file: tree.File, comments: tuple[Span, ...], damage: list[int], inside: frozenset[int]) -> Parsed | None:
    """Return what of a file holds whatever was meant where the damage is; None if all of it may depend on that.

    The damage that is `inside` statements of bodies is theirs alone.
    """
    bodies = [d.body.span for d in file.declarations if isinstance(d, _WITH_BODIES)]
    inside = frozenset(offset for offset in inside if any(body.start < offset < body.end for body in bodies))
    damage = [offset for offset in damage if offset not in inside]
    whole: list[tree.Declaration] = []
    statements = [node for node in nodes_of(file.declarations) if isinstance(node, tree.Broken)]
    broken = {name for statement in statements for name in _MISPLACED.findall(statement.span.text)}
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
        elif not isinstance(declaration, tree.Keys | tree.RecipeText | tree.ExperimentText):
            broken.add(declaration.name.text)
    if not whole:
        return None
    return Parsed(
        tree.File(file.source, tuple(whole), file.allows), comments, frozenset(broken), inside, is_legal=False
    )


def _first_words(file: tree.File, offset: int) -> list[str]:
    """Return the words at the beginning of a line, of which the second is the name that it may have been to declare."""
    line, _ = file.source.position(offset)
    return _WORD.findall(file.source.line(line))[:2]
