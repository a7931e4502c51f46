"""Whole steps in another order or in other brackets than here."""

from __future__ import annotations

import re
from dataclasses import replace

from archdsl.syntax.habits.layers import join_step, own_in
from archdsl.syntax.habits.python import foreign_statement, own_call
from archdsl.syntax.habits.scan import Habit, HabitSite, split_commas
from archdsl.syntax.habits.values import STEP_WORDS

_LABEL = r'(?:(?:[A-Za-z_]\w*(?:\{[^{}\n"]*\}\w*)*|"[^"\n]*")[ \t]*:[ \t]*)'
_LONGEST_SHOWN = 60


def repeat_in_front(place: HabitSite) -> Habit | None:
    """Put a repeat behind what it repeats, at `3 x conv 16`, `3 * conv 16`, `x 3 conv 16` and `2 x { … }`."""
    match = re.match(
        rf"(?P<label>{_LABEL})?(?:(?P<first>\d+)[ \t]*(?:[xX\u00d7*])?|[x\u00d7*][ \t]*(?P<then>\d+))", place.text
    )
    if match is None or not place.start + match.end("label") <= place.offset <= place.start + match.end():
        return None
    count, rest = match["first"] or match["then"], place.text[match.end() :].strip()
    start, end = place.start + max(match.end("label"), 0), place.end
    if not rest:
        braced = _braced(place)
        if braced is None:
            return None
        rest, end = braced
    elif not re.match(r"[A-Za-z_]\w*(?:\s|\(|$)", rest) or re.search(r"\sx\s", rest):
        return None
    step = _in_our_words(place, end - len(rest), end) if not rest.startswith("{") else rest
    written = f"{step} x {count}"
    shown = written if len(written) < _LONGEST_SHOWN and "\n" not in written else f"{{ \u2026 }} x {count}"
    message = "a repeat stands behind what it repeats"
    is_safe = re.search(r"[xX]", match.group()[match.end("label") if match["label"] else 0 :]) is not None
    at = place.start + match.end()
    return Habit(start, at, message, f"write `{shown}`", end, written, is_safe=is_safe, whole=(start, end))


def _braced(place: HabitSite) -> tuple[str, int] | None:
    """Return the braces right behind a statement's text, and where they end."""
    text = place.source.text
    opened = re.compile(r"[ \t]*\{").match(text, place.end)
    if opened is None:
        return None
    depth = 0
    for match in re.finditer(r'"[^"\n]*"|#[^\n]*|[{}]', text[opened.end() - 1 :]):
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        if depth == 0:
            end = opened.end() - 1 + match.end()
            return text[opened.end() - 1 : end], end
    return None


def _in_our_words(place: HabitSite, start: int, end: int) -> str:
    """Write a step between two offsets as here, where it is another tool's or in parentheses."""
    inner = HabitSite(place.source, start, start, end)
    habit = foreign_statement(inner) or own_call(inner)
    return (habit.replacement if habit is not None else None) or place.source.text[start:end]


def repeated_call(place: HabitSite) -> Habit | None:
    """Take the parentheses from a step that is repeated, at `conv(16) x 2`."""
    match = re.fullmatch(r"(?P<step>.*[)\]])[ \t]*[xX*\u00d7][ \t]*(?P<count>\w+|\([^()]*\))", place.text)
    if match is None:
        return None
    inner = HabitSite(place.source, place.offset, place.start, place.start + match.end("step"))
    habit = foreign_statement(inner) or own_call(inner) or indexed_call(inner) or steps_in_brackets(inner)
    if habit is None or habit.replacement is None:
        return None
    start, end = habit.whole or (habit.start, habit.end)
    if end != inner.end:
        return None
    written = f"{habit.replacement} x {match['count']}"
    help = habit.help.replace(f"`{habit.replacement}`", f"`{written}`", 1)
    return replace(habit, help=help, until=place.end, replacement=written, whole=(start, place.end))


def indexed_call(place: HabitSite) -> Habit | None:
    """Put a space before a list that is an argument, at `input[3, 32, 32]`, and take the brackets from one number."""
    match = re.fullmatch(rf"{_LABEL}?(?P<name>[A-Za-z_]\w*)\[(?P<inside>[^\[\]\n]*)\](?P<rest>.*)", place.text)
    if match is None or place.offset != place.start + match.end("name"):
        return None
    is_one = re.fullmatch(r"\s*\w+\s*", match["inside"]) is not None
    value = match["inside"].strip() if is_one else f"[{match['inside']}]"
    written = f"{match['name']} {value}"
    start, end = place.start + match.start("name"), place.start + match.end("inside") + 1
    message = "a step's arguments stand behind a space"
    return Habit(
        place.offset,
        place.offset + 1,
        message,
        f"write `{written}`",
        place.end,
        written,
        is_safe=not is_one,
        whole=(start, end),
    )


def steps_in_brackets(place: HabitSite) -> Habit | None:
    """Put braces around steps, at `(conv 16; act) x 2` and `[conv 16, act]`."""
    match = re.fullmatch(rf"{_LABEL}?(?P<opened>[(\[])(?P<inside>.*)[)\]](?:[ \t]*x[ \t]*\w+)?", place.text, re.S)
    if match is None or place.offset != place.start + match.start("opened"):
        return None
    steps = split_commas(match["inside"], ",;\n")
    start, end = place.offset, place.start + match.end("inside") + 1
    if steps and all(step.startswith("@") for step in steps):
        written = join_step("concat", steps)
        message = "values are put together by a join"
        return Habit(start, end, message, f"write `{written}`, or another join", place.end, written)
    if not steps or not all(re.fullmatch(r"[A-Za-z_]\w*(?:\s+[^\s:=][^:]*)?", step) for step in steps):
        return None
    written = f"{{ {'; '.join(steps)} }}" if len(steps) > 1 else steps[0]
    message = "steps are put together by braces"
    shown = written if len(written) < _LONGEST_SHOWN else "{ \u2026 }"
    words = [step.split()[0] for step in steps]
    is_known = all(word in STEP_WORDS or own_in(place.source.text, [word]) for word in words)
    is_safe = len(steps) > 1 and is_known
    return Habit(start, start + 1, message, f"write `{shown}`", place.end, written, is_safe=is_safe, whole=(start, end))


def split_without_join(place: HabitSite) -> Habit | None:
    """Say that a join takes the branches of a split, at `split 2 { … }`."""
    match = re.match(rf"{_LABEL}?split[ \t]+(?P<parts>\w+|\[[^\[\]\n]*\]|\([^()\n]*\))(?P<rest>[ \t]*)$", place.text)
    if match is None or place.offset < place.end:
        return None
    message = "`split` hands its parts to the branches of a join"
    help = f"write `split {match['parts']} concat {{ \u2026 }}`, with a branch for each part, or another join"
    braced = _braced(place)
    if braced is None:
        at = place.start + match.start("parts")
        return Habit(at, place.end, message, help, place.end + 1)
    at = place.source.text.index("{", place.end)
    return Habit(at, at + 1, message, help, at + 1, "concat {", whole=(at, at + 1))


def let_of_step(place: HabitSite) -> Habit | None:
    """Say that a label names a result, at `let y = conv 8`."""
    match = re.match(r"let\s+(?P<name>[A-Za-z_]\w*)\s*=\s*(?P<value>.*)$", place.text, re.S)
    before = re.sub(r'"[^"\n]*"|#[^\n]*', "", place.source.text[: place.start])
    if match is None or place.offset <= place.start + match.end("name") or before.count("{") <= before.count("}"):
        return None
    name, value, end = match["name"], match["value"].strip(), place.end
    message = "`let` names a value; a label names what a step gives"
    if not value and (braced := _braced(place)) is not None:
        value, end = braced
    elif not re.match(r"[A-Za-z_]\w*[ \t]+[\w(\[\"]", value) or re.search(r"\b(?:if|else|for|and|or|not)\b", value):
        return None
    written = f"{name}: {value}"
    shown = written if len(written) < _LONGEST_SHOWN and "\n" not in written else f"{name}: \u2026"
    help = f"write `{shown}`; `@{name}` takes it up again"
    return Habit(place.start, place.start + 3, message, help, end, written, whole=(place.start, end))


def counted_line(place: HabitSite) -> Habit | None:
    """Put a count behind a step, at `repeat 3: conv 8`."""
    match = re.fullmatch(r"(?:repeat|loop|times)\s+(\d+)(?:\s+times)?\s*:\s*(\S.*)", place.text)
    if match is None:
        return None
    written = f"{match[2]} x {match[1]}"
    message = "a repeat stands behind what it repeats"
    return Habit(place.start, place.end, message, f"write `{written}`", place.end, written)
