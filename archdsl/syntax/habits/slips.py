"""Small signs and words that other languages write in place of ours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from unicodedata import normalize

from archdsl.syntax.habits.scan import Habit, Place, line_bounds, split_commas
from archdsl.text.suggest import nearest

# What a keyboard, a web page or a word processor puts in place of a character of ours.
_CHARACTERS = {
    "\u00d7": ("x", "`×` is not a letter", "write `x` for a repeat, or `*` for a product"),
    "\u2192": ("; ", "", "write a new line or `;` between two steps"),
    "\u2013": ("-", "", "write `-`"),
    "\u2014": ("-", "", "write `-`"),
    "\u2212": ("-", "", "write `-`"),
    "\u2026": ("", "", "write out what it stands for, or a range such as `1..4`"),
    "\u00a0": (" ", "", "write a plain space"),
    "\u202f": (" ", "", "write a plain space"),
    "\u3000": (" ", "", "write a plain space"),
    "\u2009": (" ", "", "write a plain space"),
    "\u200b": ("", "", "remove it; it cannot be seen"),
    "\u2060": ("", "", "remove it; it cannot be seen"),
    "\ufeff": ("", "", "remove it; it cannot be seen"),
    "\uff08": ("(", "", "write `(`"),
    "\uff09": (")", "", "write `)`"),
    "\uff0c": (",", "", "write `,`"),
    "\uff1a": (":", "", "write `:`"),
    "\uff1d": ("=", "", "write `=`"),
    "\uff1b": (";", "", "write `;`"),
    "\u2264": ("<=", "", "write `<=`"),
    "\u2265": (">=", "", "write `>=`"),
    "\u2260": ("!=", "", "write `!=`"),
    "\u00b7": ("*", "", "write `*`"),
}
_QUOTES = {"\u201c": "\u201d", "\u201e": "\u201c", "\u2018": "\u2019", "\u00ab": "\u00bb", "'": "'", "`": "`"}
_SIGNS = {"&&": "and", "||": "or", "===": "==", "<>": "!="}


def character(place: Place) -> Habit | None:
    """Say which plain character stands for a foreign one."""
    text, at = place.source.text, place.offset
    found = text[at : at + 1]
    if found in _QUOTES or found == "\u201d":
        return _quotes(place)
    if found == "!" and text[at + 1 : at + 2] != "=":
        return Habit(at, at + 1, "`!` is written `not` here", "write `not`", at + 1, "not ", is_safe=True, code="E002")
    if found in _CHARACTERS:
        replacement, _, help = _CHARACTERS[found]
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


def _compatible(text: str, at: int) -> Habit | None:
    """Say which plain letters and digits stand for wide or decorated ones."""
    run = re.compile(r"[^\x00-\x7f]+").match(text, at)
    plain = normalize("NFKC", run.group()) if run is not None else ""
    if run is None or not plain.isascii() or not plain.isalnum():
        return None
    message = f"`{run.group()}` is not written in plain letters and digits"
    return Habit(at, run.end(), message, f"write `{plain}`", run.end(), plain, is_safe=True, code="E002")


def _quotes(place: Place) -> Habit | None:
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


def comment(place: Place) -> Habit | None:
    """Say how a comment begins, at `//` or `/*` in front of a statement or behind a whole one."""
    text, at = place.source.text, place.offset
    start, end = line_bounds(text, at)
    before = text[start:at]
    if text.startswith("//", at) and (not before.strip() or before.rstrip().endswith(("{", "}", ";"))):
        return _comment(at, end)
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
    if text.startswith("--", at) and not before.strip():
        return _comment(at, end)
    for quotes in ('"""', "'''"):
        first = text.rfind(quotes, max(start, at - 2), at + 3)
        if first >= 0:
            closed = text.find(quotes, first + 3)
            last = closed + 3 if closed >= 0 else end
            help = "write `#` before each of its lines; `##` above a declaration documents it"
            return Habit(first, first + 3, "a comment runs from `#` to the end of the line", help, last)
    return None


def _comment(at: int, end: int) -> Habit:
    message = "a comment runs from `#` to the end of the line"
    return Habit(at, at + 2, message, "write `#`", end, "#", is_safe=True)


def arrow(place: Place) -> Habit | None:
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


def comma(place: Place) -> Habit | None:
    """Take the commas from between a step's arguments, or from behind a statement."""
    text, at = place.source.text, place.offset
    if text[at : at + 1] != ",":
        return None
    inside = _bracket(place)
    if inside:
        return _tuple(place, *inside)
    before, after = text[place.start : at], text[at + 1 : place.end]
    if not after.strip() or after.lstrip().startswith("#"):
        return Habit(at, at + 1, "a statement ends without a comma", "remove it", at + 1, "", is_safe=True)
    arguments = [argument.strip() for argument in split_commas(after)]
    if not before.strip() or '"' in before + after or any(re.match(r"[A-Za-z_]\w*\s*:", a) for a in arguments):
        return None
    written = " " + " ".join(arguments)
    help = f"write `{before.strip()}{written}`" if len(before + written) < 60 else ""
    message = "arguments of a step are separated by spaces"
    return Habit(at, at + 1, message, help, place.end, written, is_safe=True, whole=(at, place.end))


def _bracket(place: Place) -> tuple[int, int] | None:
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


def _tuple(place: Place, start: int, end: int) -> Habit | None:
    text = place.source.text
    if text[start] != "(" or text[end - 1] != ")" or "(" in text[start + 1 : end - 1]:
        return None
    items = split_commas(text[start + 1 : end - 1])
    is_one = len(items) == 2 and items[0] == items[1] and items[0].isdigit()
    written = (
        items[0] if is_one and not text[place.start : start].rstrip().endswith("input") else f"[{', '.join(items)}]"
    )
    key = re.search(r"[A-Za-z_]\w*\s*=\s*$", text[place.start : start])
    shown = (key.group().replace(" ", "") if key else "") + written
    help = f"write `{shown}`"
    if start and text[start - 1].isalnum():
        return None
    return Habit(start, end, "a list stands in square brackets", help, end, written, is_safe=True)


def list_commas(place: Place) -> Habit | None:
    """Put commas between the items of a list."""
    text = place.source.text
    if (parted := re.compile(r"\[([^\[\](){}\n]*;[^\[\](){}\n]*)\]").match(text, place.offset)) is not None:
        return _with_commas(*parted.span(), parted[1].split(";"))
    inside = _bracket(place)
    if inside is None or text[inside[0]] != "[" or text[inside[1] - 1] != "]":
        return None
    start, end = inside
    content = text[start + 1 : end - 1]
    if "," in content or not re.fullmatch(r"\s*[\w.]+(?:\s+[\w.]+)+\s*", content):
        return None
    return _with_commas(start, end, content.split())


def _with_commas(start: int, end: int, items: Iterable[str]) -> Habit:
    written = f"[{', '.join(item.strip() for item in items)}]"
    message = "commas stand between the items of a list"
    return Habit(start, end, message, f"write `{written}`", end, written, is_safe=True, code="E001")


def equals_for_label(place: Place) -> Habit | None:
    """Say that a label ends with a colon, at `conv1 = conv 64`."""
    text = place.source.text
    head = re.match(r"[A-Za-z_]\w*\s*(?==)", place.text)
    if head is None or place.offset not in (place.start, place.start + head.end()):
        return None
    at = place.start + head.end()
    name, rest = text[place.start : at].strip(), text[at + 1 : place.end].strip()
    whole = (place.start, place.end)
    if name in ("input_shape", "input_size", "in_shape", "image_size", "img_size"):
        sizes = re.findall(r"\d+", rest)
        if len(sizes) == 3 and sizes[2] in "134":
            sizes = [sizes[2], *sizes[:2]]
        written = f"input [{', '.join(sizes)}]"
        message = "a model begins with the shape of its input, channels first"
        return Habit(place.start, at, message, f"write `{written}`", place.end, written, whole=whole)
    if name in ("norm", "act"):
        written = f"defaults {{ {name}={rest} }}"
        message = f"`{name}` is settled by `defaults`"
        return Habit(at, at + 1, message, f"write `{written}`", place.end, written, whole=whole)
    if re.fullmatch(r"[\d\s.+*/()\[\],-]+", rest):
        help = f"write `let {name} = {rest}`"
        return Habit(
            at, at + 1, "a value is given a name by `let`", help, place.end, f"let {name} = {rest}", whole=whole
        )
    if name == "x":
        message = "values have no names: they flow from step to step"
        return Habit(place.start, at + 1, message, f"write `{rest}`", place.end, rest, whole=whole)
    written = f"{name}: {rest}"
    message = "`=` does not label a step"
    help = f"write `{written}`" if len(written) < 60 else f"write `{name}:`"
    return Habit(
        at,
        at + 1,
        message,
        help,
        at + 1,
        f"{name}: ",
        is_safe=True,
        whole=(place.start, at + 1 + _spaces(text, at + 1)),
    )


def _spaces(text: str, offset: int) -> int:
    return len(text[offset:]) - len(text[offset:].lstrip(" \t"))


def colon_for_equals(place: Place) -> Habit | None:
    """Say that `=` gives an argument, at `conv 64 k: 3`."""
    text = place.source.text
    for match in re.finditer(r"(?<=\s)([A-Za-z_]\w*)\s*:\s*(?=[\w(\[\".-])", place.text):
        at = place.start + match.start()
        if place.text[: match.start()].rstrip().endswith(":"):
            message = "a step has one label"
            help = (
                f"write one of them, or a level of its own: `{place.text[: match.start()].strip()} {{ {match[1]}: … }}`"
            )
            return Habit(at, at + len(match[1]), message, help, place.end)
        if at <= place.offset <= place.start + match.end() and not _bracket(place):
            written = f"{match[1]}="
            value = re.match(r"\S+", text[place.start + match.end() : place.end])
            help = f"write `{written}{value.group() if value else '…'}`"
            end = place.start + match.end()
            return Habit(
                at, at + len(match[1]), "an argument is given by `=`", help, end, written, is_safe=True, whole=(at, end)
            )
    return None


def lambda_word(place: Place) -> Habit | None:
    """Say how a function is declared, at `let f = lambda c: 2 * c`."""
    match = re.match(r"(?:let\s+)?(\w+)\s*=\s*lambda\s+([\w\s,]+?)\s*:\s*(.+)$", place.text)
    if match is None:
        return None
    at = place.start + place.text.index("lambda")
    help = f"write `fn {match[1]}({match[2]}) = {match[3]}` outside of models and blocks"
    return Habit(at, at + 6, "a function is declared by `fn`", help, place.end)


def stage_word(place: Place) -> Habit | None:
    """Say how to repeat, at `stage x 4 { … }` or `x 4 { … }`."""
    match = re.match(r"(?:\w+:\s*)?(?:stage|stages|repeat|loop)?\s*(?:x|\*)?\s*(\d+)\s*$", place.text)
    if match is None or not place.source.text[place.end :].lstrip(" ").startswith("{"):
        return None
    message = "a repeat stands behind what it repeats"
    help = f"write `{{ … }} x {match[1]}`, or `stages [{match[1]}] c=64 {{ … }}`"
    return Habit(place.start, place.end, message, help, place.end + 2)


def typed_by_colon(place: Place) -> Habit | None:
    """Say how a parameter's type and default are written, at `(c: int, s: 1)`."""
    inside = _bracket(place)
    if inside is None or not re.match(r"(?:inline\s+)?(?:model|block|fn)\b", place.text):
        return None
    text = place.source.text
    parameter = re.compile(r"(?:(\w+)\s+)?(\w+)\s*:\s*([\w.]+)(?:\s*=\s*([\w.]+))?").match(text, place.offset)
    if parameter is None:
        return None
    _, name, what, default = parameter.groups()
    is_type = what in ("int", "float", "bool", "str", "list")
    written = (f"{what} {name}" + (f"={default}" if default else "")) if is_type else f"{name}={what}"
    message = "a parameter's type stands before its name" if is_type else "a parameter's default is given by `=`"
    span = (parameter.start(2), parameter.end())
    return Habit(*span, message, f"write `{written}`", span[1], written, is_safe=True)


def times_sign(place: Place) -> Habit | None:
    """Say how a step is repeated, at `relu * 3` or `{ … } * 3`."""
    match = re.compile(r"\*\s*(\w+)").match(place.source.text, place.offset)
    if match is None:
        return None
    help = f"write `x {match[1]}`"
    return Habit(
        match.start(), match.start() + 1, "`x` repeats a step", help, match.end(), f"x {match[1]}", is_safe=True,
        whole=(match.start(), match.end()),
    )  # fmt: skip


def size_by_size(place: Place) -> Habit | None:
    """Say how a size of two is written, at `3x3` and `k=3x3`."""
    text, at = place.source.text, place.offset
    match = re.compile(r"(\d+)[xX](\d+)(?:[xX](\d+))?").match(text, at)
    if match is None:
        return None
    items = [item for item in match.groups() if item]
    size = items[0] if len(items) == 2 and items[0] == items[1] else f"[{', '.join(items)}]"
    has_key = re.search(r"=\s*$", text[place.start : at])
    is_window = len(items) == 2 and not has_key and not re.search(r"pool\s*$", text[place.start : at])
    written = f"k={size}" if is_window else size
    return Habit(
        at, match.end(), f"`{match.group()}` is no number", f"write `{written}`", match.end(), written, code="E002"
    )


def number_with_unit(place: Place) -> Habit | None:
    """Say that a name does not begin with a digit, and a number does not end in one of other letters."""
    match = re.compile(r"\d[\w.]*").match(place.source.text, place.offset)
    if match is None or not re.search(r"[A-Za-z_]", match.group()):
        return None
    is_label = re.match(r"\s*:", place.source.text[match.end() :])
    help = f'write `"{match.group()}":`' if is_label else "a number is written in digits, perhaps with K, M, G or T"
    return Habit(
        match.start(), match.end(), f"`{match.group()}` is neither a number nor a name", help, match.end(), code="E002"
    )


def label_behind_stages(place: Place) -> Habit | None:
    """Put the label of stages in front."""
    match = re.match(
        r"stages\s+([A-Za-z_]\w*(?:\{[^{}\n]*\}\w*)*)\s+(?=\[)", place.source.text[place.start : place.start + 200]
    )
    if match is None:
        return None
    label = match[1] if "{" not in match[1] else re.sub(r"\{[^{}]*\}", "{stage}", match[1])
    rest = (
        place.source.text[place.start + match.end() : line_bounds(place.source.text, place.start)[1]]
        .split("{")[0]
        .strip()
    )
    start, end = place.start + match.start(1), place.start + match.end(1)
    help = f"write `{label}: stages {rest} {{`"
    whole = (place.start, place.start + match.end())
    return Habit(start, end, "a label stands in front of its step", help, end, f"{label}: stages ", whole=whole)


def quoted_step(place: Place) -> Habit | None:
    """Say that a step has no quotes, at a string alone."""
    match = re.fullmatch(r'"([A-Za-z_]\w*)"', place.text)
    if match is None:
        return None
    help = f"write `{match[1]}`; with a colon behind it, a string is a label"
    return Habit(place.start, place.end, "a step is called without quotes", help, place.end, match[1], is_safe=True)


def one_edit_a_line(place: Place) -> Habit | None:
    """Separate the edits of a variant."""
    match = re.compile(r"(set|remove|replace)\s*(?=\")").match(place.source.text, place.offset)
    before = place.source.text[place.start : place.offset]
    if match is None or not before.strip():
        return None
    at = place.offset
    message = "each edit of a variant is a statement of its own"
    help = f"write a new line or `;` before `{match[1]}`"
    end = at + len(match[1])
    return Habit(
        at,
        end,
        message,
        help,
        at + 1,
        f"; {match[1]}",
        is_safe=True,
        whole=(at - len(before) + len(before.rstrip()), end),
    )


def misplaced_declaration(place: Place) -> Habit | None:
    """Say where declarations stand, at one inside a body or behind another on its line."""
    match = re.compile(r"(model|block|variant|fn|use|keys|inline)\b(?=[ \t]+[\"A-Za-z_])").match(
        place.source.text, place.offset
    )
    if match is None or place.offset != place.start:
        return None
    before = place.source.text[: place.offset].rstrip(" \t")
    if before.endswith("}"):
        message, help = f"`{match[1]}` begins a declaration on a line of its own", "write a new line before it"
        end = place.offset + len(match[1])
        return Habit(
            place.offset, end, message, help, place.offset + 1, "\n" + match[1], is_safe=True, whole=(len(before), end)
        )
    if before.endswith(("{", ";", "\n")) and before.count("{") > before.count("}"):
        message = f"a `{match[1]}` stands outside of models and blocks"
        help = "move it out of the braces; a block is called by its name wherever it stands in the file"
        return Habit(place.offset, place.offset + len(match[1]), message, help, place.end)
    return None


def chained_comparison(place: Place) -> Habit | None:
    """Say how two comparisons are joined, at `1 < in < 9`."""
    pattern = r"([\w.()\[\]]+)\s*([<>]=?|==|!=)\s*([\w.()\[\]]+)\s*([<>]=?|==|!=)\s*([\w.()\[\]]+)"
    for match in re.finditer(pattern, place.text):
        if place.start + match.start(4) == place.offset:
            low, first, middle, second, high = match.groups()
            written = f"{low} {first} {middle} and {middle} {second} {high}"
            whole = (place.start + match.start(), place.start + match.end())
            message = "comparisons do not chain"
            return Habit(
                *place_of_group(place, match, 4), message, f"write `{written}`", place.end, written, whole=whole
            )
    return None


def place_of_group(place: Place, match: re.Match[str], group: int) -> tuple[int, int]:
    """Give where a group of a match in a statement's text stands in the source."""
    return place.start + match.start(group), place.start + match.end(group)


def is_word(place: Place) -> Habit | None:
    """Say how things are compared, at `a is b`."""
    match = re.compile(r"is(\s+not)?\b").match(place.source.text, place.offset)
    if match is None:
        return None
    sign = "!=" if match[1] else "=="
    message = f"`{match.group()}` is written `{sign}` here"
    return Habit(*match.span(), message, f"write `{sign}`", match.end(), sign, is_safe=True)


def augmented_assignment(place: Place) -> Habit | None:
    """Say that a name keeps its value, at `c += 8`."""
    match = re.match(r"(?:let\s+)?([A-Za-z_]\w*)\s*([+*/-]{1,2})=\s*(.+)$", place.text)
    if match is None:
        return None
    message = "a name keeps the value that `let` gives it"
    help = f"bind another one: `let more = {match[1]} {match[2]} {match[3].strip()}`"
    return Habit(*place_of_group(place, match, 2), message, help, place.end)


def negative_argument(place: Place) -> Habit | None:
    """Put a first argument with a sign into parentheses."""
    match = re.compile(r"-\s*(\d[\w.]*|[A-Za-z_]\w*)").match(place.source.text, place.offset)
    head = place.source.text[place.start : place.offset]
    if match is None or not re.fullmatch(r"(?:\S+\s*:\s*)?[A-Za-z_]\w*\s+", head):
        return None
    written = f"(-{match[1]})"
    message = "an argument without a name begins with no sign"
    return Habit(*match.span(), message, f"write `{written}`", match.end(), written, is_safe=True)


def bare_point(place: Place) -> Habit | None:
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


def prefixed_string(place: Place) -> Habit | None:
    """Say that a label needs no `f` to hold values, at `f"conv{i}": …`."""
    match = re.match(r'f("[^"\n]*")\s*:', place.text)
    if match is None:
        return None
    help = f"write `{match[1]}:`"
    message = "a label holds values in braces without an `f`"
    return Habit(place.start, place.start + 1, message, help, place.end, "", is_safe=True)


def dotted_file(place: Place) -> Habit | None:
    """Say how a file is named, at `use resnet.arch`."""
    match = re.match(r"use\s+([\w/.-]+?)(\.arch)?$", place.text)
    if match is None or not re.search(r"[./-]", match[1] + (match[2] or "")):
        return None
    name = match[1] if match[2] and re.fullmatch(r"\w+", match[1]) else f'"{match[1]}.arch"'
    start = place.start + match.start(1)
    message = "a file is named by a word, or by a path in quotes"
    return Habit(start, place.end, message, f"write `use {name}`", place.end, name, is_safe=True)


def value_missing(place: Place) -> Habit | None:
    """Say what is missing where a statement ends behind `=` or an operator."""
    match = re.search(r"(?:([A-Za-z_]\w*)\s*=|(\*\*|//|[-+*/%<>]|\b(?:and|or|not)))\s*$", place.text)
    if match is None or place.offset < place.start + match.end():
        return None
    start = place.start + match.start()
    end = place.start + len(place.text[: match.end()].rstrip())
    if match[1]:
        return Habit(start, end, f"`{match[1]}=` is given no value", "write a value behind it, or remove it", end)
    return Habit(start, end, f"nothing stands behind `{match[2]}`", "write what it takes, or remove it", end)


def unopened(place: Place) -> Habit | None:
    """Say that nothing is open, at a bracket that closes."""
    text, at = place.source.text, place.offset
    if text[at : at + 1] not in (")", "]") or _bracket(place) is not None:
        return None
    message = f"`{text[at]}` closes nothing"
    return Habit(at, at + 1, message, "remove it, or open it before", at + 1)


def brace_below(place: Place) -> Habit | None:
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


def never_closed(place: Place) -> Habit | None:
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


def unclosed_before_brace(place: Place) -> Habit | None:
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


_DECLARATIONS = ("model", "block", "variant", "fn", "let", "use", "defaults", "keys", "inline", "allow")


def outside(place: Place) -> Habit | None:
    """Say what a file holds, at a statement outside of models and blocks."""
    text = place.source.text
    before = re.sub(r'"[^"\n]*"|#[^\n]*', "", text[: place.offset])
    if before.count("{") > before.count("}") or place.offset != place.start:
        return None
    word = re.match(r"[A-Za-z_]\w*", place.text)
    if word is None or word.group() in _DECLARATIONS:
        return None
    near = nearest(word.group(), _DECLARATIONS)
    end = place.start + word.end()
    if near is not None:
        message = f"`{word.group()}` begins no declaration"
        return Habit(place.start, end, message, f"the nearest word is `{near}`", place.end, near)
    message = "a step stands inside a model or a block"
    help = "put it into `model name { input [3, 224, 224]; … }`"
    return Habit(place.start, end, message, help, place.end)
