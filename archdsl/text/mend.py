"""Apply the exact edits that diagnostics carry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archdsl.text.diagnostic import Fix


class Mended(NamedTuple):
    """A text after some fixes, and which ones they were."""

    text: str
    applied: tuple[Fix, ...]


def apply_fixes(text: str, fixes: Iterable[Fix]) -> Mended:
    """Apply fixes in the order of their places; one that touches what an earlier one changes is left out as a whole.

    Of equal fixes, which a mistake that is found twice may have, one is applied.
    """
    ordered = sorted((fix for fix in fixes if fix.edits), key=_first_place)
    taken: list[tuple[int, int]] = []
    edits: list[tuple[int, int, str]] = []
    applied: list[Fix] = []
    for fix in dict.fromkeys(ordered):
        own = sorted((edit.span.start, edit.span.end, edit.replacement) for edit in fix.edits)
        if any(_touch(a, b) for a in taken for b in own) or not _is_sound(own, len(text)):
            continue
        taken += [(start, end) for start, end, _ in own]
        edits += own
        applied.append(fix)
    parts: list[str] = []
    end = len(text)
    for start, stop, replacement in sorted(edits, reverse=True):
        parts += [text[stop:end], replacement]
        end = start
    return Mended(text[:end] + "".join(reversed(parts)), tuple(applied))


def _touch(taken: tuple[int, int], edit: tuple[int, int, str]) -> bool:
    """Return whether two edits overlap or meet, so that what one of them means may depend on the other."""
    return taken[0] <= edit[1] and edit[0] <= taken[1]


def _is_sound(edits: list[tuple[int, int, str]], length: int) -> bool:
    """Return whether a fix's own edits lie in the text, one behind the other."""
    bounds = [place for start, end, _ in edits for place in (start, end)]
    return bounds == sorted(bounds) and bounds[0] >= 0 and bounds[-1] <= length


def _first_place(fix: Fix) -> tuple[int, int]:
    return min((edit.span.start, edit.span.end) for edit in fix.edits)
