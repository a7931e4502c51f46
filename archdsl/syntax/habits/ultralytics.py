"""Models as the YAML of Ultralytics writes them: rows of where from, how often, which module, which arguments.

Source: `parse_model` of ultralytics/nn/tasks.py and of YOLOv5's models/yolo.py; modules/conv.py for `Conv`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase

from archdsl.syntax.habits.configs import CODE, Counterpart, chain, half, labelled, listed, pair_of, repeated, sliding
from archdsl.syntax.habits.layers import Foreign, join_step, layer_of, settled_in, translate
from archdsl.syntax.habits.scan import (
    Habit,
    HabitSite,
    line_bounds,
    lines_from,
    split_commas,
    without_comment,
    words_of,
)

_LIST = r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]"
_ROW = re.compile(
    r"\s*(?:-\s*)?\[\s*(?P<source>-?\d+|\[[^\[\]]*\])\s*,\s*(?P<times>\d+)\s*,\s*(?P<name>[A-Za-z_][\w.]*)\s*,\s*"
    rf"(?P<arguments>{_LIST})\s*\]\s*,?\s*"
)
_CUT_ROW = re.compile(r"\s*(?:-\s*)?\[\s*-?\d+\s*,\s*\d+\s*,\s*(?P<name>[A-Za-z_][\w.]*)\s*(?:,[^\[\]]*)?\]\s*")
_YAML = re.compile(
    r"\s*(?:(?:nc|depth_multiple|width_multiple|scales|anchors|ch|kpt_shape|names|activation|yaml_file)\s*:"
    r"|(?:backbone|head)\s*:\s*$)"  # with a step behind it is a label of ours
)
_OURS = re.compile(r"\s*(?:model|block|inline|variant|fn|use|let|defaults|\})")
# What `initialize_weights` sets for every norm of a model.
_NORM = "batch eps=0.001 momentum=0.03"
# Modules that take the number of repeats as an argument, behind the channels, instead of being repeated.
_COUNTED = frozenset(
    ["A2C2f", "BottleneckCSP", "C1", "C2", "C2PSA", "C2f", "C2fAttn", "C2fCIB", "C2fPSA", "C3", "C3Ghost", "C3TR",
     "C3k2", "C3x", "RepC3"]
)  # fmt: skip
_MESSAGE = "a row of Ultralytics is a step here, which takes what the step before gives"
_SCALED = ("scales", "depth_multiple", "width_multiple")


@dataclass(frozen=True, slots=True)
class _Row:
    source: str
    times: str
    name: str
    arguments: Sequence[str]

    @classmethod
    def of(cls, line: str) -> _Row | None:
        """Read a line; None where it is no row."""
        found = _ROW.fullmatch(without_comment(line))
        if found is None:
            return None
        arguments = [_word(argument) for argument in split_commas(found["arguments"][1:-1])]
        return cls(found["source"], found["times"], found["name"], arguments)


def ultralytics(place: HabitSite) -> Habit | None:
    """Translate a row of an Ultralytics model, or the first row of a whole file of them."""
    text = place.source.text
    start, end = line_bounds(text, place.offset)
    line = without_comment(text[start:end])
    first = start + len(line) - len(line.lstrip())
    if _YAML.match(line) and not _OURS.match(line):
        until = _yaml_end(text, start)
        message = f"`{line.strip()}` is the YAML of Ultralytics, whose rows are steps here"
        help, notes = _file([without_comment(below) for _, below in lines_from(text[:until], start)])
        return Habit(first, start + len(line), message, help, until, notes=notes, code=CODE)
    rows, comments, until = list[_Row](), list[str](), end
    for at, below in lines_from(text, start):
        if (row := _Row.of(below)) is None:
            break
        rows.append(row)
        comments.append(below[len(without_comment(below)) :])
        until = at + len(without_comment(below))
    if rows:
        counterparts = [counterpart_of(row) for row in rows]
        more = "; the rows below likewise" if len(rows) > 1 else ""
        comments[-1] = ""
        steps = [counterpart.steps + comment for counterpart, comment in zip(counterparts, comments, strict=True)]
        whole = f"\n{' ' * (first - start)}".join(steps)
        is_exact = all(counterpart.is_exact for counterpart in counterparts)
        is_exact = is_exact and settled_in(text).isdisjoint(words_of(whole))
        return Habit(
            first, start + len(line), _MESSAGE, counterparts[0].advice + more, until,
            whole if is_exact else None,
            notes=counterparts[0].notes, whole=(first, until), code=CODE,
        )  # fmt: skip
    if found := _CUT_ROW.fullmatch(line):
        advice = counterpart_of(_Row("-1", "1", found["name"], ["64"])).advice
        return Habit(first, start + len(line), _MESSAGE, f"{advice}, with the channels it makes for 64", end, code=CODE)
    return None


def called(place: HabitSite) -> Habit | None:
    """Say what Ultralytics' `Conv` is, at a step of that name: the operator's name in capitals, or that module."""
    match = re.compile(r"(Conv|DWConv|ConvTranspose)\b(?!\s*[.=:])").match(place.source.text, place.offset)
    if match is None or not place.start <= match.start() < place.end:
        return None
    inside = place.source.text[match.end() : place.end].strip()
    arguments = split_commas(inside[1:-1]) if inside.startswith("(") and inside.endswith(")") else inside.split()
    numbers = [argument for argument in arguments if re.fullmatch(r"\d+|True|False|true|false", argument)]
    message, help = named_like(match[1], numbers if len(numbers) == len(arguments) else [])
    return Habit(match.start(), match.end(), message, help, place.end)


def named_like(name: str, arguments: Sequence[str] = ()) -> tuple[str, str]:
    """Return message and help for the name of a module that is that of an operator in capitals, or "" for others."""
    module = convolution(name, arguments)
    if module is None:
        return "", ""
    ours = {"Conv": "conv", "DWConv": "dw", "ConvTranspose": "deconv"}[name]
    message = f"`{name}` is a module of Ultralytics, which holds a norm and an activation too"
    return message, f"the operator alone is `{ours}`; for the module of Ultralytics {module.advice}"


def convolution(name: str, arguments: Sequence[str]) -> Counterpart | None:
    """Translate the modules of Ultralytics that are called like operators; None where a name is none of them."""
    translator = {"Conv": _conv, "DWConv": _depthwise, "ConvTranspose": _transposed}.get(name)
    return translator([_word(argument) for argument in arguments]) if translator is not None else None


def _yaml_end(text: str, start: int) -> int:
    end = start
    for at, line in lines_from(text, start):
        if _OURS.match(line):
            break
        end = at + len(line)
    return end


def _file(lines: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Say how a whole file is written here, by the row of it that is translated best, and what multiplies its rows."""
    help = "write `model name { input [3, 640, 640]; … }` with one step a row"
    counterparts = [(line, counterpart_of(row)) for line in lines if (row := _Row.of(line)) is not None]
    if counterparts:
        line, counterpart = next((pair for pair in counterparts if pair[1].is_exact), counterparts[0])
        other = [line.strip() for line in lines if re.match(r"\s*activation\s*:", line)]
        counterpart = replace(counterpart, left=(*counterpart.left, *other))
        help += f"; for `{line.strip()}` {counterpart.advice}"
    scaled = [word for line in lines for word in _SCALED if re.match(rf"\s*{word}\s*:", line)]
    words = listed(f"`{word}`" for word in dict.fromkeys(scaled))
    note = f"channels and repeats are those that are written: {words} multiplied them before"
    return help, (note,) if scaled else ()


def counterpart_of(row: _Row) -> Counterpart:
    """Translate a row: its module, applied to the results that it takes up, as often as it says."""
    sources = re.findall(r"-?\d+", row.source)
    labels = [_label(source) for source in sources]
    references = [f"@{label}" if label else "pass" for label in labels]
    where = labelled(labels)
    if row.name == "Concat":
        left = tuple(f"dimension {argument}" for argument in row.arguments if argument != "1")
        return Counterpart(join_step("concat", references), left, where)
    if len(sources) != 1:
        outputs = chain(*(f"output {label} {{ @{label} }}" for label in labels if label))
        what = f"{row.name}({', '.join(row.arguments)})"
        return Counterpart(outputs or "output last", (what,), where)
    own = convolution(row.name, row.arguments) or _torch(row)
    own = _unknown(row) if own is None else replace(own, steps=repeated(own.steps, row.times))
    if not any(labels):
        return own
    return replace(own, steps=chain(*references, own.steps), rests_on=", ".join(filter(None, (own.rests_on, where))))


def _label(source: str) -> str:
    """Name the row that a number stands for, counted from the first or back from here; "" for the row before."""
    return "" if source == "-1" else f"back{source[1:]}" if source.startswith("-") else f"row{source}"


def _conv(arguments: Sequence[str]) -> Counterpart:
    """Translate `Conv(c, k=1, s=1, p=None, g=1, d=1, act=True)`: a convolution without bias, norm and activation."""
    given, left = _given(arguments, ("64", "1", "1", "none", "1", "1", "true"))
    channels, left = _number(given[0], "64", left)
    groups, left = _number(given[4], "1", left)
    window, left = _window(given[1], given[2], given[3], given[5], left)
    act, left = _act(given[6], left)
    conv = f"conv {channels}{window}" + ("" if groups == "1" else f" g={groups}")
    return Counterpart(chain(conv, _NORM, act), left)


def _depthwise(arguments: Sequence[str]) -> Counterpart:
    """Translate `DWConv(c, k=1, s=1, d=1, act=True)`, whose groups are what both numbers of channels have in common."""
    given, left = _given(arguments, ("64", "1", "1", "1", "true"))
    channels, left = _number(given[0], "64", left)
    window, left = _window(given[1], given[2], "none", given[3], left)
    act, left = _act(given[4], left)
    return Counterpart(chain(f"dw{window}", _NORM, act), left, f"where the channels that flow in are {channels} too")


def _transposed(arguments: Sequence[str]) -> Counterpart:
    """Translate `ConvTranspose(c, k=2, s=2, p=0, bn=True, act=True)`."""
    given, left = _given(arguments, ("64", "2", "2", "0", "true", "true"))
    channels, left = _number(given[0], "64", left)
    norm, left = _act(given[4], left)
    act, left = _act(given[5], left)
    deconv, left = _deconv(channels, given[1:4], left)
    return Counterpart(chain(deconv if norm else f"{deconv} bias=true", _NORM if norm else "", act), left)


def _torch(row: _Row) -> Counterpart | None:
    """Translate a module of torch, which takes its arguments as torch does; those of a deconvolution begin behind."""
    package, _, name = row.name.rpartition(".")
    if package not in ("nn", "torch.nn"):
        return None
    if name == "BatchNorm2d":
        return Counterpart(_NORM)  # the row's arguments give way to the channels that flow in
    first = ("64",) if name == "ConvTranspose2d" else ()
    call = Foreign(name, (*first, *row.arguments), maker="torch")
    found = translate(call) if layer_of(name) == name else None
    if found is None or not found.step or "…" in found.step:
        return None
    rests_on = "for a row whose first number is the input's channels" if name == "Conv2d" else ""
    left = tuple(item.partition("`")[2].partition("`")[0] for item in found.left)
    return Counterpart(found.step, left, rests_on, (found.note,) if found.note else ())


def _unknown(row: _Row) -> Counterpart:
    """Call a block that is yet to be written; the arguments that no step can take are left over."""
    arguments, times = [*row.arguments], row.times
    if row.name in _COUNTED:
        arguments.insert(1, times)
        times = "1"
    kept = [a for a in arguments if re.fullmatch(r"\d[\d.]*|true|false|\[[\d., ]*\d\]", a)]
    left = tuple(argument for argument in arguments if argument not in kept)
    name = row.name.rpartition(".")[2].lower()
    parameters = f"({', '.join(ascii_lowercase[: len(kept)])})" if kept else ""
    block = f"with a `block {name}{parameters} {{ … }}` that does what the module does"
    return Counterpart(repeated(" ".join([name, *kept]), times), left, block)


def _given(arguments: Sequence[str], usual: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Fill up the arguments that are not given; those that are too many are left over."""
    return [*arguments[: len(usual)], *usual[len(arguments) :]], tuple(arguments[len(usual) :])


def _number(value: str, usual: str, left: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return a whole number; the usual one where the value is none, which then is left over."""
    return (value, left) if re.fullmatch(r"[1-9]\d{0,8}", value) else (usual, (*left, value))


def _act(value: str, left: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the activation that `act` asks for, which is left over where it is another module."""
    return ("silu" if value == "true" else ""), left if value in ("true", "false") else (*left, value)


def _window(
    kernel: str, stride: str, padding: str, dilation: str, left: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """Write how filters slide, padded by `autopad` where no padding is given: half of what a kernel reaches over."""
    k, s, d = pair_of(kernel), pair_of(stride), pair_of(dilation)
    k_or, s_or, d_or = k or (1, 1), s or (1, 1), d or (1, 1)
    own = half((d_or[0] * (k_or[0] - 1) + 1, d_or[1] * (k_or[1] - 1) + 1))
    p = own if padding == "none" else pair_of(padding)
    unread = [v for v, found in ((kernel, k), (stride, s), (padding, p), (dilation, d)) if found is None]
    return sliding(k_or, s_or, own if p is None else p, d_or), (*left, *unread)


def _deconv(channels: str, window: Sequence[str], left: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Write a deconvolution by its kernel, stride and padding."""
    step = f"deconv {channels}"
    for key, value, usual in zip(("k", "s", "p"), window, ("2", "2", "0"), strict=True):
        if pair_of(value) is None:
            left = (*left, value)
        elif value != usual:
            step += f" {key}={value}"
    return step, left


def _word(text: str) -> str:
    text = text.strip("\"'")
    return text.lower() if text in ("True", "False", "None") else text
