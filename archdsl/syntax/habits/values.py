"""What our steps take: the kinds and usual values of their arguments, and values of other tools written so.

Operators are on a floor of their own, so that this is a second list of what they take; a test holds it against them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from archdsl.syntax.habits.scan import split_commas

_SLOPED = "slope:float=0.01 /"
_CHANCE = "p:chance /"
_NORM = "/ eps:amount=1e-5 momentum:chance=0.1 affine:flag=true track:flag=true"

STEPS: Mapping[str, str] = {
    "conv": "channels:int / k:pair s:pair=1 p:padding d:pair=1 g:int=1 bias:flag=false "
    "padding_mode:zeros|reflect|replicate|circular=zeros",
    "dw": "/ k:pair s:pair=1 p:padding d:pair=1 multiplier:int=1 bias:flag=false "
    "padding_mode:zeros|reflect|replicate|circular=zeros",
    "deconv": "channels:int / k:pair s:pair p:pair0=0 output_padding:pair0=0 d:pair=1 g:int=1 bias:flag=false",
    "fc": "features:int / bias:flag=true",
    "batch": _NORM,
    "sync_batch": _NORM,
    "frozen_batch": "/ eps:amount=1e-5",
    "instance": "/ eps:amount=1e-5 momentum:chance=0.1 affine:flag=false track:flag=false",
    "group": "groups:int / eps:amount=1e-5 affine:flag=true",
    "layer": "/ axis:sample|channels|last=sample eps:amount=1e-5 affine:flag=true",
    "rms": "/ axis:channels|last=channels eps:amount=1e-6 affine:flag=true",
    "lrn": "size:int / alpha:float=1e-4 beta:float=0.75 k:float=1",
    "maxpool": "k:pair / s:stride p:window d:pair=1 ceil:flag=false",
    "avgpool": "k:pair / s:stride p:window ceil:flag=false count_padding:flag=true",
    "lppool": "power:positive k:pair / s:stride ceil:flag=false",
    "adaptive_avgpool": "size:pair /",
    "adaptive_maxpool": "size:pair /",
    "dropout": _CHANCE,
    "dropout2d": _CHANCE,
    "alpha_dropout": _CHANCE,
    "feature_alpha_dropout": _CHANCE,
    "drop_path": "p:chance / mode:row|batch=row",
    "leaky_relu": _SLOPED,
    "prelu": "/ shared:flag=true slope:float=0.25",
    "rrelu": "/ low:float=0.125 high:float=0.3333333333333333",
    "elu": "alpha:float=1 /",
    "celu": "alpha:float=1 /",
    "gelu": "/ approximate:none|tanh=none",
    "hardtanh": "/ low:float=-1 high:float=1",
    "hardshrink": "bound:float=0.5 /",
    "softshrink": "bound:amount=0.5 /",
    "softplus": "/ beta:float=1 threshold:float=20",
    "threshold": "threshold:float value:float /",
    "softmax": "/ axis:channels|last=channels",
    "log_softmax": "/ axis:channels|last=channels",
    "glu": "/ axis:channels|last=channels",
    "flatten": "/ start:index=0 end:index",
    "reshape": "sizes:sizes /",
    "permute": "order:order /",
    "pad": "size:sides / mode:constant|reflect|replicate|circular=constant value:float=0 channels:order",
    "crop": "size:sides /",
    "upsample": "factor:pair / size:pair mode:nearest|bilinear|bicubic=nearest align_corners:flag=false",
    "pixel_shuffle": "factor:int /",
    "pixel_unshuffle": "factor:int /",
    "shuffle": "groups:int /",
    "times": "factor:float /",
    "input": "shape:sizes /",
    **dict.fromkeys(
        ("relu", "relu6", "selu", "silu", "mish", "hardswish", "hardsigmoid", "tanhshrink", "sigmoid", "tanh",
         "softsign", "logsigmoid", "gap", "gmp", "pass"), "/"
    ),
}  # fmt: skip
"""What translations write of our steps, in their order: `name:kind=usual`, before `/` without the name."""

STEP_WORDS = frozenset([*STEPS, "act", "cn", "cna", "dwna", "none", "norm", "rescale", "scale", "se", "slice"])
"""Words that are steps in any file."""

NOTHING = ("None", "null", "nil", "undefined")
"""What other languages call no value."""

ACTIVATIONS = frozenset(
    ("relu", "relu6", "selu", "silu", "mish", "hardswish", "hardsigmoid", "tanhshrink", "sigmoid", "tanh", "softsign",
     "logsigmoid", "leaky_relu", "elu", "celu", "gelu", "hardtanh", "hardshrink", "softshrink", "softplus", "softmax",
     "log_softmax", "glu")
)  # fmt: skip
"""Our activations that need no argument."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a step takes under one name: the kind of its values, the usual one, and whether the name is written."""

    kind: str
    usual: str
    is_named: bool


@cache
def arguments(word: str) -> Mapping[str, Taken]:
    """Return what a step takes, in the order in which it is written."""
    found = dict[str, Taken]()
    bare, _, named = STEPS[word].partition("/")
    for is_named, pieces in ((False, bare), (True, named)):
        for piece in pieces.split():
            name, _, rest = piece.partition(":")
            kind, _, usual = rest.partition("=")
            found[name] = Taken(kind, usual, is_named)
    return found


def number(text: str) -> float | None:
    """Return the value of a literal number, perhaps with a sign."""
    return float(text) if re.fullmatch(r"-?\d+(?:\.\d*)?(?:e[-+]?\d+)?", text) and len(text) < 40 else None


def items(text: str) -> list[str]:
    """Return the items of a list, or what is none as the only one."""
    return split_commas(text[1:-1]) if text.startswith("[") and text.endswith("]") else [text]


def is_same(a: str, b: str) -> bool:
    """Return whether two values are written alike, or are the same number."""
    return a == b or (number(a) is not None and number(a) == number(b))


def written(kind: str, text: str) -> str | None:
    """Write a value as an argument of a kind; None where it cannot be one."""
    match kind:
        case "float" | "amount" | "positive" | "chance":
            return _bounded(kind, text)
        case "flag":
            is_name = re.fullmatch(r"(?:not )?[A-Za-z_]\w*", text) is not None
            return text if text in ("true", "false") else _expression(text) if is_name else None
        case "int":
            return _whole(text, 1)
        case "index":
            return _whole(text, 0)
        case "pair" | "stride":
            return _pair(text, 1)
        case "pair0" | "window":
            return _pair(text, 0)
        case "padding":
            return "0" if text == "valid" else text if text == "same" else _pair(text, 0)
        case "sizes":
            return _list(text, 1) if text.startswith("[") else _expression(text) if text.isidentifier() else None
        case "order" | "sides":
            return _list(text, 0)
        case words:
            return text if text in words.split("|") else None


def usual_padding(kernel: str, dilation: str = "1") -> str:
    """Return what a window pads by itself: half an odd kernel, stretched by the dilation; "" if that is not known."""
    sizes, steps = _both(kernel), _both(dilation)
    if not all(text.isdigit() for text in (*sizes, *steps)):
        return ""
    halves = [int(d) * (int(k) - 1) // 2 if int(k) % 2 else 0 for k, d in zip(sizes, steps, strict=True)]
    return str(halves[0]) if halves[0] == halves[1] else f"[{halves[0]}, {halves[1]}]"


def is_odd(kernel: str) -> bool:
    """Return whether a kernel is known to be odd on both axes."""
    return all(size.isdigit() and int(size) % 2 for size in items(kernel))


def _both(pair: str) -> list[str]:
    sizes = items(pair)
    return [sizes[0], sizes[-1]]


def _bounded(kind: str, text: str) -> str | None:
    value = number(text)
    if value is None:
        return _expression(text)
    is_within = {"amount": value >= 0, "positive": value > 0, "chance": 0 <= value <= 1}.get(kind, True)
    return _number(text) if is_within else None


def _number(text: str) -> str:
    return text if re.fullmatch(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?", text) else repr(float(text))


def _whole(text: str, least: int) -> str | None:
    if (value := number(text)) is None:
        return _expression(text)
    return str(int(value)) if value == int(value) and value >= least else None


def _pair(text: str, least: int) -> str | None:
    """Write one number for both axes, or two in a list; one for two that are equal."""
    pair = [_whole(item, least) for item in items(text)]
    if not 1 <= len(pair) <= 2 or (len(pair) == 1 and text.startswith("[")) or None in pair:
        return None
    return pair[0] if pair[0] == pair[-1] else _listed(filter(None, pair))


def _list(text: str, least: int) -> str | None:
    wholes = [item if item == "-1" and least else _whole(item, least) for item in items(text)]
    if None in wholes or not wholes:
        return None
    return _listed(filter(None, wholes)) if text.startswith("[") else wholes[0]


def _listed(values: Iterable[str]) -> str:
    """Write a list, in which arithmetic needs no parentheses."""
    return f"[{', '.join(value[1:-1] if value.startswith('(') else value for value in values)}]"


# Values of other tools that are no names.
_WORDS = frozenset(
    ("none", "true", "false", "same", "valid", "causal", "full", "zeros", "reflect", "replicate", "circular",
     "constant", "nearest", "bilinear", "bicubic", "area", "channels_first", "channels_last", "row", "batch")
)  # fmt: skip


def _expression(text: str) -> str | None:
    """Write arithmetic with names as an argument; None where it is none of ours."""
    is_ours = re.fullmatch(r"[\w.+\-*/%() ]+", text) and not re.search(r"\w\(|\.\s*[A-Za-z_]", text)
    if not is_ours or text in _WORDS or text in STEPS or not re.search(r"[A-Za-z_]|\d\s*[-+*/%]", text):
        return None
    return text if re.fullmatch(r"[A-Za-z_]\w*", text) else f"({text})"
