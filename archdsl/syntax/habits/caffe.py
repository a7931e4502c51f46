"""Networks as Caffe's prototxt files write them: layers with parameters.

Source: caffe.proto, and `Reshape` and `Forward` of src/caffe/layers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from archdsl.syntax.habits.configs import CODE, Counterpart, PerAxis, chain, labelled, said, sliding
from archdsl.syntax.habits.layers import join_step
from archdsl.syntax.habits.scan import Habit, HabitSite, line_bounds
from archdsl.text.labels import objection

_NET_NAME = re.compile(r'\s*name\s*:\s*"[^"\n]*"')
_LAYER = re.compile(r"(?m)(?:^|(?<=[{;]))[ \t]*(?:layers?|input_param)\s*\{")
_FOLLOWING = re.compile(r"\s*layers?\s*\{")
_TOKEN = re.compile(r"""#[^\n]*|"(?P<text>[^"\n]*)"|'(?P<quoted>[^'\n]*)'|(?P<word>[\w.+-]+)|(?P<sign>[{}:,;\[\]])""")
_MOST_TOKENS = 2000
# Layers of the training; those whose names end with "loss" or "data" are more.
_APART = frozenset(["accuracy", "silence"])
# What says how a layer is wired, trained or run, and not what it computes.
_WIRING = frozenset(
    ["name", "type", "top", "bottom", "param", "loss_weight", "propagate_down", "phase", "engine", "blobs_lr",
     "weight_decay", "force_nd_im2col"]
)  # fmt: skip


class _Fields:
    """A message's fields by their names, without those of its `…_param`; fields that are asked for are taken out."""

    def __init__(self, tokens: Iterator[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        self._read(tokens)

    def _read(self, tokens: Iterator[tuple[str, str]]) -> None:
        # Parameters of the layer count as the layer's own; other messages stand under their names.
        key, around = "", [""]
        for kind, token in tokens:
            if kind == "word" and not key:
                key = token
            elif kind != "sign" and key:
                self._values.setdefault(around[-1] or key, []).append(token)
                key = ""
            elif token == "{":
                around.append(around[-1] or ("" if key.endswith("_param") or key == "shape" else key))
                key = ""
            elif token == "}":
                around = around[:-1] or [""]
                key = ""

    def all(self, key: str) -> list[str]:
        """Take out all values of a field."""
        return self._values.pop(key, [])

    def word(self, key: str, usual: str) -> str:
        """Take out a field that stands there once."""
        values = self._values.get(key, [])
        if len(values) > 1:
            return usual
        return self._values.pop(key)[0] if values else usual

    def number(self, key: str, usual: int) -> int:
        """Take out a whole number; what is none stays."""
        value = self._values.get(key, [""])
        if len(value) != 1 or not re.fullmatch(r"\d{1,9}", value[0]):
            return usual
        return int(self._values.pop(key)[0])

    def fraction(self, key: str, usual: float) -> float:
        """Take out a number; what is none stays."""
        value = self._values.get(key, [""])
        if len(value) != 1 or not re.fullmatch(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value[0]):
            return usual
        return float(self._values.pop(key)[0])

    def truth(self, key: str, *, usual: bool) -> bool:
        """Take out a truth value."""
        return self.word(key, str(usual).lower()) in ("true", "1")

    def pair(self, key: str, one: str, usual: int) -> PerAxis:
        """Take out a number for both axes, for each in turn, or `…_h` and `…_w`."""
        values = self._values.get(key, [])
        if len(values) in (1, 2) and all(re.fullmatch(r"\d{1,9}", value) for value in values):
            del self._values[key]
            return int(values[0]), int(values[-1])
        return self.number(f"{one}_h", usual), self.number(f"{one}_w", usual)

    def keep(self, key: str, value: str) -> None:
        """Put back what was asked for and cannot be said."""
        self._values[key] = [value]

    @property
    def left(self) -> tuple[str, ...]:
        kept = {key: values for key, values in self._values.items() if key not in _WIRING}
        return tuple(f"{key}: {' '.join(values)}" for key, values in kept.items())


@dataclass(frozen=True, slots=True)
class _Steps:
    """The step that bears the layer's label, those before it, and what it rests on."""

    step: str
    before: str = ""
    rests_on: str = ""


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
    inside, following = text[last.end() : until], ""
    while match := _FOLLOWING.match(text, until + 1):
        until = _closing(text, match.end())
        following = following or text[match.end() : until]
    first = start + len(last.group()) - len(last.group().lstrip())
    counterpart = counterpart_of(inside, following)
    message = "`layer { … }` is Caffe's; a layer is a step here"
    return Habit(first, first + 5, message, counterpart.advice, until + 1, notes=counterpart.notes, code=CODE)


def _closing(text: str, offset: int) -> int:
    """Return the place of the brace that closes the one before an offset; the text's end if none does."""
    depth = 1
    for match in re.finditer(r"[{}]", text[offset:]):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return offset + match.start()
    return len(text)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield what a message consists of: the kind of each token and its text."""
    for count, match in enumerate(_TOKEN.finditer(text)):
        if count > _MOST_TOKENS:
            return
        if match.lastgroup is not None:
            kind = "value" if match.lastgroup in ("text", "quoted") else match.lastgroup
            yield kind, match[match.lastgroup]


def counterpart_of(inside: str, following: str = "") -> Counterpart:
    """Translate what stands in a layer's braces; a norm takes up the scale that follows it."""
    fields = _Fields(_tokens(inside))
    kind, label = fields.word("type", ""), fields.word("name", "")
    folded = kind.casefold().replace("_", "")
    if folded == "batchnorm" and following:
        behind = _Fields(_tokens(following))
        if behind.word("type", "") == "Scale" and behind.truth("bias_term", usual=False):
            fields.keep("affine", "true")
    translate = _TRANSLATIONS.get(folded)
    if folded in _APART or folded.endswith(("loss", "data")):
        return Counterpart("", (), f"leave it out: `{kind}` is not part of a network here, but of how it is trained")
    if translate is None:
        name = folded if folded.isidentifier() and folded.isascii() else "unit"
        block = f"with a `block {name} {{ … }}` that does what Caffe's `{kind}` does"
        return Counterpart(name, fields.left, block, _notes(fields, ""))
    steps = translate(fields)
    named = f"{label}: {steps.step}" if _is_label(label) and ";" not in steps.step else steps.step
    notes = _notes(fields, steps.step)
    if label and not _is_label(label):
        why = objection(label) or "a label of other signs stands in quotes"
        notes = (f"the layer's name `{label}` does not label the step: {why}", *notes)
    return Counterpart(chain(steps.before, named), fields.left, steps.rests_on, notes)


def _notes(fields: _Fields, step: str) -> tuple[str, ...]:
    """Say what becomes of `bottom`, unless the step names it."""
    bottom = fields.all("bottom")
    if not bottom or "@" in step:
        return ()
    return ("steps follow one another: only a `bottom` that is not the layer before is referred to, by `@label`",)


def _is_label(name: str) -> bool:
    """Return whether a layer's name can be a label without quotes."""
    return name.isidentifier() and not objection(name)


def _convolution(fields: _Fields) -> _Steps:
    channels, groups = fields.number("num_output", 64), fields.number("group", 1)
    kernel, stride = fields.pair("kernel_size", "kernel", 1), fields.pair("stride", "stride", 1)
    padding, dilation = fields.pair("pad", "pad", 0), fields.pair("dilation", "dilation", 1)
    _axis(fields)
    step = f"conv {channels}{sliding(kernel, stride, padding, dilation)}" + ("" if groups == 1 else f" g={groups}")
    return _Steps(step + (" bias=true" if fields.truth("bias_term", usual=True) else ""))


def _deconvolution(fields: _Fields) -> _Steps:
    channels, groups = fields.number("num_output", 64), fields.number("group", 1)
    kernel, stride = fields.pair("kernel_size", "kernel", 1), fields.pair("stride", "stride", 1)
    padding, dilation = fields.pair("pad", "pad", 0), fields.pair("dilation", "dilation", 1)
    _axis(fields)
    step = f"deconv {channels}"
    for key, value, usual in (("k", kernel, 2), ("s", stride, 2), ("p", padding, 0), ("d", dilation, 1)):
        step += "" if value == (usual, usual) else f" {key}={said(value)}"
    step += "" if groups == 1 else f" g={groups}"
    return _Steps(step + (" bias=true" if fields.truth("bias_term", usual=True) else ""))


def _axis(fields: _Fields, usual: int = 1) -> None:
    """Take an axis out where it is the usual one."""
    if (axis := fields.number("axis", usual)) != usual:
        fields.keep("axis", str(axis))


def _pooling(fields: _Fields) -> _Steps:
    """Translate a pool, whose last window may be partial: sizes are rounded up."""
    pool = {"MAX": "maxpool", "0": "maxpool", "AVE": "avgpool", "1": "avgpool"}.get(kind := fields.word("pool", "MAX"))
    if pool is None:
        fields.keep("pool", kind)
        pool = "maxpool"
    kernel, stride = fields.pair("kernel_size", "kernel", 1), fields.pair("stride", "stride", 1)
    padding, mode = fields.pair("pad", "pad", 0), fields.word("round_mode", "CEIL")
    if fields.truth("global_pooling", usual=False):
        return _Steps("gap" if pool == "avgpool" else "gmp")
    own = tuple(size // 2 if size % 2 else 0 for size in kernel)
    step = f"{pool} {said(kernel)}" + ("" if stride == kernel else f" s={said(stride)}")
    step += "" if padding == own else f" p={said(padding)}"
    if mode in ("FLOOR", "1"):
        return _Steps(step)
    if any(s > k for s, k in zip(stride, kernel, strict=True)) and padding == (0, 0):
        fields.keep("stride", said(stride))  # a last window may lie outside of the map there
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        fields.keep("pad", said(padding))
    return _Steps(step + ("" if stride == (1, 1) else " ceil=true"))


def _inner_product(fields: _Fields) -> _Steps:
    _axis(fields)
    step = f"fc {fields.number('num_output', 64)}"
    return _Steps(step + ("" if fields.truth("bias_term", usual=True) else " bias=false"), before="flatten")


def _relu(fields: _Fields) -> _Steps:
    slope = fields.fraction("negative_slope", 0)
    return _Steps("relu" if slope == 0 else f"leaky_relu slope={slope:g}")


def _prelu(fields: _Fields) -> _Steps:
    return _Steps("prelu" if fields.truth("channel_shared", usual=False) else "prelu shared=false")


def _elu(fields: _Fields) -> _Steps:
    alpha = fields.fraction("alpha", 1)
    return _Steps("elu" if alpha == 1 else f"elu alpha={alpha:g}")


def _power(fields: _Fields) -> _Steps:
    """Translate (shift + scale * x) ** power where it is a factor."""
    for key, usual in (("power", 1.0), ("shift", 0.0)):
        if (value := fields.fraction(key, usual)) != usual:
            fields.keep(key, f"{value:g}")
    return _Steps(f"times factor={fields.fraction('scale', 1):g}")


def _lrn(fields: _Fields) -> _Steps:
    if (region := fields.word("norm_region", "ACROSS_CHANNELS")) not in ("ACROSS_CHANNELS", "0"):
        fields.keep("norm_region", region)
    step = f"lrn {fields.number('local_size', 5)}"
    for key, usual, ours in (("alpha", 1.0, 0.0001), ("beta", 0.75, 0.75), ("k", 1.0, 1.0)):
        value = fields.fraction(key, usual)
        step += "" if value == ours else f" {key}={value:g}"
    return _Steps(step)


def _dropout(fields: _Fields) -> _Steps:
    return _Steps(f"dropout {fields.fraction('dropout_ratio', 0.5):g}")


def _batch_norm(fields: _Fields) -> _Steps:
    """Translate a norm, which has no factors of its own, with those of the `Scale` that follows it."""
    is_scaled = fields.truth("affine", usual=False)
    fields.word("use_global_stats", "false")
    eps, fraction = fields.fraction("eps", 1e-5), fields.fraction("moving_average_fraction", 0.999)
    step = "batch" + ("" if eps == 1e-5 else f" eps={eps:g}") + f" momentum={1 - fraction:.6g}"
    if is_scaled:
        return _Steps(step, rests_on="for this layer and the `Scale` behind it")
    return _Steps(f"{step} affine=false")


def _scale(fields: _Fields) -> _Steps:
    bottom = fields.all("bottom")
    if len(bottom) > 1:
        return _joined("mul", fields, bottom)
    fields.all("bottom")
    _axis(fields)
    if fields.truth("bias_term", usual=False):
        fields.keep("bias_term", "true")
    if (axes := fields.number("num_axes", 1)) != 1:
        fields.keep("num_axes", str(axes))
    return _Steps("scale 1")


def _eltwise(fields: _Fields) -> _Steps:
    operation = fields.word("operation", "SUM")
    word = {"PROD": "mul", "0": "mul", "SUM": "add", "1": "add", "MAX": "maximum", "2": "maximum"}.get(operation)
    if word is None:
        fields.keep("operation", operation)
    if factors := [factor for factor in fields.all("coeff") if not re.fullmatch(r"1(\.0*)?", factor)]:
        fields.keep("coeff", " ".join(factors))
    bottom = fields.all("bottom")
    if word == "maximum" and len(bottom) > 2:
        fields.keep("bottom", " ".join(bottom[2:]))
        bottom = bottom[:2]
    return _joined(word or "add", fields, bottom)


def _concat(fields: _Fields) -> _Steps:
    _axis(fields)
    if (axis := fields.number("concat_dim", 1)) != 1:
        fields.keep("concat_dim", str(axis))
    return _joined("concat", fields, fields.all("bottom"))


def _joined(word: str, fields: _Fields, bottom: Sequence[str]) -> _Steps:
    """Join the results that a layer reads, by the labels of the steps that make them."""
    labels = [name if _is_label(name) else f"layer{place}" for place, name in enumerate(bottom, 1)]
    labels = [*labels, "left", "right"][: max(2, len(labels))]
    return _Steps(join_step(word, [f"@{label}" for label in labels]), rests_on=labelled(labels))


def _flatten(fields: _Fields) -> _Steps:
    _axis(fields)
    if (end := fields.word("end_axis", "-1")) != "-1":
        fields.keep("end_axis", end)
    return _Steps("flatten")


def _softmax(fields: _Fields) -> _Steps:
    _axis(fields)
    return _Steps("softmax")


def _input(fields: _Fields) -> _Steps:
    sizes = fields.all("dim")[1:] or ["3", "224", "224"]
    return _Steps(f"input [{', '.join(sizes)}]")


def _plain(step: str) -> Callable[[_Fields], _Steps]:
    return lambda fields: _Steps(step)


_TRANSLATIONS: Mapping[str, Callable[[_Fields], _Steps]] = {
    "batchnorm": _batch_norm,
    "bnll": _plain("softplus"),
    "concat": _concat,
    "convolution": _convolution,
    "deconvolution": _deconvolution,
    "dropout": _dropout,
    "eltwise": _eltwise,
    "elu": _elu,
    "flatten": _flatten,
    "innerproduct": _inner_product,
    "input": _input,
    "lrn": _lrn,
    "pooling": _pooling,
    "power": _power,
    "prelu": _prelu,
    "relu": _relu,
    "relu6": _plain("relu6"),
    "scale": _scale,
    "sigmoid": _plain("sigmoid"),
    "softmax": _softmax,
    "swish": _plain("silu"),
    "tanh": _plain("tanh"),
}
