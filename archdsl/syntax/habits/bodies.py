"""Bodies by indentation, as Python has them, and its words for choice and repetition."""

from __future__ import annotations

import re

from archdsl.syntax.habits.scan import (
    Habit,
    HabitSite,
    indent_of,
    indented_end,
    line_bounds,
    lines_from,
    without_comment,
)

_HEADER = re.compile(
    r"(?:(?:inline\s+)?(?:block|model)\b|if\b|elif\b|else\b|for\b|while\b|with\b|residual\b|shortcut\b|defaults\b|"
    r"(?:[\w{}]+\s*:\s*)?(?:add|mul|sub|concat|maximum|stages|split|residual)\b)"
)
_WITH_BRACE = re.compile(r"\s*\}?\s*(?:if|elif|else|for|while)\b[^{}:]*(:)\s*\{")
_AMONG_OTHERS = re.compile(
    r"(?:^|[;{}])[ \t]*(?P<head>(?:if|elif|else|for)\b[^{}:;]*?)[ \t]*(?P<colon>:)"
    r"[ \t]*(?P<body>[^{};:]*[^{};:\s][^{};:]*)"
)
_LABEL_ONLY = re.compile(r"[A-Za-z_]\w*\s*:")


def header(place: HabitSite) -> Habit | None:
    """Say that braces hold a body, at a line such as `if s == 1:` and with all that is indented below it."""
    text = place.source.text
    start, end = line_bounds(text, place.offset)
    line = without_comment(text[start:end])
    if (both := _WITH_BRACE.match(text, start, end)) is not None and both.start(1) == place.offset:
        help = "remove the colon: the brace begins the body"
        return Habit(both.start(1), both.end(1), "a body stands in braces", help, both.end(1), "", is_safe=True)
    if line.endswith("{"):
        return None
    if line.endswith(":") and (_HEADER.match(line.lstrip()) or _holds_a_level(text, start, line)):
        colon = start + len(line) - 1
        until = _chain_end(text, start)
        if until <= end:
            return _one(start, colon, line)
        closed = re.compile(r"\s*\n([ \t]*)\}").match(text, until)
        if closed is not None and indent_of(f"{closed[1]}}}") == indent_of(line):
            return _brace_forgotten(text, colon, line, until)
        braced = with_braces(text[start:until])
        shown = braced.split("\n", 1)[0].strip()
        message = "a body stands in braces, not below a colon"
        help = f"write `{shown}` here, and `}}` on a line below the body"
        return Habit(colon, colon + 1, message, help, until, braced, is_safe=True, whole=(start, until))
    match = re.match(r"(\s*)((?:if|elif|else|for)\b[^{}:]*?)\s*:\s*([^{}]+)$", line)
    if match:
        colon = start + line.index(":", match.end(2))
        written = f"{in_our_words(match[2])} {{ {match[3].strip()} }}"
        help = f"write `{written}`"
        whole = (start + match.start(2), start + len(line))
        return Habit(
            colon, colon + 1, "a body stands in braces, not behind a colon", help, end, written, is_safe=True,
            whole=whole,
        )  # fmt: skip
    return _within_a_line(place, start, line)


def _within_a_line(place: HabitSite, start: int, line: str) -> Habit | None:
    """Say the same of `if s == 1: relu` among the statements of a line; how far its body goes is not certain."""
    for match in _AMONG_OTHERS.finditer(line):
        colon = start + match.start("colon")
        if start + match.start("head") <= place.offset <= colon:  # a word before the colon may seem to be a label
            written = f"{in_our_words(match['head'])} {{ {match['body'].strip()} }}"
            whole = (start + match.start("head"), start + len(line[: match.end("body")].rstrip()))
            message = "a body stands in braces, not behind a colon"
            return Habit(colon, colon + 1, message, f"write `{written}`", whole[1], written, whole=whole)
    return None


def _brace_forgotten(text: str, colon: int, line: str, until: int) -> Habit:
    """Put the brace alone that is missing, where the body has one at its end."""
    is_label = _LABEL_ONLY.fullmatch(line.strip()) is not None and not _HEADER.match(line.lstrip())
    written = ": {" if is_label else " {"
    message = "a body stands in braces, not below a colon"
    return Habit(colon, colon + 1, message, "write `{` here", until, written)


def _chain_end(text: str, start: int) -> int:
    """Return the end of what is indented below a header, and below each `elif` and `else` that goes on with it."""
    until = indented_end(text, start)
    own = indent_of(text[start:].split("\n", 1)[0])
    while following := re.compile(r"\s*\n([ \t]*(?:elif|else)\b[^\n]*:)").match(text, until):
        if indent_of(following[1]) != own:
            break
        until = indented_end(text, following.start(1))
    return until


def _one(start: int, colon: int, line: str) -> Habit:
    message = "a body stands in braces, not below a colon"
    shown = in_our_words(line.strip().removesuffix(":"))
    help = f"write `{shown} {{`, and `}}` behind the body"
    return Habit(colon, colon + 1, message, help, colon + 1)


def _holds_a_level(text: str, start: int, line: str) -> bool:
    """Return whether a label alone on its line has steps indented below it."""
    return _LABEL_ONLY.fullmatch(line.strip()) is not None and indented_end(text, start) > start + len(line)


def with_braces(text: str) -> str:
    r"""Put braces around what is indented below colons.

    >>> print(with_braces("if s == 1:\n  relu\nelse:\n  gelu"))
    if s == 1 {
      relu
    }
    else {
      gelu
    }
    """
    written = list[str]()
    opened = list[int]()
    for _, line in lines_from(text, 0):
        body = without_comment(line)
        if body.strip():
            while opened and indent_of(line) <= opened[-1]:
                written.append(" " * opened.pop() + "}")
        head = body.strip()
        if head.endswith(":"):
            opened.append(indent_of(line))
            comment = line[len(body) :]
            line = body[: len(body) - len(head)] + _opening(head.removesuffix(":").rstrip()) + comment
        written.append(line)
    written += [" " * indent + "}" for indent in reversed(opened)]
    return "\n".join(written)


def _opening(head: str) -> str:
    is_level = re.fullmatch(r"[A-Za-z_]\w*", head) and not _HEADER.match(head)
    return f"{head}: {{" if is_level else f"{in_our_words(head)} {{"


def in_our_words(head: str) -> str:
    """Write the head of an `if` or a `for` of Python as here."""
    head = re.sub(r"^elif\b", "else if", head)
    head = re.sub(r"\brange\(\s*(\d+)\s*\)", lambda found: f"0..{int(found[1]) - 1}", head)
    head = re.sub(r"\brange\(\s*([\w.]+)\s*\)", r"0..\1-1", head)
    return re.sub(
        r"\brange\(\s*([^(),]+?)\s*,\s*(\d+)\s*\)", lambda found: f"{found[1]}..{int(found[2]) - 1}", head
    ).replace(" is not ", " != ")


def elif_word(place: HabitSite) -> Habit | None:
    """Say `else if` for `elif`."""
    text = place.source.text
    start, end = line_bounds(text, place.offset)
    for match in re.finditer(r"\belif\b|\belse\s+if\b", text[start:end]):
        at = start + match.start()
        if match.group() == "elif" and at <= place.offset <= end:
            message = "`elif` is written `else if` here"
            return Habit(at, at + 4, message, "write `else if`", end, "else if", is_safe=True)
    return None
