"""Functions of `torch` and `torch.nn.functional`, and methods of tensors, that are steps here.

Signatures are without the tensor. Axes count the batch there, and sizes name it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.syntax.habits.foreign import Binding, Ported
from archdsl.syntax.habits.torch_layers import TORCH, sides
from archdsl.syntax.habits.values import items, number, written


def _layer(name: str, signature: str | None = None) -> Ported:
    """Return a layer of torch as a function: with a signature of its own where that is another one."""
    layer = TORCH[name]
    return Ported(layer.signature if signature is None else signature, layer.step, layer.fit, layer.why)


def _noise(call: Binding) -> None:
    """See to noise that a function also makes in evaluation, unless it is told."""
    training = call.take("training")
    if training == "false":
        call.word = "pass"
        call.take("p")
    elif training == "true":
        call.leave("training", training, "a step is noise in training only: `training=self.training` there")


def _padded(call: Binding) -> None:
    """Read the sides from the last axis on; those of the channels come third."""
    text = call.take("pad")
    numbers = [int(value) for item in items(text) if (value := number(item)) is not None]
    if len(numbers) != len(items(text)) or len(numbers) not in (2, 4, 6) or not text.startswith("["):
        call.leave("pad", text, "its order is the top, bottom, left and right")
        return
    if call.values.get("value") == "none":
        call.take("value")
    call.values["padding"] = f"[{', '.join(map(str, [*numbers, 0, 0][:4]))}]"
    sides(call, is_constant=call.values.get("mode") == "constant")
    if any(numbers[4:]):
        call.ours["channels"] = written("order", f"[{numbers[4]}, {numbers[5]}]") or "[0, 0]"
        if min(numbers) < 0:
            call.leave("pad", text, "what is cut off is a `crop` or `slice` of its own")


def _permuted(call: Binding) -> None:
    order = items(call.take("dims"))
    if sorted(order) == [str(axis) for axis in range(len(order))] and order[0] == "0" and len(order) > 1:
        call.ours["order"] = f"[{', '.join(str(int(axis) - 1) for axis in order[1:])}]"
    else:
        call.ours["order"] = "[1, 2, 0]"
        call.leave("dims", f"[{', '.join(order)}]", "an order names the axes behind the batch, the channels 0")


def _reshaped(call: Binding) -> None:
    """Take the first size for the batch."""
    batch, *sizes = items(call.take("shape"))
    if number(batch) is not None and batch != "-1":
        call.leave("shape", f"[{', '.join((batch, *sizes))}]", "a step has no say in the batch, the first size")
    if batch == "-1" and "-1" in sizes:
        call.leave("shape", f"[{', '.join((batch, *sizes))}]", "one size is left open")
    if sizes == ["-1"]:
        call.word = "flatten"
    else:
        call.ours["sizes"] = written("sizes", f"[{', '.join(sizes)}]") or "[-1]"
        if not sizes or "none" in sizes:
            call.leave("shape", f"[{', '.join((batch, *sizes))}]", "the sizes are those behind the batch")


def _swapped(call: Binding) -> None:
    """Say both orders that an exchange of axes may be, for how many there are is not known here."""
    pair = [call.take("dim0"), call.take("dim1")]
    numbers = [int(value) for axis in pair if (value := number(axis)) is not None]
    image, why = [0, 1, 2], "an order names all axes behind the batch"
    if len(numbers) == 2 and 0 not in numbers and all(-3 <= axis <= 3 for axis in numbers):
        a, b = (axis - 1 if axis > 0 else axis + 3 for axis in numbers)
        image[a], image[b] = image[b], image[a]
        if set(numbers) in ({1, 2}, {-1, -2}):
            why += "; of two axes it is `permute [1, 0]`"
    else:
        image = [1, 2, 0]
    call.ours["order"] = f"[{', '.join(map(str, image))}]"
    call.leave("dims", f"[{', '.join(pair)}]", why)


def _averaged(call: Binding) -> None:
    """Take the average over both axes of the image for the pool that it is."""
    axes, keeps = call.take("dim"), call.take("keepdim")
    if sorted(items(axes)) not in (["2", "3"], ["-1", "-2"]):
        call.leave("dim", axes, "a pool is over the image")
    if keeps != "true":
        call.behind.append("flatten")


_TRAINING = "p=0.5, training=true, inplace=false"
_FLATTEN = _layer("Flatten", "start_dim=0, end_dim=-1")
_SOFTMAX = _layer("Softmax", "dim=none, _stacklevel=3, dtype=none")
_LOG_SOFTMAX = _layer("LogSoftmax", "dim=none, _stacklevel=3, dtype=none")
_MEAN = Ported("dim=none, keepdim=false, dtype=none", "gap", _averaged)
_PERMUTE = Ported("dims", "permute", _permuted)
_RESHAPE = Ported("shape", "reshape", _reshaped)
_TRANSPOSE = Ported("dim0, dim1", "permute", _swapped)
_RESIZE = _layer(
    "Upsample",
    "size=none, scale_factor=none, mode=nearest, align_corners=none, recompute_scale_factor=none, antialias=false",
)
_INPLACE = ("relu", "relu6", "leaky_relu", "elu", "celu", "selu", "silu", "mish", "hardswish", "hardsigmoid")

FUNCTIONS: Mapping[str, Ported] = {
    **{name: _layer({"relu": "ReLU", "relu6": "ReLU6", "leaky_relu": "LeakyReLU", "elu": "ELU", "celu": "CELU",
                     "selu": "SELU", "silu": "SiLU", "mish": "Mish", "hardswish": "Hardswish",
                     "hardsigmoid": "Hardsigmoid"}[name]) for name in _INPLACE},
    "gelu": _layer("GELU"),
    "hardtanh": _layer("Hardtanh", "min_val=-1.0, max_val=1.0, inplace=false"),
    "hardshrink": _layer("Hardshrink"),
    "softshrink": _layer("Softshrink"),
    "tanhshrink": _layer("Tanhshrink"),
    "softplus": _layer("Softplus"),
    "softsign": _layer("Softsign"),
    "threshold": _layer("Threshold"),
    "sigmoid": _layer("Sigmoid"),
    "tanh": _layer("Tanh"),
    "logsigmoid": _layer("LogSigmoid"),
    "rrelu": Ported("lower=0.125, upper=0.3333333333333333, training=false, inplace=false",
                   "rrelu low=lower high=upper"),
    "softmax": _SOFTMAX,
    "log_softmax": _LOG_SOFTMAX,
    "glu": _layer("GLU"),
    "local_response_norm": _layer("LocalResponseNorm"),
    "max_pool2d": _layer(
        "MaxPool2d", "kernel_size, stride=none, padding=0, dilation=1, ceil_mode=false, return_indices=false"
    ),
    "avg_pool2d": _layer("AvgPool2d"),
    "lp_pool2d": _layer("LPPool2d"),
    "adaptive_avg_pool2d": _layer("AdaptiveAvgPool2d"),
    "adaptive_max_pool2d": _layer("AdaptiveMaxPool2d"),
    "dropout": Ported(_TRAINING, "dropout p=p", _noise),
    "dropout2d": Ported(_TRAINING, "dropout2d p=p", _noise),
    "alpha_dropout": Ported("p=0.5, training=false, inplace=false", "alpha_dropout p=p", _noise),
    "feature_alpha_dropout": Ported("p=0.5, training=false, inplace=false", "feature_alpha_dropout p=p", _noise),
    "flatten": _FLATTEN,
    "interpolate": _RESIZE,
    "upsample": _layer("Upsample", "size=none, scale_factor=none, mode=nearest, align_corners=none"),
    "pixel_shuffle": _layer("PixelShuffle"),
    "pixel_unshuffle": _layer("PixelUnshuffle"),
    "channel_shuffle": _layer("ChannelShuffle"),
    "pad": Ported("pad, mode=constant, value=none", "pad mode=mode value=value", _padded),
    "permute": _PERMUTE,
    "reshape": _RESHAPE,
    "transpose": _TRANSPOSE,
    "swapaxes": _TRANSPOSE,
    "mean": _MEAN,
}  # fmt: skip
"""Functions that are applied to a tensor, which is their first argument."""

METHODS: Mapping[str, Ported] = {
    **{name: FUNCTIONS[name] for name in ("relu", "sigmoid", "tanh", "flatten", "transpose", "swapaxes", "mean")},
    "view": _RESHAPE,
    "reshape": _RESHAPE,
    "permute": _PERMUTE,
    "softmax": _layer("Softmax"),
    "log_softmax": _layer("LogSoftmax"),
    **dict.fromkeys(("contiguous", "clone", "to", "cuda", "cpu", "eval", "train"), Ported("*", "pass")),
}
"""Methods of a tensor."""

SHARED = frozenset(("relu", "relu6", "elu", "selu", "silu", "gelu", "sigmoid", "tanh", "softplus", "softsign", "mish"))
"""Functions that TensorFlow has under the same names, and that do the same without further arguments."""

SPREAD: Mapping[str, str] = {"view": "shape", "reshape": "shape", "permute": "dims"}
"""What methods take as several arguments or as one list."""


def spread(name: str, values: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments of a method whose last may be written one by one, as if they were a list."""
    if name not in SPREAD or (len(values) == 1 and values[0].startswith("[")):
        return tuple(values)
    return (f"[{', '.join(values)}]",)
