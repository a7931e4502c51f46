"""The tree of a text that was edited: what stands as it stood is kept, with its places moved."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Container, Iterable, Sequence
from typing import TypeAlias

from archdsl.syntax import tree
from archdsl.syntax.damage import Parsed
from archdsl.syntax.indentation import unclosed_braces
from archdsl.syntax.parser import parse_part
from archdsl.syntax.recovery import MAX_WORDS
from archdsl.syntax.walk import nodes_of
from archdsl.text.source import Source, Span, Stretch

TopLevel: TypeAlias = tree.Declaration | tree.Allow
Kept: TypeAlias = Sequence[tuple[TopLevel, int]]
"""What both texts declare, as it was parsed first, and where it begins in the later text."""


def parse_edited(earlier: Parsed, source: Source) -> tuple[Parsed, Kept] | None:
    """Return the tree of the text that a legal one became by an edit, of which only the lines around it are parsed.

    None where the whole has to be: an edit that may be a mistake, or that reaches further than its lines. The places
    in what is kept are still those in the earlier text, until `move_on`.
    """
    old, new = earlier.file.source.text, source.text
    if len(new) > MAX_WORDS or unclosed_braces(new):
        return None
    same = _common(old, new)
    same_behind = min(_common(old[::-1], new[::-1]), min(len(old), len(new)) - same)
    moved = len(new) - len(old)
    # Declarations count as touched if they share a line with the edit, so that no token reaches from one into another.
    first_line = old.rfind("\n", 0, same) + 1
    line_end = old.find("\n", len(old) - same_behind)
    items = earlier.file.in_order()
    before = [item for item in items if item.span.end < first_line]
    behind = [item for item in items if line_end >= 0 and item.span.start > line_end]
    begin = before[-1].span.end if before else 0
    last = behind[0].span.start if behind else len(old)
    part = parse_part(source, begin, last + moved)
    if part is None or not _is_separate(part, bool(before), bool(behind), begin, last + moved):
        return None
    made, kept = _adopt(items[len(before) : len(items) - len(behind)], part.file.in_order())
    kept = [*((item, item.span.start) for item in before), *kept, *((item, item.span.start + moved) for item in behind)]
    comments = (
        *(Span(place.start, place.end, source) for place in earlier.comments if place.end <= begin),
        *part.comments,
        *(Span(place.start + moved, place.end + moved, source) for place in earlier.comments if place.start >= last),
    )
    return Parsed(_file(source, [*before, *made, *behind]), comments), kept


def adopt(earlier: Parsed, later: Parsed) -> tuple[Parsed, Kept]:
    """Put what an earlier text declares in the same words in the place of what a later one does.

    What holds a syntax mistake in either text is not kept: it is read in the light of what stands around it.
    """
    made, kept = _adopt(_sound(earlier), later.file.in_order(), set(map(id, _sound(later))))
    return later._replace(file=_file(later.file.source, made)), kept


def move_on(earlier: Source, later: Source, kept: Kept, versions: Iterable[Source]) -> None:
    """Let the places in what is kept be those in a later text.

    So are those that were made of `versions`, the texts before the earlier one, as far as they are places in it.
    """
    begins = {item.span.start: begin for item, begin in kept}
    parts = [Stretch(*item.span.now()[:2], begin - item.span.start) for item, begin in kept]
    for version in versions:
        if version.moves is not None and version is not earlier:
            moves = ((part, begins.get(part.start + part.shift)) for part in version.moves.parts)
            version.follow(
                later, [Stretch(*part[:2], begin - part.start) for part, begin in moves if begin is not None]
            )
    earlier.follow(later, sorted(parts))


def _common(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    most = min(len(one), len(other))
    return bisect_left(range(1, most + 1), True, key=lambda count: one[:count] != other[:count])


def _is_separate(part: Parsed, has_before: bool, has_behind: bool, begin: int, end: int) -> bool:
    """Return whether line ends or semicolons stand between a part of a text, what is before it, and what is behind."""
    items, text = part.file.in_order(), part.file.source.text
    if not items:
        return not (has_before and has_behind) or _separates(text[begin:end])
    is_apart = not has_before or _separates(text[begin : items[0].span.start])
    return is_apart and (not has_behind or _separates(text[items[-1].span.end : end]))


def _separates(between: str) -> bool:
    return re.search(r"[;\r\n]", re.sub(r"#[^\r\n]*", "", between)) is not None


def _adopt(
    earlier: Iterable[TopLevel], later: Iterable[TopLevel], sound: Container[int] | None = None
) -> tuple[list[TopLevel], Kept]:
    """Return what a later text declares, as the earlier one has it where the words are the same."""
    known: defaultdict[str, deque[TopLevel]] = defaultdict(deque)
    for item in earlier:
        known[item.span.text].append(item)
    made: list[TopLevel] = []
    kept: list[tuple[TopLevel, int]] = []
    for item in later:
        found = known[item.span.text] if sound is None or id(item) in sound else ()
        if found:
            kept.append((found[0], item.span.start))
        made.append(found.popleft() if found else item)
    return made, kept


def _sound(parsed: Parsed) -> list[TopLevel]:
    """Return what a text declares without syntax mistakes."""
    if parsed.is_legal:
        return parsed.file.in_order()
    broken = [node.span.start for node in nodes_of(parsed.file.declarations) if isinstance(node, tree.Broken)]
    damage = [*broken, *parsed.damaged]
    places = ((item, item.span.start, item.span.end) for item in parsed.file.in_order())
    return [item for item, start, end in places if not any(start <= offset < end for offset in damage)]


def _file(source: Source, items: Sequence[TopLevel]) -> tree.File:
    declarations = tuple(item for item in items if not isinstance(item, tree.Allow))
    return tree.File(source, declarations, tuple(item for item in items if isinstance(item, tree.Allow)))
