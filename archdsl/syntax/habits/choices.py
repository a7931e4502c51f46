"""Choices and repetitions whose head other languages write in another way."""

from __future__ import annotations

import re

from archdsl.syntax.habits.bodies import in_our_words
from archdsl.syntax.habits.scan import Habit, HabitSite


def for_head(place: HabitSite) -> Habit | None:
    """Say how a `for` begins, at `for (i in 0..3) {`, `for i = 0..3 {` and `for (i = 0; i < 3; i++) {`."""
    match = re.match(r"for\b[ \t]*(?P<head>.*)$", place.text)
    if match is None:
        return None
    names = r"(?P<names>[A-Za-z_]\w*(?:[ \t]*,[ \t]*[A-Za-z_]\w*)*)"
    head, start = match["head"].strip(), place.start + match.start("head")
    head = head[1:-1] if re.fullmatch(r"\((?:[^()]|\([^()]*\))*\)", head) else head
    counted = re.fullmatch(
        r"(?:int|let|var|auto)?\s*(?P<name>\w+)\s*=\s*(?P<first>\w+)\s*;\s*(?P=name)\s*<(?P<too>=?)\s*(?P<last>\w+)\s*;.*",
        head,
    )
    if counted is not None:
        last = counted["last"] if counted["too"] else _one_less(counted["last"])
        written = f"for {counted['name']} in {counted['first']}..{last}"
    elif (listed := re.fullmatch(rf"{names}[ \t]*(?:in\b|=|:)?[ \t]*(?P<items>(?!in\b)[\w\[(].*)", head)) is not None:
        written = in_our_words(f"for {listed['names']} in {listed['items']}")
    else:
        return None
    if written == re.sub(r"\s+", " ", place.text):
        return None
    message = "a `for` names what it goes through behind `in`, without parentheses"
    return Habit(
        start,
        place.end,
        message,
        f"write `{written} {{ \u2026 }}`",
        place.end,
        written,
        is_safe=True,
        whole=(place.start, place.end),
    )


def _one_less(last: str) -> str:
    return str(int(last) - 1) if last.isdigit() else f"{last}-1"


def conditional_argument(place: HabitSite) -> Habit | None:
    """Put a choice into parentheses, at `conv 8 if s == 1 else 16`, or into braces, at `act if in > 8`."""
    text, at = place.source.text, place.offset
    if not re.compile(r"if\b").match(text, at) or text[place.end :].lstrip(" \t").startswith("{"):
        return None
    before, behind = text[place.start : at].rstrip(), text[at + 2 : place.end].strip()
    label = re.match(r"(?:[A-Za-z_]\w*(?:\{[^{}]*\}\w*)*|\"[^\"]*\")[ \t]*:[ \t]*", before)
    step = before[label.end() :] if label is not None else before
    condition, has_other, other = (part.strip() for part in behind.partition(" else "))
    if not step or not condition or re.search(r"\b(?:if|for|let)\b", step + condition + other):
        return None
    whole, word = (place.start, place.end), step.split()[0]
    if not has_other or " " not in step or other.split()[:1] == [word]:
        chosen = f"if {condition} {{ {before} }}" + (f" else {{ {other} }}" if has_other else "")
        message = "a choice between steps begins with `if`"
        return Habit(at, at + 2, message, f"write `{chosen}`", place.end, chosen, whole=whole)
    value = re.search(r"(?:(?<=\s)|(?<==))(?:[\w.]+|\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*\]|[^\s=]+)$", before)
    rest = re.match(r"(\S*\([^()]*\)|\[[^\[\]]*\]|\S+)(.*)$", other)
    if value is None or rest is None:
        return None
    key = re.search(r"[A-Za-z_]\w*[ \t]*=[ \t]*$", before[: value.start()])
    choice = f"({value.group()} if {condition} else {rest[1]})"
    written = f"{before[: value.start()]}{choice}{rest[2]}"
    shown = f"{key.group()}{choice}" if key is not None else choice
    message = "a choice stands in parentheses as an argument"
    start = place.start + value.start()
    return Habit(start, at + 2, message, f"write `{shown}`", place.end, written, is_safe=True, whole=whole)


def condition(place: HabitSite) -> Habit | None:
    """Say how a choice begins, at `if a = 8 {`, `if a == 8 then conv 8` and `unless a == 8 {`."""
    match = re.match(r"(?P<word>if|unless)\s+(?P<head>.*)$", place.text, re.S)
    if match is None or place.offset > place.end:
        return None
    head, then, body = match["head"].partition(" then ")
    is_braced = place.source.text[place.end :].lstrip(" \t").startswith("{")
    single = re.fullmatch(r"(.*[^=!<>])=(?!=)(.*)", head)
    if (not is_braced and not (then and body)) or not (single or then or match["word"] == "unless"):
        return None
    head = f"{single[1].rstrip()} == {single[2].strip()}" if single else head.removesuffix(" then")
    written = f"if not ({head})" if match["word"] == "unless" else f"if {head}"
    whole = f"{written} {{ {body.strip()} }}" if body else written
    message = "`==` compares" if single else "a choice is an `if`, and what it chooses stands in braces"
    help = f"write `{whole}`" if body else f"write `{written} {{ \u2026 }}`"
    return Habit(place.start, place.end, message, help, place.end, whole)
