"""Words and orders of words that other languages have in place of ours."""

from __future__ import annotations

import re

from archdsl.syntax.habits.absent import nearest_to
from archdsl.syntax.habits.brackets import bracket_around
from archdsl.syntax.habits.layers import own_in
from archdsl.syntax.habits.python import FUNCTIONS, step_called
from archdsl.syntax.habits.scan import Habit, HabitSite, line_bounds
from archdsl.syntax.habits.values import NOTHING, STEPS, arguments
from archdsl.text.labels import objection
from archdsl.text.suggest import nearest


def doubled_equals(place: HabitSite) -> Habit | None:
    """Say that one `=` gives a value, at `maxpool k==3`."""
    text, at = place.source.text, place.offset
    start = at - 1 if text[at - 1 : at + 1] == "==" else at
    sign = re.compile(r"={2,}[ \t]*([\w.]*)").match(text, start)
    name = re.search(r"([A-Za-z_]\w*)[ \t]*$", text[place.start : start])
    if sign is None or name is None or text[place.end :].lstrip(" \t").startswith("{"):
        return None  # before a brace it may well compare
    if text[place.start : start][: name.start()].rstrip().endswith("="):
        return Habit(start, start + 2, "a comparison stands in parentheses as an argument", "", place.end)
    end = start + len(sign.group()) - len(sign.group().lstrip("="))
    help = f"write `{name[1]}={sign[1]}`" if sign[1] else "write one `=`"
    return Habit(start, end, "`==` compares; a value is given by one `=`", help, end, "=", is_safe=True)


def default_behind_binding(place: HabitSite) -> Habit | None:
    """Say what stands before the defaults of an operator, at `defaults { norm=none conv bias=true }`."""
    binding = re.match(r"(?:[A-Za-z_]\w*=\S+[ \t]+)+([A-Za-z_]\w*)[ \t]+(?=[A-Za-z_]\w*[ \t]*=[^=])", place.text)
    before = place.source.text[: place.start].rstrip()
    if binding is None or place.offset != place.start + binding.end() or not before.endswith(("{", ";")):
        return None
    word = place.start + binding.start(1)
    behind = len(place.source.text[:word].rstrip())
    title = f"put `;` before `{binding[1]}`"
    message = "`;` or a line end stands between the defaults of different names"
    return Habit(word, word + len(binding[1]), message, title, place.end, "; ", whole=(behind, word))


def missing_semicolon(place: HabitSite) -> Habit | None:
    """Say what stands between two steps of a line, at `add { … } gap` and `act for i in 1..3 { … }`."""
    text, at = place.source.text, place.offset
    line, _ = line_bounds(text, at)
    before = text[line:at].rstrip()
    word = _LABELLED.match(text, at) or re.compile(r"[A-Za-z_]\w*").match(text, at)
    if word is None or bracket_around(place) is not None or not before:
        return None
    if before.endswith("}"):
        near = nearest(word.group(), ("shortcut", "else"))
        if near is not None and re.match(r"[ \t]*\w*[ \t]*\{", text[word.end() :]):
            message, help = f"unexpected `{word.group()}`", f"the nearest word is `{near}`"
            return Habit(at, word.end(), message, help, word.end(), near)
    elif (
        (word.re is not _LABELLED and word.group() not in _BEGIN_STATEMENTS)
        or not re.search(r"[\w)\]]$", before)
        or _HEAD.search(before)
    ):
        return None
    title = f"put `;` before `{word.group()}`"
    behind = line + len(before)
    message = "`;` or a line end stands between steps"
    return Habit(at, word.end(), message, title, word.end(), "; ", whole=(behind, at))


# Words of the language that begin a statement and that no argument can be.
_BEGIN_STATEMENTS = frozenset(
    ["assert", "defaults", "for", "if", "let", "output", "residual", "reuse", "split", "stages"]
)
_LABELLED = re.compile(r"[A-Za-z_]\w*(?:\{[^{}\n]*\}\w*)*(?=[ \t]*:)")
# What a name is to follow: there such a word was meant as a name.
_HEAD = re.compile(
    r"\b(?:block|model|variant|of|fn|let|for|inline|use|as|reuse|output|int|float|bool|str|list|stride|body)$"
)


def equals_for_label(place: HabitSite) -> Habit | None:
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
        rest = "none" if rest in NOTHING else rest
        written = f"defaults {{ {name}={rest} }}"
        message = f"`{name}` is settled by `defaults`"
        return Habit(at, at + 1, message, f"write `{written}`", place.end, written, whole=whole)
    if re.fullmatch(r"[\d\s.+*/()\[\],-]+", rest):
        help = f"write `let {name} = {rest}`"
        return Habit(
            at, at + 1, "a value is given a name by `let`", help, place.end, f"let {name} = {rest}", whole=whole
        )
    rest = re.sub(r"(?<=\w)[ \t]+x$", "", rest)
    terms = {*re.split(r"[ \t]*\+[ \t]*", rest)}
    if len(terms) > 1 and {"x", name} & terms and any(re.match(r"[A-Za-z_]\w*(?:[ \t]+\w|\()", term) for term in terms):
        message = "values have no names to compute with: they flow from step to step"
        help = "write `residual { … }` around the steps whose result is added"
        return Habit(place.start, place.end, message, help, place.end)
    called = step_called(rest)
    if called is None and re.match(r"\w+\s*\(", rest):
        return None
    # A lone word may be a value, and a sign beside a word one that slipped.
    is_spaced = text[at - 1 : at] in " \t" and text[at + 1 : at + 2] in " \t"
    step, is_certain = called or (rest, is_spaced and bool(re.search(r"\s", rest)))
    if name == "x":
        message = "values have no names: they flow from step to step"
        return Habit(place.start, at + 1, message, f"write `{step}`", place.end, step, whole=whole)
    if called is not None and re.match(r"\w+", rest).group() in FUNCTIONS:  # pyright: ignore[reportOptionalMemberAccess]
        return None
    step = f"{{ {step} }}" if called is not None and ";" in step.partition("{")[0] else step
    written = f"{name}: {step}"
    message = "`=` does not label a step"
    help = f"write `{written}`" if len(written) < 60 else f"write `{name}:`"
    if called is not None:
        return Habit(at, at + 1, message, help, place.end, written, whole=whole)
    colon = (place.start, at + 1 + _spaces(text, at + 1))
    return Habit(
        at, at + 1, message, help, at + 1, f"{name}: ", is_safe=is_certain and not objection(name), whole=colon
    )


def value_without_let(place: HabitSite) -> Habit | None:
    """Say that `let` gives a value a name, at `width = 2 * c`."""
    match = re.match(r"([A-Za-z_]\w*)\s*=(?!=)\s*(\S.*)$", place.text, re.S)
    if match is None or place.offset > place.start + match.start(2):
        return None
    written = f"let {match[1]} = {match[2]}"
    help = f"write `{written}`" if len(written) < 60 else "write `let` before it"
    at = place.start + place.text.index("=")
    return Habit(
        at, at + 1, "a value is given a name by `let`", help, place.end, written, whole=(place.start, place.end)
    )


def _spaces(text: str, offset: int) -> int:
    return len(text[offset:]) - len(text[offset:].lstrip(" \t"))


# A step with arguments, which is no value of an argument.
_STEP = re.compile(r"(?!(?:true|false)\b)[A-Za-z_]\w*[ \t]+(?![A-Za-z_]\w*[ \t]*:)[\w(@]")


def colon_for_equals(place: HabitSite) -> Habit | None:
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
        if at <= place.offset <= place.start + match.end() and not bracket_around(place):
            value = re.compile(r"[^\s;{}]+").match(text, place.start + match.end(), place.end)
            is_word = value is not None and re.fullmatch(r"(?!(?:true|false)$)[A-Za-z_]\w*", value.group()) is not None
            is_label = is_word and match[1] not in _ARGUMENTS
            if (is_label or _STEP.match(text, place.start + match.end())) and match.start():
                title = f"put `;` before `{match[1]}`"
                behind = place.start + len(place.text[: match.start()].rstrip())
                message = "`;` or a line end stands between steps"
                return Habit(at, at + len(match[1]), message, title, place.end, "; ", whole=(behind, at))
            written = f"{match[1]}="
            help = f"write `{written}{value.group() if value else '…'}`"
            end = place.start + match.end()
            message = "an argument is given by `=`"
            # A word may as well be a step, with a label before it.
            return Habit(at, at + len(match[1]), message, help, end, written, is_safe=not is_word, whole=(at, end))
    return None


# Arguments that take words.
_ARGUMENTS = frozenset(
    ["act", "axis", "bias_init", "gate", "init", "mode", "norm", "p", "padding", "padding_mode", "unit"]
)


def lambda_word(place: HabitSite) -> Habit | None:
    """Say how a function is declared, at `let f = lambda c: 2 * c`."""
    match = re.match(r"(?:let\s+)?(\w+)\s*=\s*lambda\s+([\w\s,]+?)\s*:\s*(.+)$", place.text)
    if match is None:
        return None
    at = place.start + place.text.index("lambda")
    help = f"write `fn {match[1]}({match[2]}) = {match[3]}`"
    return Habit(at, at + 6, "a function is declared by `fn`", help, place.end)


def stage_word(place: HabitSite) -> Habit | None:
    """Say how to repeat, at `stage x 4 { … }` or `x 4 { … }`."""
    match = re.match(r"(?:\w+:\s*)?(?:stage|stages|repeat|loop)?\s*(?:x|\*)?\s*(\d+)\s*$", place.text)
    if match is None or not place.source.text[place.end :].lstrip(" ").startswith("{"):
        return None
    message = "a repeat stands behind what it repeats"
    help = f"write `{{ … }} x {match[1]}`, or `stages [{match[1]}] c=64 {{ … }}`"
    return Habit(place.start, place.end, message, help, place.end + 2)


def times_sign(place: HabitSite) -> Habit | None:
    """Say how a step is repeated, at `relu * 3` or `{ … } * 3`."""
    text = place.source.text
    match = re.compile(r"\*[ \t]*(\w+)(?![\w.]|[ \t]*[*(])").match(text, place.offset)
    if match is None:
        return None
    # A product of two values stands where a step was meant, if its sign has no spaces around it.
    is_apart = not re.match(r"\w", text[place.offset - 1 : place.offset])
    help = f"write `x {match[1]}`"
    return Habit(
        match.start(), match.start() + 1, "`x` repeats a step", help, match.end(),
        f"x {match[1]}" if is_apart else f" x {match[1]}", is_safe=is_apart,
        whole=(match.start(), match.end()),
    )  # fmt: skip


def label_behind_stages(place: HabitSite) -> Habit | None:
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


def quoted_step(place: HabitSite) -> Habit | None:
    """Say that a step has no quotes, at a string alone."""
    match = re.fullmatch(r'"([A-Za-z_]\w*)"', place.text)
    if match is None:
        return None
    help = f"write `{match[1]}`; with a colon behind it, a string is a label"
    return Habit(place.start, place.end, "a step is called without quotes", help, place.end, match[1], is_safe=True)


def one_edit_a_line(place: HabitSite) -> Habit | None:
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


def misplaced_declaration(place: HabitSite) -> Habit | None:
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


def chained_comparison(place: HabitSite) -> Habit | None:
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


def place_of_group(place: HabitSite, match: re.Match[str], group: int) -> tuple[int, int]:
    """Return where a group of a match in a statement's text stands in the source."""
    return place.start + match.start(group), place.start + match.end(group)


def is_word(place: HabitSite) -> Habit | None:
    """Say how things are compared, at `a is b`."""
    match = re.compile(r"is(\s+not)?\b").match(place.source.text, place.offset)
    if match is None:
        return None
    sign = "!=" if match[1] else "=="
    message = f"`{match.group()}` is written `{sign}` here"
    return Habit(*match.span(), message, f"write `{sign}`", match.end(), sign, is_safe=True)


def augmented_assignment(place: HabitSite) -> Habit | None:
    """Say that a name keeps its value, at `c += 8`."""
    match = re.match(r"(?:let\s+)?([A-Za-z_]\w*)\s*([+*/-]{1,2})=\s*(.+)$", place.text)
    if match is None:
        return None
    message = "a name keeps the value that `let` gives it"
    help = f"bind another one: `let more = {match[1]} {match[2]} {match[3].strip()}`"
    return Habit(*place_of_group(place, match, 2), message, help, place.end)


def negative_argument(place: HabitSite) -> Habit | None:
    """Put a first argument with a sign into parentheses."""
    match = re.compile(r"-\s*(\d[\w.]*|[A-Za-z_]\w*)").match(place.source.text, place.offset)
    head = place.source.text[place.start : place.offset]
    if match is None or not re.fullmatch(r"(?:\S+\s*:\s*)?[A-Za-z_]\w*\s+", head):
        return None
    if re.search(r"\w\{$", place.source.text[: place.start]):
        return None  # a label's brace, which is never closed
    written = f"(-{match[1]})"
    message = "an argument without a name begins with no sign"
    word = re.search(r"(\w+)\s+$", head)
    name = word[1] if word else ""
    absent = nearest_to(name) if name not in STEPS and not own_in(place.source.text, [name]) else None
    if absent is not None:
        start = place.start + head.rindex(name)
        return Habit(
            start, start + len(name), f"no operator or block is called `{name}`", absent, place.end, code="E101"
        )
    taken = [*arguments(name).items()] if name in STEPS else []
    # Sizes, counts and shares are not below zero, so that something else is meant there.
    if not taken or taken[0][1].kind == "float":
        return Habit(*match.span(), message, f"write `{written}`", match.end(), written, is_safe=bool(taken))
    first, kind = taken[0][0], taken[0][1].kind
    if kind == "sizes" and match[1] == "1":
        return Habit(*match.span(), message, "write `[-1]`: sizes stand in a list", match.end(), "[-1]")
    return Habit(*match.span(), message, f"`{first}` of `{name}` is not below zero", place.end)


def prefixed_string(place: HabitSite) -> Habit | None:
    """Say that a label needs no `f` to hold values, at `f"conv{i}": …`."""
    match = re.match(r'f("[^"\n]*")\s*:', place.text)
    if match is None:
        return None
    help = f"write `{match[1]}:`"
    message = "a label holds values in braces without an `f`"
    return Habit(place.start, place.start + 1, message, help, place.end, "", is_safe=True)


def dotted_file(place: HabitSite) -> Habit | None:
    """Say how a file is named, at `use resnet.arch`."""
    match = re.match(r"use\s+([\w/.-]+?)(\.arch)?$", place.text)
    if match is None or not re.search(r"[./-]", match[1] + (match[2] or "")):
        return None
    name = match[1] if match[2] and re.fullmatch(r"\w+", match[1]) else f'"{match[1]}.arch"'
    start = place.start + match.start(1)
    message = "a file is named by a word, or by a path in quotes"
    return Habit(start, place.end, message, f"write `use {name}`", place.end, name, is_safe=True)


def value_missing(place: HabitSite) -> Habit | None:
    """Say what is missing where a statement ends behind `=` or an operator."""
    match = re.search(r"(?:([A-Za-z_]\w*)\s*=|(\*\*|//|[-+*/%<>]|\b(?:and|or|not)))\s*$", place.text)
    if match is None or place.offset < place.start + match.end():
        return None
    start = place.start + match.start()
    end = place.start + len(place.text[: match.end()].rstrip())
    if match[1]:
        return Habit(start, end, f"`{match[1]}=` is given no value", "write a value behind it, or remove it", end)
    return Habit(start, end, f"nothing stands behind `{match[2]}`", "write what it takes, or remove it", end)


def argument_of_reuse(place: HabitSite) -> Habit | None:
    """Say that a step that is used again takes nothing new, at `reuse cell @b`."""
    text, at = place.source.text, place.offset
    match = re.search(r'(?:^|[\s:{])reuse\s+("[^"\n]*"|[\w{}-]+)\s+$', text[place.start : at])
    if match is None or at >= place.end or text[at] in "{}":
        return None
    name = match[1].strip('"')
    help = f"what flows in is new, further values are those that `{name}` read: for others, write another step"
    return Habit(at, place.end, "`reuse` takes no arguments", help, place.end)


_DECLARATIONS = ("model", "block", "variant", "fn", "let", "use", "defaults", "keys", "inline", "allow")


def outside(place: HabitSite) -> Habit | None:
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
