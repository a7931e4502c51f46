"""Names and arguments that parse and mean nothing here: what they are elsewhere, and what to write."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from archdsl.syntax.habits import bindings, python, references, timm_strings, ultralytics
from archdsl.syntax.habits.absent import nearest_to
from archdsl.syntax.habits.foreign import NEEDLESS, NEEDLESS_AT, Foreign, activation_of
from archdsl.syntax.habits.keras_layers import may_be_image
from archdsl.syntax.habits.layers import advice, layer_of, own_in, settled_in, translate, word_of
from archdsl.syntax.habits.scan import Habit, HabitSite, is_too_long, line_bounds, place_of, split_commas, words_of
from archdsl.syntax.habits.values import NOTHING
from archdsl.text.source import Span


def unknown_step(span: Span) -> Habit | None:
    """Say what a step's unknown name is elsewhere."""
    if is_too_long(span.source, span.start):
        return None
    place = place_of(span.source, span.start)
    name = span.text
    for know in (
        python.imports,
        timm_strings.timm,
        ultralytics.called,
        bindings.other_word,
        references.joined,
        _return,
        _shortcut,
        _repeat,
        _sized,
        _joined_words,
        _depthwise,
    ):
        habit = know(place)
        if habit is not None and place.offset <= habit.end:
            return habit
    return _foreign_words(place, name) or _absent(place, name)


def _return(place: HabitSite) -> Habit | None:
    if not re.match(r"return\b", place.source.text[place.offset :]):
        return None
    message = "a body gives what flows at its end, without `return`"
    help = "remove it; `output name` gives out a result on the way under a name"
    return Habit(place.offset, place.offset + 6, message, help)


def _shortcut(place: HabitSite) -> Habit | None:
    if not re.compile(r"(?:skip|res|residual_block|skip_connection)[ \t]*\{").match(place.source.text, place.offset):
        return None
    return Habit(place.offset, place.offset, "", "write `residual { … }` around the steps whose result is added")


def _repeat(place: HabitSite) -> Habit | None:
    match = re.compile(r"(?:repeat|stage|times|loop)\s+(\d+|[A-Za-z_]\w*)\s*\{").match(place.source.text, place.offset)
    if match is None:
        return None
    help = f"write `{{ … }} x {match[1]}`: a repeat stands behind what it repeats"
    return Habit(place.offset, place.offset, "", help)


def _sized(place: HabitSite) -> Habit | None:
    """Translate `conv3x3 64`."""
    pattern = re.compile(
        r"(conv|dwconv|dw|maxpool|avgpool)_?(\d+)x(\d+)\b[ \t]*([^\n;{}#]*?)([ \t]+x[ \t]+\w+)?[ \t]*$"
    )
    match = pattern.match(place.source.text[: place.end], place.offset)
    if match is None:
        return None
    size = match[2] if match[2] == match[3] else f"[{match[2]}, {match[3]}]"
    rest, word = match[4].strip(), word_of(match[1])
    if re.search(r"\bk(?:ernel)?\s*=", rest) or (word == "dw" and re.match(r"\d", rest)):
        return None  # a second size, or channels that no depthwise filter takes
    arguments = [size, rest] if "pool" in word else [rest, f"k={size}"]
    step = " ".join([word, *filter(None, arguments)]) + (match[5] or "")
    return Habit(place.offset, match.end(), "", f"write `{step}`", 0, step, is_safe=True)


_ACTIVATIONS_JOINED = {"relu": "relu", "silu": "silu", "swish": "silu", "leaky": "leaky_relu", "act": "", "": ""}


def _joined_words(place: HabitSite) -> Habit | None:
    """Say that `conv_bn_relu` is three steps; which kernel it has by itself elsewhere, nobody knows."""
    pattern = r"conv(?:2d)?_?(?:bn|norm)_?(relu|act|silu|swish|leaky)?\b[ \t]*([\d \t]*\d\b(?=[ \t]*(?:x\b|[;\n}]|$)))?"
    match = re.compile(pattern, re.I).match(place.source.text, place.offset)
    if match is None:
        return None
    name = match.group().split()[0]
    activation = _ACTIVATIONS_JOINED[(match[1] or "").lower()]
    step = f"{'cna' if match[1] else 'cn'} {match[2] or '64'}" + (f" act={activation}" if activation else "")
    what = "convolution, norm and activation" if match[1] else "convolution and norm, with `k=1` by itself"
    return Habit(match.start(), match.start() + len(name), "", f"write `{step}`, which is {what}")


def _depthwise(place: HabitSite) -> Habit | None:
    """Say that a depthwise filter takes no channels, at `dwconv 64 3`."""
    match = re.compile(r"(?:dwconv|depthwise(?:_?conv(?:2d)?)?)(?=[ \t]+\d)", re.I).match(
        place.source.text, place.offset
    )
    if match is None:
        return None
    help = "write `dw k=3`, with the kernel's size: its channels follow from what flows in"
    return Habit(match.start(), match.end(), "", help)


def _foreign_words(place: HabitSite, name: str) -> Habit | None:
    """Translate a foreign layer that is called as steps are, such as `BatchNorm2d 64`."""
    if layer_of(name) is None:
        return None
    step = place.source.text[place.offset : place.end]
    repeat = re.search(r"\s+x\s+\S+\s*$", step)
    step = step[: repeat.start()] if repeat else step
    positional, named = list[str](), dict[str, str]()
    for word in _words(step[len(name) :]):
        key, equals, value = word.partition("=")
        if equals and key.isidentifier():
            named[key] = _plain(value)
        elif named:
            return None
        else:
            positional.append(_plain(word))
    found = translate(Foreign(name, tuple(positional), named), settled=settled_in(place.source.text))
    if found is None:
        return None
    written = found.step + (repeat.group() if repeat else "")
    if repeat and ";" in found.step:
        written = f"{{ {found.step} }}{repeat.group()}"
    found = replace(found, step=written)
    notes = (found.note,) if found.note else ()
    is_exact = found.is_exact and not own_in(place.source.text, words_of(written))
    is_exact = is_exact and not may_be_image(found.note, place.source.text[: place.offset])
    return Habit(place.offset, place.end, "", advice(found), 0, written if is_exact else None, notes=notes)


def _absent(place: HabitSite, name: str) -> Habit | None:
    """Say what comes nearest to what has no operator here."""
    advice = nearest_to(name)
    return None if advice is None else Habit(place.offset, place.offset + len(name), "", advice)


def _words(text: str) -> Iterable[str]:
    """Split arguments at the spaces outside of brackets and strings."""
    return re.findall(r'(?:[^\s\[\]()"]|\[[^\]]*\]|\([^)]*\)|"[^"]*")+', re.sub(r"\s*=\s*", "=", text))


def _plain(value: str) -> str:
    value = value.strip('"')
    return value.lower() if value in ("True", "False", "None") else value


def unknown_value(span: Span) -> Habit | None:
    """Say what an unknown name in an expression is elsewhere."""
    if is_too_long(span.source, span.start):
        return None
    name, text = span.text, span.source.text
    start, _ = line_bounds(text, span.start)
    before = text[start : span.start]
    if re.search(r"\binput[ \t]*\[[^\[\]]*$", before):
        return _size_of_input(span, before)
    if name in ("True", "False"):
        return Habit(span.start, span.end, "", f"write `{name.lower()}`", 0, name.lower(), is_safe=True)
    if (module := ultralytics.named_like(name)) != ("", ""):
        return Habit(span.start, span.end, *module)
    if name in _INITIAL and re.search(r"\b(?:bias_)?init\s*=\s*$", before):
        return Habit(span.start, span.end, "", f"what comes nearest is `{_INITIAL[name]}`")
    if name in NOTHING and re.search(r"\b(?:norm|act)\s*=\s*$", before):
        return nothing(span, span, "block")
    if name in NOTHING:
        return Habit(span.start, span.end, "", "leave it out: what is unset has no value")
    if comment := re.search(r"\s//\s(?=[^/]*$)", before):
        at = start + comment.start() + 1
        message = "a comment runs from `#` to the end of the line; `//` divides"
        return Habit(at, at + 2, message, "write `#`", 0, "#")
    if re.search(r"//\s*$", before):
        help = "bind it with `let`, or make it a parameter; a comment begins with `#`, where `//` divides"
        return Habit(span.start, span.end, "", help)
    if (match := re.fullmatch(r"x(\d+)", name)) and before.endswith((" ", "\t")):
        help = f"write `x {match[1]}`, with a space: `x` repeats a step"
        return Habit(span.start, span.end, "", help, 0, f"x {match[1]}", is_safe=True)
    if (match := re.fullmatch(r"(kernel|stride|groups|[kspdgce])(\d+)", name)) and before.endswith((" ", "\t")):
        written = f"{match[1]}={match[2]}"
        return Habit(span.start, span.end, "", f"write `{written}`", 0, written, is_safe=True)
    return None


# Initial values by the names that Keras has for them, or by half of ours; they may be drawn otherwise there.
_INITIAL = {
    "glorot_normal": "xavier_normal",
    "glorot_uniform": "xavier_uniform",
    "he": "kaiming_normal",
    "he_normal": "kaiming_normal",
    "he_uniform": "kaiming_uniform",
    "kaiming": "kaiming_normal",
    "lecun_normal": "kaiming_normal",
    "lecun_uniform": "kaiming_uniform",
    "random_normal": "normal",
    "random_uniform": "uniform",
    "truncated_normal": "trunc_normal",
    "xavier": "xavier_uniform",
    "glorot": "xavier_uniform",
}


def _size_of_input(span: Span, before: str) -> Habit:
    """Say what stands for a word in the shape of an input, which may be the batch."""
    shape = re.compile(r"[^\[\]\n]*\]").match(span.source.text, span.start)
    sizes = split_commas(shape.group()[:-1]) if shape is not None else []
    if len(sizes) == 4 and before.rstrip().endswith("["):
        help = f"leave the batch out: write `input [{', '.join(sizes[1:])}]`"
        rest = span.start + len(shape.group()) - len(shape.group().partition(",")[2].lstrip()) if shape else span.end
        return Habit(span.start, span.end, "", help, 0, "", whole=(span.start, rest))
    help = "write a number; `--input` gives another, and no weight depends on the height and width"
    return Habit(span.start, span.end, "", help)


def nothing(argument: Span, value: Span, kind: str) -> Habit:
    """Say what stands for `None` as an argument: `none` for an operator, `false`, or that it is left out."""
    if kind:
        word = "none" if kind == "block" else "false"
        return Habit(value.start, value.end, "", f"write `{word}`", 0, word, is_safe=True)
    text = argument.source.text
    start = argument.start - (text[argument.start - 1 : argument.start] == " ")
    help = f"leave `{argument.text}` out: what is unset has no value"
    if argument == value:
        return Habit(value.start, value.end, "", "write a value: what is unset has none")
    return Habit(value.start, value.end, "", help, 0, "", whole=(start, argument.end))


def unknown_function(span: Span) -> Habit | None:
    """Say what an unknown function is elsewhere."""
    if span.text != "range":
        return None
    text = span.source.text
    call = re.compile(r"range\(\s*([^(),]+?)\s*(?:,\s*([^(),]+?)\s*)?\)").match(text, span.start)
    if call is None:
        return Habit(span.start, span.end, "", "write `0..n-1`: a range holds both of its ends")
    first, last = (call[1], call[2]) if call[2] else ("0", call[1])
    end = str(int(last) - 1) if last.isdigit() else f"{last}-1"
    written = f"{first}..{end}"
    help = f"write `{written}`: a range holds both of its ends"
    return Habit(span.start, call.end(), "", help, 0, written, is_safe=True)


def unknown_argument(key: str, span: Span) -> Habit | None:
    """Say what becomes of an argument that others have and no operator here."""
    text = span.source.text
    value = re.compile(r'\s*=\s*("?[\w.]+"?)').match(text, span.start + len(key))
    if key in NEEDLESS:
        end = value.end() if value else span.end
        start = span.start - 1 if text[span.start - 1 : span.start] == " " else span.start
        return Habit(span.start, end, "", f"remove it: {NEEDLESS[key]}", 0, "", whole=(start, end))
    if key in NEEDLESS_AT:
        neutral, why = NEEDLESS_AT[key]
        is_neutral = value is not None and value[1].lower() == neutral
        return Habit(span.start, span.end, "", f"{'remove it' if is_neutral else 'it has no counterpart'}: {why}")
    if (habit := _counted_otherwise(key, span)) is not None:
        return habit
    without = ("none", "null", "false", "linear", "identity")
    if value and value[1].strip('"').lower() in without and key in (*_ACTIVATION_KEYS, *_NORM_KEYS):
        whole = (span.start - (text[span.start - 1 : span.start] == " "), value.end())
        return Habit(span.start, span.end, "", "remove it: an operator has none of its own", 0, "", whole=whole)
    if key in _ACTIVATION_KEYS:
        word = value[1].strip('"').lower() if value else "act"
        step = "act" if word == "true" else activation_of(word)
        return Habit(span.start, span.end, "", f"write `{step}` as the next step")
    if key in _NORM_KEYS:
        return Habit(span.start, span.end, "", "write `norm` as the next step")
    if key == "name":
        word = value[1].strip('"') if value else "name"
        return Habit(span.start, span.end, "", f"write `{word}:` in front of the step: a label names it")
    return None


_ACTIVATION_KEYS = ("activation", "act", "act_layer", "norm_layer", "non_linearity")
_NORM_KEYS = ("norm", "bn", "batch_normalize", "batch_norm", "normalization", "use_bn")
_SHARES = ("softmax", "log_softmax", "glu")


def _counted_otherwise(key: str, span: Span) -> Habit | None:
    """Count an axis without the batch, which torch counts: at `flatten start_dim=1` and `softmax dim=1`."""
    text = span.source.text
    start, _ = line_bounds(text, span.start)
    word = re.findall(r"[A-Za-z_]\w*(?![\w.]|[ \t]*=)", text[start : span.start])
    value = re.compile(r"\s*=\s*(-?\d+)").match(text, span.start + len(key))
    if not word or value is None:
        return None
    axis, written = value[1], ""
    if key in ("start_dim", "end_dim") and word[-1] == "flatten":
        if key == "end_dim" and axis == "-1":
            whole = (span.start - (text[span.start - 1 : span.start] == " "), value.end())
            return Habit(span.start, span.end, "", "remove it: all axes to the last are", 0, "", whole=whole)
        if int(axis) < 1:
            help = f"`{key[:-4]}` counts the axes from the channels, which are 0, without the batch"
            return Habit(span.start, span.end, "", help)
        written = f"{key[:-4]}={int(axis) - 1}"
    elif key == "dim" and word[-1] in _SHARES and axis in ("1", "-1"):
        written = "axis=channels" if axis == "1" else "axis=last"
    if not written:
        return None
    help = f"write `{written}`: the batch is no axis here"
    return Habit(span.start, span.end, "", help, 0, written, is_safe=True, whole=(span.start, value.end()))


def input_step(span: Span) -> str:
    """Say how an input's shape is written, from the numbers of the statement that an argument stands in."""
    text = place_of(span.source, span.start).text
    if (word := re.search(r"\[[^\[\]]*?\b([A-Za-z_]\w*)", text)) is not None:
        return f"`{word[1]}` is a word here: write a number, or make it a parameter of the model"
    sizes = re.findall(r"\d[\d.]*", text)
    sizes = sizes[-3:] if len(sizes) == 4 else sizes  # the first is the batch
    if len(sizes) == 3 and sizes[2] in ("1", "3", "4") and sizes[0] not in ("1", "3", "4"):
        sizes = [sizes[2], *sizes[:2]]
    is_whole = all(size.isdigit() and int(size) for size in sizes)
    return f"write `input [{', '.join(sizes)}]`" if is_whole and 0 < len(sizes) <= 4 else ""
