"""Blocks as timm's strings write them, such as `ir_r2_k3_s2_e6_c24_se0.25`.

Source: `_decode_block_str` of timm/models/_efficientnet_builder.py, and the blocks of _efficientnet_blocks.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from archdsl.syntax.habits.configs import CODE, Counterpart, chain, repeated, sliding, square
from archdsl.syntax.habits.scan import Habit, HabitSite

_BLOCK = re.compile(r"\b(?P<kind>dsa|ds|ir|er|cn|uir|mha|mqa)(?P<rest>(?:_[a-z0-9.]*[a-z0-9])+)\b")
_ACTIVATIONS = {"re": "relu", "r6": "relu6", "hs": "hardswish", "sw": "silu", "mi": "mish"}
# What each kind of block asks for beside repeats, stride and channels.
_NEEDED = {"cn": "k", "ds": "k", "dsa": "k", "ir": "ke", "er": "ke"}
_UNIT = ("uir", "mha", "mqa")


@dataclass(slots=True)
class _Options:
    """A block string's options, of which those that are asked for are taken out."""

    values: dict[str, str]
    has_skip: bool | None = None
    act: str = ""

    def number(self, key: str, usual: str = "1") -> str:
        """Take out a whole number; what is none stays."""
        value = self.values.get(key, "")
        return self.values.pop(key) if re.fullmatch(r"[1-9]\d{0,5}", value) else usual

    def fraction(self, key: str, usual: str) -> str:
        """Take out a number; what is none stays."""
        value = self.values.get(key, "")
        return self.values.pop(key) if re.fullmatch(r"\d{1,4}(\.\d{1,6})?", value) else usual


def timm(place: HabitSite) -> Habit | None:
    """Translate a block string of timm, such as `ir_r2_k3_s2_e6_c32`."""
    for match in _BLOCK.finditer(place.text):
        if (counterpart := counterpart_of(match["kind"], match["rest"])) is not None:
            start = place.start + match.start()
            message = f"`{match.group()}` is a block string of timm"
            end = start + len(match.group())
            return Habit(start, end, message, counterpart.advice, place.end, notes=counterpart.notes, code=CODE)
    return None


def counterpart_of(kind: str, rest: str) -> Counterpart | None:
    """Translate a kind of block and its options; None where timm would not read them."""
    options = _Options({})
    for word in rest.split("_")[1:]:
        if word in ("skip", "noskip"):
            options.has_skip = word == "skip"
        elif word.startswith("n") and word[1:] in _ACTIVATIONS:
            options.act = _ACTIVATIONS[word[1:]]
        else:
            key = re.match(r"[a-z]*", word)
            options.values[key.group() if key else ""] = word[key.end() :] if key else word
    if any(not options.values.get(key, "")[:1].isdigit() for key in "rsc" + _NEEDED.get(kind, "")):
        return None
    if kind in ("cn", "ds", "dsa"):
        options.fraction("e", "")  # timm reads over it
    repeats, stride, channels = options.number("r"), options.number("s"), options.number("c", "16")
    if kind in _UNIT:
        left = tuple(f"_{key}{value}" for key, value in options.values.items())
        first = f"{kind} {channels} {stride}"
        block = f"with a `block {kind}(c, stride s=1) {{ … }}` that does what the block does"
        return Counterpart(repeated(first, repeats), left, block)
    notes = ("norms and activations without a word of their own are those of the network: `defaults { … }` says them",)
    if "se" in options.values:
        notes += ("the gate's share is taken as EfficientNet takes it; MobileNetV3 takes it of the widened channels, "
                  "rounds it to 8, and has `gate=hardsigmoid`",)  # fmt: skip
    make = {"cn": _plain, "ds": _separable, "dsa": _separable, "ir": _inverted, "er": _fused}[kind]
    settings = make(options, kind)
    steps = [settings.at(int(stride), channels), settings.at(1, channels)]
    times = int(repeats) - 1
    written = steps[0] if times == 0 else repeated(steps[0], repeats) if stride == "1" else ""
    written = written or chain(f"{{ {steps[0]} }}" if ";" in steps[0] else steps[0], repeated(steps[1], str(times)))
    left = tuple(f"_{key}{value}" for key, value in options.values.items())
    return Counterpart(written, left, notes=notes)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A block for any stride and number of channels: steps in which these are still open."""

    strided: str
    """Steps with `{window}` for how the kernel slides, and `{c}` for the channels that the block makes."""
    kernel: int
    has_skip: bool

    def at(self, stride: int, channels: str) -> str:
        """Write the steps for a stride and channels; the block adds its input where both let it."""
        padding = (stride - 1 + self.kernel - 1) // 2
        window = sliding(square(self.kernel), square(stride), square(padding))
        steps = self.strided.format(window=window, c=channels)
        return f"residual when in == {channels} {{ {steps} }}" if self.has_skip and stride == 1 else steps


def _kernel(options: _Options) -> int:
    return int(options.number("k", "3"))


def _then(act: str) -> str:
    return f"norm; {act or 'act'}"


def _se(options: _Options, share: str) -> str:
    """Write the gate, whose reduced channels are a share of those that flow in."""
    ratio = options.fraction("se", "")
    if not ratio or float(ratio) == 0:
        return ""
    part = ratio if share in ("", "1") else f"({ratio}/{share})"
    act = f" act={options.act}" if options.act else ""
    return f"se round(in*{part}){act}"


def _plain(options: _Options, kind: str) -> _Unit:
    steps = f"conv {{c}}{{window}}; {_then(options.act)}"
    return _Unit(steps, _kernel(options), options.has_skip is True)


def _separable(options: _Options, kind: str) -> _Unit:
    """Write a depthwise filter and a mixing of channels, without an activation behind unless it is `dsa`."""
    last = f"conv {{c}} k=1; {_then(options.act)}" if kind == "dsa" else "conv {c} k=1; norm"
    steps = chain(f"dw{{window}}; {_then(options.act)}", _se(options, ""), last)
    return _Unit(steps, _kernel(options), kind == "ds" and options.has_skip is not False)


def _inverted(options: _Options, kind: str) -> _Unit:
    """Write an inverted residual, which widens even where it widens once."""
    widening = options.fraction("e", "1")
    steps = chain(
        f"conv round8({_times(widening)}in) k=1; {_then(options.act)}",
        f"dw{{window}}; {_then(options.act)}",
        _se(options, widening),
        "conv {c} k=1; norm",
    )
    return _Unit(steps, _kernel(options), options.has_skip is not False)


def _fused(options: _Options, kind: str) -> _Unit:
    """Write an edge residual: one full convolution widens and strides; `fc` are the channels that it widens."""
    widening, before = options.fraction("e", "1"), options.number("fc", "in")
    steps = chain(
        f"conv round8({_times(widening)}{before}){{window}}; {_then(options.act)}",
        _se(options, widening),
        "conv {c} k=1; norm",
    )
    return _Unit(steps, _kernel(options), options.has_skip is not False)


def _times(widening: str) -> str:
    return "" if float(widening) == 1 else f"{widening.removesuffix('.0')}*"
