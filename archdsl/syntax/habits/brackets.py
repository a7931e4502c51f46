"""Lists, and brackets that other languages set elsewhere, or that are missing."""

from __future__ import annotations

import re
from collections.abc import Iterable

from archdsl.syntax.habits.scan import Habit, HabitSite, line_bounds, split_commas
from archdsl.syntax.habits.values import STEP_WORDS


def comma(place: HabitSite) -> Habit | None:
    """Take the commas from between a step's arguments, or from behind a statement."""
    text, at = place.source.text, place.offset
    if text[at : at + 1] != ",":
        return None
    inside = bracket_around(place)
    if inside:
        return _tuple(place, *inside)
    before, after = text[place.start : at], text[at + 1 : place.end]
    if not after.strip() and text[place.end :].lstrip(" \t").startswith("{"):
        return Habit(at, at + 1, "steps are separated by `;` or a line end", "write `;`", at + 1, ";")
    if not after.strip() or after.lstrip().startswith("#"):
        return Habit(at, at + 1, "a statement ends without a comma", "remove it", at + 1, "", is_safe=True)
    arguments = [argument.strip() for argument in split_commas(after)]
    if not is_balanced(before + after):
        return None
    if not before.strip() or '"' in before + after or any(re.match(r"[A-Za-z_]\w*\s*:", a) for a in arguments):
        return None
    firsts = [re.match(r"(?:\w+[ \t]*:[ \t]*)?([A-Za-z_]\w*|)", piece) for piece in [before.strip(), *arguments]]
    if all(first and first[1] in STEP_WORDS for first in firsts):
        written = "; " + "; ".join(arguments)
        help = f"write `{before.strip()}{written}`" if len(before + written) < 60 else "write `;`"
        message = "`;` or a line end stands between steps"
        return Habit(at, at + 1, message, help, place.end, written, whole=(at, place.end))
    written = " " + " ".join(arguments)
    help = f"write `{before.strip()}{written}`" if len(before + written) < 60 else ""
    message = "arguments of a step are separated by spaces"
    # A word may be a step of its own instead, behind a comma for `;`.
    is_safe = all(re.match(r"[\d\[(]|[A-Za-z_]\w*\s*=", argument) for argument in arguments)
    return Habit(at, at + 1, message, help, place.end, written, is_safe=is_safe, whole=(at, place.end))


def is_balanced(text: str) -> bool:
    """Return whether every parenthesis and square bracket is closed by one of its kind."""
    opened = list[str]()
    for match in re.finditer(r'"[^"\n]*"|[()\[\]]', text):
        piece = match.group()
        if piece in ("(", "["):
            opened.append(")" if piece == "(" else "]")
        elif piece in (")", "]") and (not opened or opened.pop() != piece):
            return False
    return not opened


def bracket_around(place: HabitSite) -> tuple[int, int] | None:
    """Find the parenthesis or square bracket around a mistake: the places of it and of what closes it."""
    opened = list[int]()
    text = place.source.text
    for match in re.finditer(r'"[^"\n]*"|[()\[\]]', text[place.start : place.offset]):
        if match.group() in ("(", "["):
            opened.append(place.start + match.start())
        elif opened and match.group() in (")", "]"):
            opened.pop()
    if not opened:
        return None
    depth = 0
    for match in re.finditer(r'"[^"\n]*"|[()\[\]]', text[opened[-1] : place.end]):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(match.group(), 0)
        if depth == 0:
            return opened[-1], opened[-1] + match.end()
    return None


def _tuple(place: HabitSite, start: int, end: int) -> Habit | None:
    text = place.source.text
    if text[start] != "(" or text[end - 1] != ")" or "(" in text[start + 1 : end - 1]:
        return None
    items = split_commas(text[start + 1 : end - 1])
    is_input = text[place.start : start].rstrip().endswith("input")
    if is_input and len(items) == 4:
        written = f"[{', '.join(items[1:])}]"
        message = "the shape of an input is a list in square brackets, without the batch"
        return Habit(start, end, message, f"write `input {written}`", end, written)
    is_one = len(items) == 2 and items[0] == items[1] and items[0].isdigit()
    written = items[0] if is_one and not is_input else f"[{', '.join(items)}]"
    key = re.search(r"[A-Za-z_]\w*\s*=\s*$", text[place.start : start])
    shown = (key.group().replace(" ", "") if key else "") + written
    help = f"write `{shown}`"
    if start and text[start - 1].isalnum():
        return None
    # Without a name it may be the arguments of a call.
    is_safe = key is not None or text[place.start : start].rstrip().endswith("input")
    return Habit(start, end, "a list stands in square brackets", help, end, written, is_safe=is_safe)


def list_commas(place: HabitSite) -> Habit | None:
    """Put commas between the items of a list."""
    text = place.source.text
    parted = re.compile(r"\[([^\[\](){}\n]*;[^\[\](){}\n]*)\]").match(text, place.offset)
    if parted is not None and all(item.strip() for item in parted[1].split(";")):
        return _with_commas(*parted.span(), parted[1].split(";"))
    inside = bracket_around(place)
    if inside is None or text[inside[0]] != "[" or text[inside[1] - 1] != "]":
        return None
    start, end = inside
    content = text[start + 1 : end - 1]
    if "," in content or not re.fullmatch(r"\s*[\w.]+(?:\s+[\w.]+)+\s*", content):
        return None
    return _with_commas(start, end, content.split())


def comma_between(place: HabitSite) -> Habit | None:
    """Put a comma between two items of a list, arguments or parameters, at `[3, 4 6]` and `max(3 4)`."""
    text, at = place.source.text, place.offset
    inside = bracket_around(place)
    word = re.compile(r"[A-Za-z0-9_.]+|\[").match(text, at)
    if inside is None or word is None or text[inside[1] - 1] != {"[": "]", "(": ")"}[text[inside[0]]]:
        return None
    before = text[inside[0] + 1 : at].rstrip()
    behind = inside[0] + 1 + len(before)
    if not re.search(r'[\w)\]"]$', before) or re.search(
        r"\b(?:for|in|if|else|and|or|not)\b", f"{before} {word.group()}"
    ):
        return None
    is_list = text[inside[0]] == "["
    if (
        behind == at
        or "#" in before.rpartition("\n")[2]
        or not (is_list or re.match(r"\w", text[inside[0] - 1 : inside[0]]))
    ):
        return None
    is_head = re.match(r"(?:inline\s+)?(?:model|block|fn)\b", place.text)
    if is_head and re.fullmatch(r"\s*(?:int|float|bool|str|list|value|stride|block|body)", before.rpartition(",")[2]):
        return None  # what stands behind a type is meant as a name, and is a word of the language
    what = "the items of a list" if is_list else "parameters" if is_head else "arguments in parentheses"
    help = f"put a comma before `{word.group()}`"
    return Habit(at, word.end(), f"commas stand between {what}", help, word.end(), ",", whole=(behind, behind))


def sign_for_comma(place: HabitSite) -> Habit | None:
    """Put a comma where another sign stands between two items of a list, at `[3, 4: 6]`."""
    text, at = place.source.text, place.offset
    inside = bracket_around(place)
    if text[at : at + 1] not in (":", "=") or inside is None or text[inside[0]] != "[":
        return None
    if not re.fullmatch(r"[\d\s.,]+[:=][\d\s.,]+", text[inside[0] + 1 : inside[1] - 1]):
        return None
    return Habit(at, at + 1, "commas stand between the items of a list", "write `,`", at + 1, ",")


def doubled_comma(place: HabitSite) -> Habit | None:
    """Say that nothing stands between two commas."""
    text, at = place.source.text, place.offset
    if text[at : at + 1] != "," or bracket_around(place) is None or not text[:at].rstrip().endswith(","):
        return None
    message = "nothing stands between two commas"
    return Habit(at, at + 1, message, "remove one of them, or write what is missing", at + 1, "")


def _with_commas(start: int, end: int, items: Iterable[str]) -> Habit:
    written = f"[{', '.join(item.strip() for item in items)}]"
    message = "commas stand between the items of a list"
    return Habit(start, end, message, f"write `{written}`", end, written, is_safe=True, code="E001")


def typed_by_colon(place: HabitSite) -> Habit | None:
    """Say how a parameter's type and default are written, at `(c: int, s: 1)`."""
    inside = bracket_around(place)
    if inside is None or not re.match(r"(?:inline\s+)?(?:model|block|fn)\b", place.text):
        return None
    text = place.source.text
    parameter = re.compile(r"(?:(\w+)\s+)?(\w+)\s*:\s*([\w.]+)(?:\s*=\s*([\w.]+))?").match(text, place.offset)
    if parameter is None:
        return None
    _, name, what, default = parameter.groups()
    is_type = what in ("int", "float", "bool", "str", "list")
    following = text[parameter.end() :].lstrip(" \t")[:1]
    if not is_type and (default or following not in (",", ")", "\n", "")):
        colon = parameter.end(2)
        return Habit(colon, colon + 1, "commas stand between parameters", "write `,`", parameter.end(), ",")
    written = (f"{what} {name}" + (f"={default}" if default else "")) if is_type else f"{name}={what}"
    message = "a parameter's type stands before its name" if is_type else "a parameter's default is given by `=`"
    span = (parameter.start(2), parameter.end())
    return Habit(*span, message, f"write `{written}`", span[1], written, is_safe=True)


def brace_below(place: HabitSite) -> Habit | None:
    """Say where a body's brace stands, where it is on the next line."""
    text = place.source.text
    following = re.compile(r"[ \t]*(?:#[^\n]*)?\n\s*\{").match(text, place.offset)
    head = re.match(
        r"(?:model|block|inline|if|else|for|defaults|residual|shortcut|stages|add|mul|concat|keys)\b", place.text
    )
    if following is None or head is None:
        return None
    help = f"write `{place.text.strip()} {{`" if len(place.text) < 60 else "write `{` on this line"
    whole = (place.end, following.end())
    message = "the brace of a body stands on the line of its head"
    last = following.end() - 1
    return Habit(last, last + 1, message, help, last + 1, " {", is_safe="#" not in following.group(), whole=whole)


def never_closed(place: HabitSite) -> Habit | None:
    """Say that a bracket is not closed on its line, where the next line begins something else."""
    text = place.source.text
    start, _ = line_bounds(text, place.offset)
    if text[start : place.offset].strip() or start == 0:
        return None
    line, end = line_bounds(text, start - 1)
    opened = list[int]()
    for match in re.finditer(r'"[^"\n]*"|#[^\n]*|[()\[\]]', text[line:end]):
        if match.group() in ("(", "["):
            opened.append(line + match.start())
        elif opened and match.group() in (")", "]"):
            opened.pop()
    if not opened or text[line:end].rstrip().endswith((",", "(", "[")):
        return None
    at = opened[-1]
    closer = ")" if text[at] == "(" else "]"
    message = f"`{text[at]}` is never closed"
    return Habit(at, at + 1, message, f"close it with `{closer}`", place.offset + 1, code="E005")


def unclosed_interpolation(place: HabitSite) -> Habit | None:
    """Say that the braces of a label are not closed, at `layer{stage: stages [2, 2] …`."""
    for match in re.finditer(r"(?<=\w)(\{)[\w+*/-]+(?=[ \t]*:)", place.source.text[place.start : place.offset + 100]):
        start, end = place.start + match.start(1), place.start + match.end()
        if start <= place.offset <= end + 1:
            label = re.search(r"\w*$", place.source.text[:start])
            shown = f"{label.group() if label else ''}{match.group()}}}:"
            help = f"write `{shown}`"
            return Habit(start, start + 1, "`{` is never closed", help, place.end, "}", whole=(end, end), code="E005")
    return None


def unclosed_before_brace(place: HabitSite) -> Habit | None:
    """Say that a list is not closed, at a body's brace."""
    text, at = place.source.text, place.offset
    inside = list[int]()
    if text[at : at + 1] != "{":
        return None
    line, _ = line_bounds(text, at)
    for match in re.finditer(r'"[^"\n]*"|[()\[\]]', text[line:at]):
        if match.group() in ("(", "["):
            inside.append(line + match.start())
        elif inside and match.group() in (")", "]"):
            inside.pop()
    if not inside:
        return None
    closer = ")" if text[inside[-1]] == "(" else "]"
    message = f"`{text[inside[-1]]}` is never closed"
    return Habit(inside[-1], inside[-1] + 1, message, f"close it with `{closer}`", at + 1, code="E005")


def unopened(place: HabitSite) -> Habit | None:
    """Say that nothing is open, at a bracket that closes."""
    text, at = place.source.text, place.offset
    if text[at : at + 1] not in (")", "]") or bracket_around(place) is not None:
        return None
    message = f"`{text[at]}` closes nothing"
    return Habit(at, at + 1, message, "remove it, or open it before", at + 1)
