"""Operators, shapes and amounts in the field's shorthand, as a paper's figure has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from archdsl.ops import activation, conv, linear, norm, pool, rearrange, regularise, resize
from archdsl.ops.base import Op
from archdsl.ops.shape import Dim, Shape

Number: TypeAlias = int | float


@dataclass(frozen=True, slots=True)
class Term:
    """A piece of a description. `form` has `{0}` where the value goes; a value equal to `silent` drops the piece."""

    form: str
    value: Number | None = None
    silent: Number | None = None


_SHORT_NAMES: dict[type[Op], str] = {
    norm.BatchNorm: "BN",
    norm.SyncBatchNorm: "SyncBN",
    norm.FrozenBatchNorm: "frozen BN",
    norm.LayerNorm: "LN",
    norm.InstanceNorm: "IN",
    norm.RMSNorm: "RMSNorm",
    norm.LocalResponseNorm: "LRN",
    pool.GlobalAvgPool2d: "global avg pool",
    pool.GlobalMaxPool2d: "global max pool",
    activation.Sigmoid: "sigmoid",
    activation.Tanh: "tanh",
    activation.Softmax: "softmax",
    norm.Identity: "identity",
}

_JOINS = {"add": "+", "mul": "×", "sub": "−"}


def join_symbol(op: Op) -> str:
    """Give what a join is drawn as: a sign, or its name where it has none."""
    return _JOINS.get(op.keyword, op.keyword)


def describe(op: Op) -> tuple[Term, ...]:
    """Describe an operator, such as `7×7 conv, 64, /2`, in pieces.

    >>> spell(describe(conv.Conv2d(channels=64, kernel=7, stride=2)))
    '7×7 conv, 64, /2'
    """
    match op:
        case conv.Conv2d():
            tail = (Term(", {0} groups", op.groups, 1), *_dilation(op.dilation))
            return (*_window(op.kernel, "conv"), Term(", {0}", op.channels), *_stride(op.stride), *tail)
        case conv.DepthwiseConv2d():
            tail = (Term(", ×{0}", op.multiplier, 1), *_dilation(op.dilation))
            return (*_window(op.kernel, "depthwise conv"), *_stride(op.stride), *tail)
        case conv.ConvTranspose2d():
            return (*_window(op.kernel, "up-conv"), Term(", {0}", op.channels), *_stride(op.stride, ", ×{0}"))
        case linear.Linear():
            return (Term("{0}-d fc", op.features),)
        case pool.MaxPool2d():
            return (*_window(op.kernel, "max pool"), *_stride(op.stride or op.kernel))
        case pool.AvgPool2d():
            return (*_window(op.kernel, "avg pool"), *_stride(op.stride or op.kernel))
        case pool.AdaptiveAvgPool2d():
            return (Term(f"avg pool to {_by(op.size)}"),)
        case pool.AdaptiveMaxPool2d():
            return (Term(f"max pool to {_by(op.size)}"),)
        case norm.GroupNorm():
            return (Term("GN {0}", op.groups),)
        case regularise.Dropout() | regularise.Dropout2d() | regularise.DropPath():
            return (Term(op.keyword.replace("_", " ") + " {0}", op.p),)
        case resize.Upsample():
            size = Term(f"upsample to {_by(op.size)}") if op.size else Term(f"upsample ×{_once(op.factor or (2, 2))}")
            return (size, Term(f", {op.mode}"))
        case rearrange.PixelShuffle() | rearrange.PixelUnshuffle():
            return (Term(op.keyword.replace("_", " ") + " {0}", op.factor),)
        case rearrange.ChannelShuffle():
            return (Term("channel shuffle, {0} groups", op.groups),)
        case rearrange.Slice():
            return (Term("slice {0}", op.start), Term(" + {0}", op.size))
        case rearrange.Reshape():
            return (Term(f"reshape to {'×'.join(map(str, op.sizes))}"),)
        case rearrange.Input():
            return (Term("input " + "×".join(map(str, op.shape))),)
        case _:
            return (Term(_name(op)),)


def _name(op: Op) -> str:
    name = _SHORT_NAMES.get(type(op))
    if name is None:
        name = type(op).__name__ if op.category == "activation" else op.keyword.replace("_", " ")
    return name


def _by(pair: tuple[int, int]) -> str:
    return f"{pair[0]}×{pair[1]}"


def _once(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else _by(pair)


def _window(kernel: tuple[int, int], name: str) -> tuple[Term]:
    if kernel[0] != kernel[1]:
        return (Term(f"{_by(kernel)} {name}"),)
    return (Term("{0}×{0} " + name, kernel[0]),)


def _stride(stride: tuple[int, int], form: str = ", /{0}") -> tuple[Term]:
    if stride[0] != stride[1]:
        return (Term(form.format(_by(stride))),)
    return (Term(form, stride[0], 1),)


def _dilation(dilation: tuple[int, int]) -> tuple[Term]:
    if dilation[0] != dilation[1]:
        return (Term(f", dilation {_by(dilation)}"),)
    return (Term(", dilation {0}", dilation[0], 1),)


def spell(terms: tuple[Term, ...]) -> str:
    """Write a description out."""
    return "".join(t.form if t.value is None else t.form.format(number(t.value)) for t in terms if not is_silent(t))


def is_silent(term: Term) -> bool:
    return term.value is not None and term.value == term.silent


def number(value: Number) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3g}"


def shape_text(shape: Shape) -> str:
    """Write a shape as figures do: `64×56×56`."""
    return "×".join(size.short() if isinstance(size, Dim) else str(size) for size in shape)


def amount(count: int) -> str:
    """Write a count to three figures: `25.6M`.

    >>> amount(25_557_032), amount(999_999), amount(512)
    ('25.6M', '1M', '512')
    """
    rounded = float(f"{count:.3g}")  # before the unit is chosen, so that 999,999 becomes 1M and not 1000k
    for unit, suffix in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if rounded >= unit:
            return f"{rounded / unit:.3g}{suffix}"
    return str(count)
