"""Characters, quotes and comments as other languages and word processors write them."""

from __future__ import annotations

import re
from unicodedata import normalize

from archdsl.syntax.habits.scan import LONGEST_NAME, Habit, HabitSite, line_bounds

# What a keyboard, a web page or a word processor puts in place of a character of ours.
_CHARACTERS = {
    "\u00d7": ("x", "write `x` for a repeat, or `*` for a product"),
    "\u2192": ("; ", "write a new line or `;` between two steps"),
    "\u2013": ("-", "write `-`"),
    "\u2014": ("-", "write `-`"),
    "\u2212": ("-", "write `-`"),
    "\u2026": ("", "write out what it stands for, or a range such as `1..4`"),
    "\u00a0": (" ", "write a plain space"),
    "\u202f": (" ", "write a plain space"),
    "\u3000": (" ", "write a plain space"),
    "\u2009": (" ", "write a plain space"),
    "\u200b": ("", "remove it; it cannot be seen"),
    "\u2060": ("", "remove it; it cannot be seen"),
    "\ufeff": ("", "remove it; it cannot be seen"),
    "\uff08": ("(", "write `(`"),
    "\uff09": (")", "write `)`"),
    "\uff0c": (",", "write `,`"),
    "\uff1a": (":", "write `:`"),
    "\uff1d": ("=", "write `=`"),
    "\uff1b": (";", "write `;`"),
    "\u2264": ("<=", "write `<=`"),
    "\u2265": (">=", "write `>=`"),
    "\u2260": ("!=", "write `!=`"),
    "\u00b7": ("*", "write `*`"),
}
_QUOTES = {"\u201c": "\u201d", "\u201e": "\u201c", "\u2018": "\u2019", "\u00ab": "\u00bb", "'": "'", "`": "`"}
_SIGNS = {"&&": "and", "||": "or", "===": "==", "<>": "!="}


def character(place: HabitSite) -> Habit | None:
    """Say which plain character stands for a foreign one."""
    text, at = place.source.text, place.offset
    found = text[at : at + 1]
    if found in _QUOTES or found == "\u201d":
        return _quotes(place)
    if found == "!" and text[at + 1 : at + 2] != "=":
        return Habit(at, at + 1, "`!` is written `not` here", "write `not`", at + 1, "not ", is_safe=True, code="E002")
    if found in _CHARACTERS:
        replacement, help = _CHARACTERS[found]
        shown = found if found.isprintable() and not found.isspace() else f"U+{ord(found):04X}"
        is_safe = found not in "\u00d7\u2026"
        end = at + 1
        return Habit(at, end, f"unexpected character `{shown}`", help, end, replacement, is_safe=is_safe, code="E002")
    if (wide := _compatible(text, at)) is not None:
        return wide
    if text[at : at + 2] in _SIGNS:
        sign = text[at : at + 2]
        word = _SIGNS[sign]
        return Habit(
            at, at + 2, f"`{sign}` is written `{word}` here", f"write `{word}`", at + 2, word, is_safe=True, code="E002"
        )
    return None


_SPELT = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa", "œ": "oe", "ł": "l"}


def foreign_letters(place: HabitSite) -> Habit | None:
    """Say of which letters names are made, at `größe`."""
    text, at = place.source.text, place.offset
    start = at - len(re.search(r"\w*$", text[max(0, at - LONGEST_NAME) : at]).group())  # pyright: ignore[reportOptionalMemberAccess] -- an empty text matches
    word = re.compile(r"\w+").match(text, start)
    if word is None or text[at : at + 1].isascii() or not text[at].isalpha() or _compatible(text, at) is not None:
        return None
    spelt = "".join(_spelt(letter) for letter in word.group())
    is_ours = re.fullmatch(r"[A-Za-z_]\w*", spelt, re.A) is not None
    message = f"`{word.group()}` is no name: names are made of ASCII letters, digits and `_`"
    help = f"write `{spelt}`" if is_ours else "write it in ASCII letters"
    return Habit(start, word.end(), message, help, word.end(), spelt if is_ours else None, code="E002")


def _spelt(letter: str) -> str:
    """Write a letter with an accent without it, or as its language spells it where there is none."""
    plain = _SPELT.get(letter.lower())
    if plain is not None:
        return plain if letter.islower() else plain.capitalize()
    return normalize("NFKD", letter)[0]


def _compatible(text: str, at: int) -> Habit | None:
    """Say which plain letters and digits stand for wide or decorated ones."""
    run = re.compile(r"[^\x00-\x7f]+").match(text, at)
    plain = normalize("NFKC", run.group()) if run is not None else ""
    if run is None or not plain.isascii() or not plain.isalnum():
        return None
    message = f"`{run.group()}` is not written in plain letters and digits"
    return Habit(at, run.end(), message, f"write `{plain}`", run.end(), plain, is_safe=True, code="E002")


def _quotes(place: HabitSite) -> Habit | None:
    text, at = place.source.text, place.offset
    _, end = line_bounds(text, at)
    closer = _QUOTES.get(text[at], "")
    last = text.find(closer, at + 1, end) if closer else -1
    if last < 0 and text[at] == "\u201c":
        last = text.find("\u201c", at + 1, end)
    if last < 0:
        return Habit(at, at + 1, f"`{text[at]}` is no quotation mark here", 'write `"`', at + 1, code="E002")
    inside = text[at + 1 : last]
    is_value = re.search(r"(?:=|\s)\s*$", text[place.start : at]) and re.fullmatch(r"[A-Za-z_]\w*", inside)
    written = inside if is_value else f'"{inside}"'
    message = f"`{text[at]}` is no quotation mark here"
    help = f"write `{written}`" + ("; a word needs no quotes" if is_value else "")
    return Habit(at, at + 1, message, help, last + 1, written, is_safe=True, whole=(at, last + 1), code="E002")


def comment(place: HabitSite) -> Habit | None:
    """Say how a comment begins, at `//` or `/*` in front of a statement or behind a whole one."""
    text, at = place.source.text, place.offset
    start, end = line_bounds(text, at)
    before = text[start:at]
    if text.startswith("//", at) and not re.search(r"[=(\[,+*/%-]\s*$", before):
        return _comment(at, end, is_safe=not before.strip() or before.rstrip().endswith(("{", "}", ";")))
    opened = text.rfind("/*", 0, at + 2)
    closed = text.find("*/", opened + 2) if opened >= 0 else -1
    if opened >= 0 and (closed < 0 or closed >= at):
        last = closed + 2 if closed >= 0 else end
        lines = text[opened:last].removeprefix("/*").removesuffix("*/").split("\n")
        written = "\n".join(f"# {line.strip(' *')}".rstrip() for line in lines)
        is_alone = not text[last : line_bounds(text, last)[1]].strip()
        return Habit(
            opened, opened + 2, "a comment runs from `#` to the end of the line", "write `#` before each of its lines",
            last, written if is_alone else None, is_safe=is_alone, whole=(opened, last),
        )  # fmt: skip
    if text.startswith(("--", "% "), at) and not before.strip():
        return _comment(at, end)
    for quotes in ('"""', "'''"):
        first = text.rfind(quotes, max(start, at - 2), at + 3)
        if first >= 0:
            closed = text.find(quotes, first + 3)
            last = closed + 3 if closed >= 0 else end
            help = "write `#` before each of its lines; `##` above a declaration documents it"
            return Habit(first, first + 3, "a comment runs from `#` to the end of the line", help, last)
    return None


def _comment(at: int, end: int, *, is_safe: bool = True) -> Habit:
    message = "a comment runs from `#` to the end of the line"
    return Habit(at, at + 2, message, "write `#`", end, "#", is_safe=is_safe)


def arrow(place: HabitSite) -> Habit | None:
    """Say how steps are chained, at `->`, `=>`, `|` or `|>`."""
    text, at = place.source.text, place.offset
    before = len(text[:at].rstrip(" \t"))
    match = re.compile(r"\s*(->|=>|\|>|>>|\|)\s*").match(text, before)
    if match is None:  # the mistake may lie on the second character
        before = len(text[: at - 1].rstrip(" \t"))
        match = re.compile(r"\s*(->|=>)\s*").match(text, before)
    if match is None or not match.start(1) <= at < match.end(1):
        return None
    sign = match[1]
    message = f"`{sign}` does not chain steps: each takes what the one before gives"
    help = "write a new line or `;`"
    rest = re.sub(r"\s*(?:->|=>|\|>|>>|\|)\s*", "; ", text[match.start() : place.end])
    whole, replacement = (match.start(), place.end), rest
    return Habit(match.start(1), match.end(1), message, help, place.end, replacement, is_safe=True, whole=whole)


def size_by_size(place: HabitSite) -> Habit | None:
    """Say how a size of two is written, at `3x3` and `k=3x3`."""
    text, at = place.source.text, place.offset
    match = re.compile(r"\d+(?:[xX]\d+){1,3}").match(text, at)
    if match is None:
        return None
    items = re.split("[xX]", match.group())
    items = items[-3:]  # the first of four is the batch
    size = items[0] if len(items) == 2 and items[0] == items[1] else f"[{', '.join(items)}]"
    has_key = re.search(r"=\s*$", text[place.start : at])
    is_window = len(items) == 2 and not has_key and not re.search(r"pool\s*$", text[place.start : at])
    written = f"k={size}" if is_window else size
    return Habit(
        at, match.end(), f"`{match.group()}` is no number", f"write `{written}`", match.end(), written, code="E002"
    )


def number_with_unit(place: HabitSite) -> Habit | None:
    """Say that a name does not begin with a digit, and a number does not end in one of other letters."""
    match = re.compile(r"\d[\w.]*").match(place.source.text, place.offset)
    if match is None or not re.search(r"[A-Za-z_]", match.group()):
        return None
    is_label = re.match(r"\s*:", place.source.text[match.end() :])
    help = f'write `"{match.group()}":`' if is_label else "a number is written in digits, perhaps with K, M, G or T"
    return Habit(
        match.start(), match.end(), f"`{match.group()}` is neither a number nor a name", help, match.end(), code="E002"
    )


def stray(place: HabitSite) -> Habit | None:
    """Take out a word or sign that nobody knows, which helps where the rest is a statement."""
    found = re.compile(r'\w+|[^\w\s{}()\[\]#"]{1,3}|[()\[\]]').match(place.source.text, place.offset)
    if found is None:
        return None
    return Habit(*found.span(), f"unexpected `{found.group()}`", "remove it", found.end(), "")


def bare_point(place: HabitSite) -> Habit | None:
    """Put a digit on both sides of a point."""
    text, at = place.source.text, place.offset
    if text[at : at + 1] != ".":
        return None
    start = at - len(text[:at]) + len(text[:at].rstrip("0123456789"))
    match = re.compile(r"(?<![\w.])(\d*)\.(\d*)(?![\w.])").match(text, start)
    if match is None or bool(match[1]) == bool(match[2]):
        return None
    written = f"{match[1] or 0}.{match[2] or 0}"
    message = "a digit stands on both sides of a point"
    return Habit(*match.span(), message, f"write `{written}`", match.end(), written, is_safe=True)


def per_cent(place: HabitSite) -> Habit | None:
    """Write a share as a number, at `dropout 50%`."""
    match = re.search(r"(\d+(?:\.\d+)?)%\s*$", place.text)
    if match is None or not place.start + match.start() <= place.offset <= place.end + 1:
        return None
    start, end = place.start + match.start(), place.start + match.end()
    written = f"{float(match[1]) / 100:g}"
    return Habit(
        start, end, "a share is a number from 0 to 1", f"write `{written}`", place.end + 1, written, whole=(start, end)
    )
