"""Networks as Darknet's cfg files write them: sections with settings.

Source: `parse_network_cfg` of src/parser.c and the layers beside it, in pjreddie's and AlexeyAB's Darknet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from archdsl.syntax.habits.configs import CODE, Counterpart, PerAxis, chain, labelled, listed, said, sliding, square
from archdsl.syntax.habits.layers import join_step
from archdsl.syntax.habits.scan import Habit, HabitSite, line_bounds, lines_from, without_comment

_SECTION = re.compile(
    r"\s*\[(?P<name>net|network|convolutional|deconvolutional|maxpool|local_avgpool|avgpool|shortcut|route|upsample|"
    r"yolo|region|connected|softmax|cost|dropout|local|crop|reorg\w*|batchnorm|detection|scale_channels|"
    r"Gaussian_yolo|activation|sam|contrastive|implicit_\w+|rnn|crnn|gru|lstm|conv_lstm|normalization|logistic|l2norm|"
    r"conv|deconv|conn|max|local_avg|avg|lrn|soft|empty|silence|history|iseg)\]\s*"
)
# The short names of sections.
_LONG = {
    "avg": "avgpool",
    "conn": "connected",
    "conv": "convolutional",
    "deconv": "deconvolutional",
    "max": "maxpool",
    "soft": "softmax",
}
# What is none of Darknet's sections, and yet no list of ours: settings stand below it.
_STRANGE = re.compile(r"\s*\[(?P<name>[A-Za-z_]\w*)\]\s*")
_SETTING = re.compile(r"\s*[\w.]+\s*=\s*[^{}\[\]]*$")
# Running statistics keep 0.99 of their value at each step; 1e-5 is added to the variance.
_NORM = "batch momentum=0.01"
_ACTIVATIONS = {
    "elu": "elu",
    "gelu": "gelu approximate=tanh",
    "hardtan": "hardtanh",
    "leaky": "leaky_relu 0.1",
    "linear": "",
    "logistic": "sigmoid",
    "mish": "mish",
    "relie": "leaky_relu 0.01",
    "relu": "relu",
    "relu6": "relu6",
    "selu": "selu",
    "swish": "silu",
    "tanh": "tanh",
}
# What says how a section is trained or loaded, and not what it computes.
_TRAINING = frozenset(["burnin_update", "dontload", "dontloadscales", "dont_update", "learning_rate_scale",
                       "numload", "onlyforward", "reset_update", "stopbackward", "train_only_bn", "decay"])  # fmt: skip


class _Settings:
    """A section's settings, which remember those that were asked for: the others are left over."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._left = {key for key in values if key not in _TRAINING}

    def word(self, key: str, usual: str) -> str:
        """Return a setting as it is written."""
        self._left.discard(key)
        return self._values.get(key, usual)

    def number(self, key: str, usual: int) -> int:
        """Return a whole number; one that is none is left over."""
        value = self._values.get(key, str(usual))
        if not re.fullmatch(r"\d{1,9}", value):
            return usual
        self._left.discard(key)
        return int(value)

    def keep(self, key: str) -> None:
        """Leave a setting over that was asked for."""
        self._left.add(key)

    @property
    def left(self) -> tuple[str, ...]:
        return tuple(f"{key}={value}" for key, value in self._values.items() if key in self._left)


def darknet(place: HabitSite) -> Habit | None:
    """Translate the first section of a Darknet file; all that follow one another are one."""
    text = place.source.text
    start, end = line_bounds(text, place.offset)
    begin = start
    above = begin
    while above:
        above, last = line_bounds(text, above - 1)
        if _is_remark(text[above:last]):
            begin = above
        elif text[above:last].strip():
            break
    for at, line in lines_from(text, start):
        start, end = at, at + len(line)
        if line.strip() and not _is_remark(line):
            break
    found = _section(text, start, end)
    if found is None:
        return None
    sections, until = _sections(text, start, end)
    told = [(name, counterpart_of(name, settings)) for name, settings in sections]
    first = start + text[start:end].index("[")
    message = "sections are Darknet's; a spec is a chain of steps"
    if len(sections) == 1 and told[0][1] is not None:
        help, notes = told[0][1].advice, told[0][1].notes
    else:
        known = [(name, counterpart) for name, counterpart in told if counterpart is not None]
        name, best = next((pair for pair in known if pair[1].is_exact), known[0] if known else ("", Counterpart()))
        help = f"write `model name {{ {_input(sections)}; … }}` with one step a section"
        help += f"; for `[{name}]` with its settings {best.advice}" if known else ""
        strange = dict.fromkeys(
            f"`[{name}]`" for name, counterpart in told if counterpart is None and "net" not in name
        )
        notes = (f"no step is the same as {listed(strange)}",) if strange else ()
    whole = (begin, until)
    return Habit(first, first + len(found["name"]) + 2, message, help, until, notes=notes, whole=whole, code=CODE)


def _section(text: str, start: int, end: int) -> re.Match[str] | None:
    """Return the head of a section; one of a name that Darknet does not have only where settings follow it."""
    said = _said(text[start:end])
    if (found := _SECTION.fullmatch(said)) is not None:
        return found
    below = next((_said(line) for _, line in lines_from(text, end + 1) if _said(line).strip()), "")
    return _STRANGE.fullmatch(said) if _SETTING.match(below) else None


def _is_remark(line: str) -> bool:
    return line.lstrip().startswith(";")


def _said(line: str) -> str:
    """Return a line without what is a remark there, which a `;` begins."""
    return without_comment(line).partition(";")[0].rstrip()


def _sections(text: str, start: int, end: int) -> tuple[list[tuple[str, dict[str, str]]], int]:
    """Read the sections from a place on, and where they end."""
    sections, until = list[tuple[str, dict[str, str]]](), end
    for at, raw in lines_from(text, start):
        line = _said(raw)
        if section := _section(text, at, at + len(raw)):
            sections.append((section["name"], {}))
        elif _SETTING.match(line):
            key, _, value = line.partition("=")
            sections[-1][1][key.strip()] = value.strip()
        elif line.strip():
            break
        until = at + len(raw) if raw.strip() else until
    return sections, until


def _input(sections: Iterable[tuple[str, Mapping[str, str]]]) -> str:
    """Write the input that `[net]` says; Darknet has no default for it."""
    nothing: Mapping[str, str] = {}
    settings = next((settings for name, settings in sections if name in ("net", "network")), nothing)
    sizes = [settings.get(key, usual) for key, usual in (("channels", "3"), ("height", "416"), ("width", "416"))]
    written = ", ".join(size if re.fullmatch(r"[1-9]\d{0,5}", size) else "416" for size in sizes)
    return f"input [{written}]"


def counterpart_of(name: str, values: Mapping[str, str]) -> Counterpart | None:
    """Translate a section; None where no step is the same."""
    translate = _TRANSLATIONS.get(_LONG.get(name, name))
    if translate is None:
        return None
    settings = _Settings(values)
    steps, rests_on = translate(settings)
    return Counterpart(steps, settings.left, rests_on)


def _act(settings: _Settings, usual: str) -> str:
    word = settings.word("activation", usual)
    if word not in _ACTIVATIONS:
        settings.keep("activation")
    return _ACTIVATIONS.get(word, "")


def _normed(step: str, settings: _Settings, *, has_bias: bool) -> str:
    """Put the norm and the activation behind a step; without the norm it has a bias."""
    is_normed = settings.number("batch_normalize", 0) > 0
    step += ("" if not is_normed else " bias=false") if has_bias else ("" if is_normed else " bias=true")
    return chain(step, _NORM if is_normed else "", _act(settings, "logistic"))


def _strides(settings: _Settings) -> PerAxis:
    stride = settings.number("stride", 1)
    return settings.number("stride_y", stride), settings.number("stride_x", stride)


def _padding(settings: _Settings, size: int) -> int:
    """Return the padding of a convolution: half its size where `pad` is on, whatever `padding` says."""
    padding = settings.number("padding", 0)
    return size // 2 if settings.number("pad", 0) else padding


def _convolutional(settings: _Settings) -> tuple[str, str]:
    size, filters, groups = settings.number("size", 1), settings.number("filters", 1), settings.number("groups", 1)
    padding, stride = _padding(settings, size), _strides(settings)
    dilation = 1 if size == 1 else settings.number("dilation", 1)
    settings.word("dilation", "1")
    if dilation > 1 and (padding != size // 2 or size % 2 == 0):
        settings.keep("dilation")  # its sizes are worked out there as if it had none
        dilation = 1
    window = sliding(square(size), stride, square(padding * dilation), square(dilation))
    step = f"conv {filters}{window}" + ("" if groups == 1 else f" g={groups}")
    return _normed(step, settings, has_bias=False), ""


def _deconvolutional(settings: _Settings) -> tuple[str, str]:
    size, stride = settings.number("size", 1), settings.number("stride", 1)
    padding = _padding(settings, size)
    step = f"deconv {settings.number('filters', 1)}"
    for key, value, usual in (("k", size, 2), ("s", stride, 2), ("p", padding, 0)):
        step += "" if value == usual else f" {key}={value}"
    return _normed(step, settings, has_bias=False), ""


def _maxpool(settings: _Settings) -> tuple[str, str]:
    """Translate a pool that pads `padding` in all, the larger half behind, and size - 1 by itself."""
    strides = _strides(settings)
    size = settings.number("size", strides[0])
    padding = settings.number("padding", size - 1)
    stride = "" if strides == (size, size) else f" s={said(strides)}"
    before, behind = padding // 2, padding - padding // 2
    if padding >= size:
        settings.keep("padding")
    if size == 2 and padding == 1 and strides == (2, 2):
        return "maxpool 2 ceil=true", ""
    if before == behind and before <= size // 2:
        own = size // 2 if size % 2 else 0
        return f"maxpool {size}{stride}" + ("" if before == own else f" p={before}"), ""
    # The border repeated changes no maximum of a window that holds it already.
    pad = f"pad [{before}, {behind}, {before}, {behind}] mode=replicate"
    return chain(pad, f"maxpool {size}{stride}" + (" p=0" if size % 2 and size > 1 else "")), ""


def _layers(settings: _Settings, key: str) -> tuple[list[str], str]:
    """Return what a list of sections is referred to by, and what the labels stand for."""
    given = settings.word(key, "-1")
    numbers = [number.strip() for number in given.split(",") if number.strip()]
    if not numbers or not all(re.fullmatch(r"-?\d{1,6}", number) for number in numbers):
        settings.keep(key)
        return ["pass"], ""
    labels = ["" if n == "-1" else f"back{n[1:]}" if n.startswith("-") else f"section{n}" for n in numbers]
    return [f"@{label}" if label else "pass" for label in labels], labelled(labels)


def _shortcut(settings: _Settings) -> tuple[str, str]:
    references, where = _layers(settings, "from")
    for key in ("alpha", "beta"):
        if settings.word(key, "1") not in ("1", "1.0"):
            settings.keep(key)
    return chain(join_step("add", ["pass", *references]), _act(settings, "linear")), where


def _route(settings: _Settings) -> tuple[str, str]:
    references, where = _layers(settings, "layers")
    groups, group = settings.number("groups", 1), settings.number("group_id", 0)
    first = "0" if group == 0 else f"in/{groups}" if group == 1 else f"{group}*in/{groups}"
    part = f"slice {first} in/{groups}" if groups > 1 else ""
    if len(references) == 1:
        return chain(references[0] if references[0] != "pass" or not part else "", part), where
    branches = [f"{{ {reference}; {part} }}" if part else reference for reference in references]
    return join_step("concat", branches), where


def _upsample(settings: _Settings) -> tuple[str, str]:
    if settings.word("scale", "1") not in ("1", "1.0"):
        settings.keep("scale")
    return f"upsample {settings.number('stride', 2)}", ""


def _connected(settings: _Settings) -> tuple[str, str]:
    return chain("flatten", _normed(f"fc {settings.number('output', 1)}", settings, has_bias=True)), ""


def _softmax(settings: _Settings) -> tuple[str, str]:
    for key in ("groups", "temperature"):
        if settings.word(key, "1") not in ("1", "1.0"):
            settings.keep(key)
    return ("softmax" if settings.number("spatial", 0) else "flatten; softmax"), ""


def _dropout(settings: _Settings) -> tuple[str, str]:
    probability = settings.word("probability", ".5")
    if not re.fullmatch(r"0?\.\d+|0|1|[01]\.0*", probability):
        settings.keep("probability")
        probability = ".5"
    return f"dropout {float(probability):g}", ""


def _scale_channels(settings: _Settings) -> tuple[str, str]:
    references, where = _layers(settings, "from")
    if settings.word("scale_wh", "0") != "0":
        settings.keep("scale_wh")
    return chain(join_step("mul", [*references, "pass"]), _act(settings, "linear")), where


_TRANSLATIONS: Mapping[str, Callable[[_Settings], tuple[str, str]]] = {
    "activation": lambda settings: (_act(settings, "linear") or "pass", ""),
    "avgpool": lambda settings: ("gap", ""),
    "batchnorm": lambda settings: (_NORM, ""),
    "connected": _connected,
    "convolutional": _convolutional,
    "deconvolutional": _deconvolutional,
    "dropout": _dropout,
    "maxpool": _maxpool,
    "route": _route,
    "scale_channels": _scale_channels,
    "shortcut": _shortcut,
    "softmax": _softmax,
    "upsample": _upsample,
}
