"""Names that are given their values as other languages do it."""

from __future__ import annotations

import re

from archdsl.syntax.habits.scan import Habit, HabitSite

_OTHER_WORDS = r"var|const|int|float|bool|str|list|auto|static|define|set|val|final"


def typed_let(place: HabitSite) -> Habit | None:
    """Take the type and the colon from `let w: int = 8`, `let w := 8` and `w := 8`."""
    match = re.match(r"(?:let\s+)?([A-Za-z_]\w*)\s*:\s*(?:([A-Za-z_]\w*)\s*)?=(?!=)\s*(\S.*)$", place.text, re.S)
    if match is None or not place.start <= place.offset <= place.start + match.start(3):
        return None
    if match[2] and not place.text.startswith("let"):
        return None  # a label, and an argument of a step
    message = "`let` takes a name and `=`; what kind a value is follows from it" if match[2] else "`=` gives a value"
    return _bound(place, match[1], match[3], message)


def other_word(place: HabitSite) -> Habit | None:
    """Say that `let` names a value, at `var w = 8` and `int w = 8`."""
    match = re.match(rf"(?:{_OTHER_WORDS})\s+([A-Za-z_]\w*)\s*=(?!=)\s*(\S.*)$", place.text, re.S)
    if match is None or not place.start <= place.offset <= place.start + match.start(2):
        return None
    return _bound(place, match[1], match[2], "a value is given a name by `let`")


def _bound(place: HabitSite, name: str, value: str, message: str) -> Habit:
    written = f"let {name} = {value.strip()}"
    help = f"write `{written}`" if len(written) < 60 else "write `let` before the name"
    return Habit(place.start, place.end, message, help, place.end, written)
