"""References as other tools have them: by a number, with arithmetic between them, into what is not a level."""

from __future__ import annotations

import re

from archdsl.syntax.habits.layers import join_of, join_step
from archdsl.syntax.habits.scan import Habit, HabitSite

JOINS = {"+": "add", "-": "sub", "*": "mul"}
_TERM = r'@[A-Za-z_"][\w."]*|[A-Za-z_]\w*(?:[ \t]+\w+)*'
_LABEL = r"(?:[A-Za-z_]\w*[ \t]*:[ \t]*)"


def numbered(place: HabitSite) -> Habit | None:
    """Say what a reference names, at `@0`, `@-1`, `@ a` and `@enc.1`."""
    text, at = place.source.text, place.offset
    if (spaced := re.compile(r'@[ \t]+(?=[A-Za-z_"])').match(text, at)) is not None:
        message = "a label follows its `@` directly"
        return Habit(at, spaced.end(), message, "remove the space", spaced.end(), "@", is_safe=True)
    if (number := re.compile(r"@[ \t]*(-?)[ \t]*\d+\b").match(text, at)) is not None:
        message = f"a reference names the label of a step, and `{number.group()[1:]}` is none"
        help = "label the step that is meant, and write its label behind `@`"
        if number[1]:
            help = f"write `pass` for what flows in here; for another step, {help}"
        return Habit(at, number.end(), message, help, number.end())
    for inner in _INNER.finditer(text, place.start, place.end):
        if inner.start() < at < inner.end():
            message = "a reference names a label, and at most one of its outputs"
            help = f"write `output name` behind that step in `{inner[1]}`, and `@{inner[1]}.name` here"
            return Habit(inner.start(), inner.end(), message, help, inner.end())
    return None


_INNER = re.compile(r"@([A-Za-z_]\w*)(?:\.\w+)*(?:\.\d[\w.]*|\[\w*\])")


def arithmetic(place: HabitSite) -> Habit | None:
    """Join results, at `@y + @z` and `x + @y`."""
    match = re.fullmatch(rf"({_LABEL}?)((?:{_TERM})(?:[ \t]*[-+*][ \t]*(?:{_TERM}))+)", place.text)
    if match is None or "@" not in place.text:
        return None
    parts = re.split(r"[ \t]*([-+*])[ \t]*", match[2])
    terms, signs = parts[::2], set(parts[1::2])
    if len(signs) > 1:
        return None
    join = JOINS[signs.pop()]
    branches = ["pass" if term == "x" else term for term in terms]
    written = join_step(join, branches)
    start = place.start + match.start(2)
    message = "results are put together by a join"
    return Habit(start, place.end, message, f"write `{written}`", place.end, written, is_safe=True)


def inner_reuse(place: HabitSite) -> Habit | None:
    """Say which steps can be used again, at `reuse enc.down`."""
    match = re.match(r"reuse[ \t]+(@?)([A-Za-z_]\w*)(\.\w[\w.]*)?", place.text)
    if match is None or not (match[1] or match[3]):
        return None
    at, end = place.start + match.start(1), place.start + match.end()
    if match[3]:
        message = "`reuse` applies a labelled step of this level again"
        help = f"write `reuse {match[2]}`, or label a step of this level"
        return Habit(at, end, message, help, place.end)
    help = f"write `reuse {match[2]}`: it applies the step again, and takes up no result"
    message = "`reuse` names a label without `@`"
    return Habit(at, at + 1, message, help, end, "", is_safe=True)


def joined(place: HabitSite) -> Habit | None:
    """Take the commas from between the values of a join, at `concat @a, @b`, and call it as here, at `cat @a @b`."""
    match = re.fullmatch(r"(?P<label>[\w\"]+\s*:\s*)?(?P<join>[A-Za-z]\w*)\s+\[?(?P<rest>@[\w.@,\s]*)\]?", place.text)
    join = join_of(match["join"]) if match is not None else None
    branches = re.findall(r"@[\w.]+", match["rest"]) if match is not None else []
    if match is None or join is None or not branches:
        return None
    start = place.start + match.start("join")
    branches = branches if len(branches) > 1 else ["pass", *branches]
    written = join_step(join, branches)
    if written == place.text[match.start("join") :].strip():
        return None
    message = f"the values of a join stand beside its name, which is `{join}`"
    return Habit(
        start, start + len(match["join"]), message, f"write `{written}`", place.end, written, whole=(start, place.end)
    )
