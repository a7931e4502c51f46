"""What a fix leaves of a text's mistakes: one that does not end its own, or makes others, is not offered."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from archdsl.syntax.habits.scan import place_of
from archdsl.text.diagnostic import Diagnostic, Fix
from archdsl.text.mend import apply_fixes
from archdsl.text.source import Source, Span

Reparse = Callable[[Source], Sequence[Diagnostic]]
"""Gives the mistakes of a text as the grammar tells them."""

_MOST = 400_000
"""Characters that are parsed again for the fixes of one text."""


_MOST_PLACES = 16
"""Where else a bracket may close, for it to be tried."""

_OPERAND = re.compile(r'"[^"\n]*"|[\w.]+|[)\]]')


class Outcome(Enum):
    """What becomes of a text's mistakes by a fix."""

    CLEAN = "its own are gone, and nothing else has changed"
    PARTIAL = "its own are gone; others are left in its statement, or show behind it where they were silenced"
    HARMFUL = "its own are still there, or others have come"
    UNKNOWN = "too much to parse again"


@dataclass(slots=True)
class Trials:
    """Tries the fixes of one text, as long as that does not take long."""

    source: Source
    mistakes: Sequence[Diagnostic]
    parse: Reparse
    count: Callable[[Source, Sequence[Diagnostic]], int]
    """Counts the mistakes that are told of those that the grammar finds."""
    left: int = _MOST

    def outcome(self, fix: Fix, offset: int, until: int = 0) -> Outcome:
        """Return what becomes of the mistakes by the fix of one, which may have silenced others up to `until`."""
        text = self.source.text
        self.left -= len(text)
        if self.left < 0:
            return Outcome.UNKNOWN
        edits = sorted((edit.span.start, edit.span.end, len(edit.replacement)) for edit in fix.edits)
        mended = Source(apply_fixes(text, [fix]).text, self.source.name)
        mistakes = self.parse(mended)
        after = [mistake.span.start for mistake in mistakes]
        places = [_before(edits, place) for place in after]
        statement = place_of(self.source, offset)
        is_one = until <= statement.end + 1
        if offset in places or (is_one and self.count(mended, mistakes) >= self.count(self.source, self.mistakes)):
            return Outcome.HARMFUL
        before = {mistake.span.start for mistake in self.mistakes}
        kept = {line.strip() for line in text[statement.end : until].split("\n")}
        outcome = Outcome.CLEAN
        for place, now in zip(places, after, strict=True):
            if place in before and not offset < place <= until:
                if statement.start <= place <= statement.end:
                    outcome = Outcome.PARTIAL
                continue
            line = mended.line(mended.position(now)[0]).strip()
            if not (line in kept if place is None else statement.end < place < until):
                return Outcome.HARMFUL
            outcome = Outcome.PARTIAL
        return outcome

    def is_certain_close(self, mistake: Diagnostic) -> bool:
        """Return whether a bracket that is never closed can be meant to close nowhere else, and to stand there."""
        fix, opened = mistake.fix, mistake.span
        if fix is None or len(fix.edits) != 1:
            return False
        ((place, closer),) = fix.edits
        inside = self.source.text[opened.end : place.start]
        ends = [opened.end + match.end() for match in _OPERAND.finditer(inside)]
        others = [Fix.at(Span(end, end, self.source), closer) for end in ends if end < place.start]
        if len(ends) > 1:
            others.append(Fix.at(opened, ""))
        if len(others) > _MOST_PLACES:
            return False
        return all(self.outcome(other, opened.start) is Outcome.HARMFUL for other in others)

    def tried(self, mistake: Diagnostic, offset: int, until: int = 0) -> Diagnostic | None:
        """Return a mistake with its fix, which is safe only if it leaves nothing; None where its fix does harm."""
        if mistake.fix is None:
            return mistake
        match self.outcome(mistake.fix, offset, until):
            case Outcome.CLEAN:
                return mistake
            case Outcome.PARTIAL:
                return replace(mistake, fix=replace(mistake.fix, is_safe=False))
            case Outcome.UNKNOWN:
                return replace(mistake, fix=None)
            case Outcome.HARMFUL:
                return None


def _before(edits: Sequence[tuple[int, int, int]], place: int) -> int | None:
    """Return where a place was before some edits; None for one in what they have written."""
    shift = 0
    for start, end, length in edits:
        if place < start + shift:
            break
        if place < start + shift + length:
            return None
        shift += length - (end - start)
    return place - shift
