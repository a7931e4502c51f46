"""Networks as other tools' configuration files write them: Ultralytics, Darknet, Caffe, timm."""

from __future__ import annotations

import re
from collections.abc import Mapping

from archdsl.syntax.habits.layers import Foreign, activation_of, join_of, layer_of, translate, word_of
from archdsl.syntax.habits.scan import Habit, HabitSite, line_bounds, lines_from, split_commas, without_comment

CODE = "E006"

_ROW = re.compile(
    r"\s*(?:-\s*)?\[\s*(?P<source>-?\d+|\[[^\]]*\])\s*,\s*(?P<times>\d+)\s*,\s*(?P<name>[A-Za-z_][\w.]*)\s*,\s*"
    r"\[(?P<arguments>[^\]]*)\]\s*\]\s*,?\s*"
)
_CUT_ROW = re.compile(r"\s*(?:-\s*)?\[\s*-?\d+\s*,\s*\d+\s*,\s*[A-Za-z_][\w.]*\s*(?:,[^\[\]]*)?\]\s*")
_YAML = re.compile(
    r"\s*(?:(?:nc|depth_multiple|width_multiple|scales|anchors|ch|kpt_shape|names|activation|yaml_file)\s*:"
    r"|(?:backbone|head)\s*:\s*$)"  # with a step behind it is a label of ours
)
_OURS = re.compile(r"\s*(?:model|block|inline|variant|fn|use|let|defaults|\})")
# Modules that hold a norm and an activation too.
_MODULES = {"Conv": "cna", "DWConv": "dwna"}


def ultralytics(place: HabitSite) -> Habit | None:
    """Translate a row of an Ultralytics model, or the first row of a whole file of them."""
    text = place.source.text
    start, end = line_bounds(text, place.offset)
    line = without_comment(text[start:end])
    first = start + len(line) - len(line.lstrip())
    if _YAML.match(line) and not _OURS.match(line):
        until = _yaml_end(text, start)
        row = next(
            filter(None, (_ROW.fullmatch(without_comment(below)) for _, below in lines_from(text[:until], start))), None
        )
        example = f": `{row.group().strip()}` is the step `{_row(row)}`" if row else ""
        message = f"`{line.strip()}` is the YAML of Ultralytics, whose rows are steps here"
        help = f"write `model name {{ input [3, 640, 640]; … }}` with one step a row{example}"
        return Habit(first, start + len(line), message, help, until, code=CODE)
    rows = [(at, _ROW.fullmatch(without_comment(below))) for at, below in _row_lines(text, start)]
    if rows and (row := rows[0][1]) is not None:
        at, last = rows[-1][0], rows[-1][1]
        assert last is not None
        until = at + len(last.group())
        steps = [_row(found) for _, found in rows if found is not None]
        more = ", and the rows below likewise" if len(rows) > 1 else ""
        message = "a row of Ultralytics is a step here, which takes what the step before gives"
        whole = "\n".join(" " * (first - start) + step for step in steps).lstrip()
        is_whole = all(
            "@" not in step and found is not None and _is_known(found)
            for step, (_, found) in zip(steps, rows, strict=True)
        )
        block = "" if _is_known(row) else f", with a block `{steps[0].split()[0]}` of your own"
        return Habit(
            first, first + len(row.group().strip()), message, f"write `{steps[0]}`{more}{block}", until,
            whole if is_whole else None,
            notes=_elsewhere(rows[0][1]), whole=(first, until), code=CODE,
        )  # fmt: skip
    if _CUT_ROW.fullmatch(line):
        words = [word for word in split_commas(line.strip(" -[]")) if re.match(r"[A-Za-z]", word)]
        word = _MODULES.get(words[0], words[0].lower()) if words else "cna"
        message = "a row of Ultralytics is a step here, which takes what the step before gives"
        return Habit(
            first, start + len(line), message, f"write `{word} 64`, with the channels it makes", end, code=CODE
        )
    return None


def _row_lines(text: str, start: int) -> list[tuple[int, str]]:
    rows = list[tuple[int, str]]()
    for at, line in lines_from(text, start):
        if not _ROW.fullmatch(without_comment(line)):
            break
        rows.append((at, line))
    return rows


def _yaml_end(text: str, start: int) -> int:
    end = start
    for at, line in lines_from(text, start):
        if _OURS.match(line):
            break
        end = at + len(line)
    return end


def _elsewhere(row: re.Match[str] | None) -> tuple[str, ...]:
    """Say how a row that takes up earlier rows does so here."""
    if row is None or row["source"] == "-1":
        return ()
    return ("other steps are taken up by their labels, not by their numbers: `@name`",)


def _is_known(row: re.Match[str]) -> bool:
    """Return whether a row's module has a counterpart that every spec knows."""
    name = row["name"].rpartition(".")[2]
    return name in _MODULES or name == "Concat" or (layer_of(name) is not None and name[:1].isupper())


def _row(row: re.Match[str]) -> str:
    name, times = row["name"].rpartition(".")[2], row["times"]
    arguments = [_word(argument) for argument in split_commas(row["arguments"])]
    repeat = f" x {times}" if times != "1" else ""
    if name == "Concat":
        return "concat { pass; @label }"
    if name in _MODULES:
        channels, kernel, stride = (*arguments, *("64", "1", "1")[len(arguments) :])[:3]
        size = "" if kernel == "3" else f" k={kernel}"
        step = f"{_MODULES[name]} {channels}" if name == "Conv" else _MODULES[name]
        return step + size + ("" if stride == "1" else f" s={stride}") + repeat
    found = translate(Foreign(name, tuple(arguments))) if layer_of(name) and name[:1].isupper() else None
    return (found.step if found else " ".join([name.lower(), *arguments])) + repeat


def _word(text: str) -> str:
    text = text.strip("\"'")
    return text.lower() if text in ("True", "False", "None") else text


_SECTION = re.compile(
    r"\s*\[(?P<name>net|network|convolutional|deconvolutional|maxpool|avgpool|shortcut|route|upsample|yolo|region|"
    r"connected|softmax|cost|dropout|local|crop|reorg\w*|batchnorm|detection|scale_channels|Gaussian_yolo)\]\s*"
)
_SETTING = re.compile(r"\s*\w+\s*=\s*[^{}\[\]]*$")


def darknet(place: HabitSite) -> Habit | None:
    """Translate the first section of a Darknet file; all that follow one another are one."""
    text = place.source.text
    start, end = line_bounds(text, place.offset)
    line = without_comment(text[start:end])
    found = _SECTION.fullmatch(line)
    if found is None:
        return None
    sections = list[tuple[str, dict[str, str]]]()
    until = end
    for at, raw in lines_from(text, start):
        line = without_comment(raw)
        if section := _SECTION.fullmatch(line):
            sections.append((section["name"], {}))
        elif _SETTING.match(line):
            key, _, value = line.partition("=")
            sections[-1][1][key.strip()] = value.strip()
        elif line.strip():
            break
        until = at + len(raw) if line.strip() else until
    name, settings = next((s for s in sections if s[0] != "net" and _section(*s)), sections[0])
    step = _section(name, settings)
    head = f"`[{name}]` with its settings is `{step}`" if step else "a section is a step"
    first = start + text[start:end].index("[")
    help = f"write `model name {{ input [3, 416, 416]; … }}` with one step a section: {head}"
    if len(sections) == 1 and step:
        help = f"write `{step}`"
    return Habit(
        first,
        first + len(found["name"]) + 2,
        "sections are Darknet's; a spec is a chain of steps",
        help,
        until,
        code=CODE,
    )


def _section(name: str, settings: Mapping[str, str]) -> str:
    """Write a section of Darknet as steps; "" where it has no plain translation."""
    stride = settings.get("stride", "1")
    size = settings.get("size", "1")
    if name == "convolutional":
        activation = settings.get("activation", "relu")
        act = activation_of(activation) + (" 0.1" if activation == "leaky" else "")
        step = "conv " + settings.get("filters", "1") + ("" if size == "3" else f" k={size}")
        step += "" if stride == "1" else f" s={stride}"
        is_normed = settings.get("batch_normalize") == "1"
        step += "; norm" if is_normed else " bias=true"
        return step if act == "pass" else f"{step}; {act}"
    plain = {
        "maxpool": f"maxpool {size}" + (f" s={stride}" if stride != size else ""),
        "avgpool": "gap",
        "upsample": f"upsample {stride}",
        "shortcut": "residual { … }",
        "route": "concat { pass; @label }",
        "connected": f"fc {settings.get('output', '1')}",
        "softmax": "softmax",
        "dropout": f"dropout {settings.get('probability', '0.5')}",
    }
    return plain.get(name, "")


_NET_NAME = re.compile(r'\s*name\s*:\s*"[^"\n]*"')
_LAYER = re.compile(r"(?m)^[ \t]*(?:layers?|input_param)\s*\{")
_CAFFE = {"Convolution": "conv", "Pooling": "maxpool"}


def caffe(place: HabitSite) -> Habit | None:
    """Translate the `layer { … }` that a mistake stands in; those that follow one another are one."""
    text = place.source.text
    last = None
    for match in _LAYER.finditer(text, 0, line_bounds(text, place.offset)[1]):
        if place.offset <= _closing(text, match.end()):
            last = match
            break
    line, _ = line_bounds(text, place.offset)
    if last is None and _NET_NAME.match(text, line):
        last = _LAYER.search(text, place.offset)
    if last is None or not re.search(
        r'\b(?:type|name|bottom|top)\s*:\s*(?:"|[A-Z])', text[last.start() : last.start() + 300]
    ):
        return None
    start, until = last.start(), _closing(text, last.end())
    inside = text[last.end() : until]
    while following := re.compile(r"\s*(?:layers?)\s*\{").match(text, until + 1):
        until = _closing(text, following.end())
    first = start + len(last.group()) - len(last.group().lstrip())
    step = _caffe(inside)
    help = f"write `{step}`; steps follow one another, so that `bottom` and `top` have no use"
    return Habit(first, first + 5, "`layer { … }` is Caffe's; a layer is a step here", help, until + 1, code=CODE)


def json(place: HabitSite) -> Habit | None:
    """Say what a spec is, at a file of JSON."""
    text = place.source.text
    if text[: place.offset].strip() or not re.match(r'\{\s*"[^"\n]*"\s*:', text[place.offset :]):
        return None
    help = "write `model name { input [3, 224, 224]; … }` with one step a layer"
    end = place.offset + 1
    return Habit(place.offset, end, "this is JSON; a spec is a chain of steps", help, len(text), code=CODE)


def _closing(text: str, offset: int) -> int:
    """Return the place of the brace that closes the one before an offset; the text's end if none does."""
    depth = 1
    for match in re.finditer(r"[{}]", text[offset:]):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return offset + match.start()
    return len(text)


def _caffe(inside: str) -> str:
    def value(key: str) -> str:
        found = re.search(rf'\b{key}\s*:\s*"?([\w./-]+)', inside)
        return found[1] if found else ""

    word = _CAFFE.get(value("type")) or word_of(value("type")) or "conv"
    if word == "maxpool" and value("pool") == "AVE":
        word = "avgpool"
    pieces = [f"{word} {{ … }}" if join_of(word) else word]
    if number := value("num_output"):
        pieces.append(number)
    if kernel := value("kernel_size"):
        pieces.append(kernel if "pool" in word else f"k={kernel}")
    if (stride := value("stride")) and stride != "1":
        pieces.append(f"s={stride}")
    if word == "conv":
        pieces.append("bias=true")
    label = value("name")
    return (f"{label}: " if label.isidentifier() else "") + " ".join(pieces)


_TIMM = re.compile(r"(?P<kind>ds|dsa|ir|er|cn)(?P<rest>(?:_[a-z]+\d+(?:\.\d+)?|_n[a-z]+|_noskip)+)")


def timm(place: HabitSite) -> Habit | None:
    """Translate a block string of timm, such as `ir_r2_k3_s2_e6_c32`."""
    match = next((m for m in _TIMM.finditer(place.text)), None)
    if match is None:
        return None
    start = place.start + match.start()
    text = place.text
    end = match.end()
    # Quotes, a dash and brackets belong to a list of such strings.
    left, right = match.start(), end
    while left and text[left - 1] in "\"'[ -":
        left -= 1
    while right < len(text) and text[right] in "\"'], ":
        right += 1
    step = timm_step(match)
    help = f"write `{step[0]}`" + (f", with `{step[1]}` at the top of the file" if step[1] else "")
    message = f"`{match.group()}` is a block string of timm"
    return Habit(start, place.start + end, message, help, place.end, code=CODE)


def timm_step(match: re.Match[str]) -> tuple[str, str]:
    """Write a block string as a step, and the `use` that brings its block."""
    settings = dict(re.findall(r"_([a-z]+)(\d+(?:\.\d+)?)", match["rest"]))
    count, stride, channels = settings.get("r", "1"), settings.get("s", "1"), settings.get("c", "16")
    kernel, expansion = settings.get("k", "3"), settings.get("e", "1")
    repeat = f" x {count}" if count != "1" else ""
    strided = f" s={stride}" if stride != "1" else ""
    match match["kind"]:
        case "cn":
            return f"cna {channels}{'' if kernel == '3' else f' k={kernel}'}{strided}{repeat}", ""
        case "ds" | "dsa":
            return f"separable {channels}{strided}{repeat}", "use mobilenet_v1 (separable)"
        case "ir" if "se" in settings:
            return f"mbconv {channels} {kernel} {expansion} 0{strided}{repeat}", "use efficientnet (mbconv)"
        case "er":
            return f"fused {channels} {kernel} {expansion} 0{strided}{repeat}", "use efficientnet (fused)"
        case _:
            return f"inverted {channels} {kernel} {expansion}{strided}{repeat}", "use mnasnet (inverted)"
