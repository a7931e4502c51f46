"""Layers as PyTorch, Keras and Ultralytics call them, and the step that is the same here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from archdsl.text.suggest import known_as

NEEDLESS = {
    "in_channels": "the input's channels follow from what flows in",
    "in_features": "the input's size follows from what flows in",
    "num_features": "the channels follow from what flows in",
    "num_channels": "the channels follow from what flows in",
    "in_planes": "the input's channels follow from what flows in",
    "normalized_shape": "the sizes follow from what flows in",
    "input_shape": "shapes follow from the model's `input [3, 224, 224]`",
    "input_dim": "shapes follow from the model's `input [3, 224, 224]`",
    "inplace": "the generated code decides where its results are kept",
    "device": "the network is moved when it is used",
    "dtype": "the network is cast when it is used",
    "data_format": "an image is [channels, height, width]",
    "return_indices": "a pool gives its values only",
    "trainable": "training decides what is trained",
}
"""Arguments that need no counterpart, and why."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A layer's call as it was written: its name without a package, and its arguments as texts of ours."""

    name: str
    positional: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Translation:
    """The step that a foreign call means here, and what about it is worth a word."""

    step: str
    why: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Layer:
    """How the arguments of a foreign layer are said here: the order of its own, and which of them we write.

    `kept` maps its arguments to ours in the order in which ours are written; "" is one without a name. `word` is the
    step where that is another than the name of the same operator as a value.
    """

    order: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict[str, str])
    finish: Callable[[dict[str, str]], str] | None = None
    why: str = ""
    word: str = ""


_FLOWS = NEEDLESS["in_channels"]
_NO_NUMBER = "its channels follow from what flows in"
_TORCH_BIAS = "torch adds a bias unless told not to; a conv here has one with `bias=true`"
_KERAS_BIAS = "Keras adds a bias unless told not to; a conv here has one with `bias=true`"

_WINDOW = {"kernel_size": "k", "stride": "s", "strides": "s", "padding": "p", "dilation": "d", "dilation_rate": "d"}
_CONV_KEPT = {
    "out_channels": "",
    "filters": "",
    **_WINDOW,
    "groups": "g",
    "bias": "bias",
    "use_bias": "bias",
    "padding_mode": "padding_mode",
}
_TORCH_CONV = (
    "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias", "padding_mode"
)  # fmt: skip
_POOL_KEPT = {"kernel_size": "", "pool_size": "", "stride": "s", "strides": "s", "padding": "p", "ceil_mode": "ceil"}


def _padding(kernel: str, stride: str, padding: str) -> str:
    """Say a padding in our words: "" where it is what a window has by itself, half an odd kernel."""
    is_odd = kernel.isdigit() and int(kernel) % 2 == 1
    if padding == "same":
        return "" if is_odd and stride in ("", "1") else "same"
    asked = "0" if padding in ("", "valid") else padding
    own = str(int(kernel) // 2) if is_odd else "0" if kernel.isdigit() else ""
    return "" if asked == own else asked


def _conv(arguments: dict[str, str]) -> str:
    padding = _padding(arguments.get("k", "3"), arguments.get("s", ""), arguments.pop("p", ""))
    for key, usual in (("s", "1"), ("d", "1"), ("g", "1"), ("bias", "false")):
        if arguments.get(key) == usual:
            del arguments[key]
    if padding:
        arguments["p"] = padding
    return ""


def _pool(arguments: dict[str, str]) -> str:
    kernel = arguments.setdefault("", "2")
    padding = _padding(kernel, arguments.get("s", ""), arguments.pop("p", ""))
    for key, usual in (("s", kernel), ("ceil", "false")):
        if arguments.get(key) == usual:
            del arguments[key]
    if padding:
        arguments["p"] = padding
    return ""


def _adaptive(arguments: dict[str, str]) -> str:
    return "gap" if arguments.get("") in ("1", "[1, 1]") else ""


def _flatten(arguments: dict[str, str]) -> str:
    start = arguments.pop("start", "1")
    if start.isdigit() and int(start) > 1:
        arguments["start"] = str(int(start) - 1)
    return ""


def _upsample(arguments: dict[str, str]) -> str:
    if arguments.get("mode") == "nearest":
        del arguments["mode"]
    for key in ("", "size"):
        if arguments.get(key) in ("none", "None"):
            del arguments[key]
    return ""


def _input(arguments: dict[str, str]) -> str:
    """Turn a shape with the channels behind into one with the channels in front."""
    sizes = arguments.get("", "").strip("[]").split(", ")
    if len(sizes) == 3 and sizes[2] in ("1", "3", "4") and sizes[0] not in ("1", "3", "4"):
        sizes = [sizes[2], sizes[0], sizes[1]]
    arguments[""] = f"[{', '.join(sizes)}]" if sizes != [""] else "[3, 224, 224]"
    return ""


_POOLS_OF_TORCH = ("kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode")
_LAYERS: Mapping[str, _Layer] = {
    "Conv2d": _Layer(_TORCH_CONV, _CONV_KEPT, _conv, _FLOWS),
    "Conv2D": _Layer(("filters", "kernel_size", "strides", "padding"), _CONV_KEPT, _conv, _FLOWS),
    "Convolution2D": _Layer(("filters", "kernel_size", "strides", "padding"), _CONV_KEPT, _conv, _FLOWS),
    "DepthwiseConv2D": _Layer(("kernel_size", "strides", "padding"), {**_WINDOW, "use_bias": "bias"}, _conv),
    "ConvTranspose2d": _Layer(
        ("in_channels", "out_channels", "kernel_size", "stride", "padding", "output_padding", "groups", "bias"),
        {**_CONV_KEPT, "output_padding": "output_padding"},
        None,
        _FLOWS,
    ),
    "Conv2DTranspose": _Layer(("filters", "kernel_size", "strides"), _CONV_KEPT, None, _FLOWS),
    "Linear": _Layer(
        ("in_features", "out_features", "bias"), {"out_features": "", "bias": "bias"}, None,
        NEEDLESS["in_features"],
    ),
    "Dense": _Layer(("units",), {"units": "", "use_bias": "bias"}),
    "BatchNorm": _Layer(("num_features",), {}, None, _NO_NUMBER, word="norm"),
    "BatchNorm2d": _Layer(("num_features", "eps", "momentum"), {}, None, _NO_NUMBER, word="norm"),
    "BatchNorm1d": _Layer(("num_features", "eps", "momentum"), {}, None, _NO_NUMBER, word="norm"),
    "BatchNormalization": _Layer(("axis",), {}, None, _NO_NUMBER, word="norm"),
    "SyncBatchNorm": _Layer(("num_features",), {}, None, _NO_NUMBER),
    "LayerNorm": _Layer(("normalized_shape", "eps"), {"eps": "eps"}, None, _NO_NUMBER),
    "LayerNormalization": _Layer(("axis",), {"epsilon": "eps"}, None, _NO_NUMBER),
    "InstanceNorm2d": _Layer(("num_features", "eps"), {"eps": "eps"}, None, _NO_NUMBER),
    "GroupNorm": _Layer(("num_groups", "num_channels", "eps"), {"num_groups": "", "eps": "eps"}, None,
                        _NO_NUMBER),
    "ReLU": _Layer(),
    "ReLU6": _Layer(),
    "LeakyReLU": _Layer(("slope",), {"slope": "", "negative_slope": "", "alpha": ""}),
    "PReLU": _Layer(),
    "ELU": _Layer(("alpha",), {"alpha": ""}),
    "SELU": _Layer(),
    "GELU": _Layer(),
    "SiLU": _Layer(),
    "Swish": _Layer(),
    "Mish": _Layer(),
    "Hardswish": _Layer(),
    "Hardsigmoid": _Layer(),
    "Sigmoid": _Layer(),
    "Tanh": _Layer(),
    "Softmax": _Layer(),
    "LogSoftmax": _Layer(),
    "Activation": _Layer(("name",), {"name": ""}, lambda a: a.pop("", "act")),
    "MaxPool2d": _Layer(_POOLS_OF_TORCH, {**_POOL_KEPT, "dilation": "d"}, _pool),
    "AvgPool2d": _Layer(("kernel_size", "stride", "padding", "ceil_mode"), _POOL_KEPT, _pool),
    "MaxPooling2D": _Layer(("pool_size", "strides", "padding"), _POOL_KEPT, _pool),
    "MaxPool2D": _Layer(("pool_size", "strides", "padding"), _POOL_KEPT, _pool),
    "AveragePooling2D": _Layer(("pool_size", "strides", "padding"), _POOL_KEPT, _pool),
    "AdaptiveAvgPool2d": _Layer(("size",), {"size": "", "output_size": ""}, _adaptive),
    "AdaptiveMaxPool2d": _Layer(("size",), {"size": "", "output_size": ""}),
    "GlobalAveragePooling2D": _Layer(),
    "GlobalAvgPool2d": _Layer(),
    "GlobalMaxPooling2D": _Layer(),
    "Dropout": _Layer(("p",), {"p": "", "rate": ""}),
    "Dropout2d": _Layer(("p",), {"p": ""}),
    "SpatialDropout2D": _Layer(("rate",), {"rate": ""}),
    "DropPath": _Layer(("p",), {"p": "", "drop_prob": ""}),
    "Flatten": _Layer(("start",), {"start": "start", "start_dim": "start"}, _flatten),
    "Identity": _Layer(),
    "Upsample": _Layer(
        ("size", "scale_factor", "mode"),
        {"size": "size", "scale_factor": "", "mode": "mode", "align_corners": "align_corners"}, _upsample,
    ),
    "UpSampling2D": _Layer(("size",), {"size": "", "interpolation": "mode"}, _upsample),
    "ZeroPadding2D": _Layer(("padding",), {"padding": ""}),
    "ZeroPad2d": _Layer(("padding",), {"padding": ""}),
    "PixelShuffle": _Layer(("factor",), {"factor": "", "upscale_factor": ""}),
    "PixelUnshuffle": _Layer(("factor",), {"factor": "", "downscale_factor": ""}),
    "ChannelShuffle": _Layer(("groups",), {"groups": ""}),
    "Input": _Layer(("shape",), {"shape": ""}, _input, "a shape is [channels, height, width]"),
    "InputLayer": _Layer(("shape",), {"shape": "", "input_shape": ""}, _input,
                         "a shape is [channels, height, width]"),
}  # fmt: skip

# Functions that are applied to a tensor, which is their first argument.
_FUNCTIONS: Mapping[str, str] = {
    "relu": "ReLU",
    "relu6": "ReLU6",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "mish": "Mish",
    "hardswish": "Hardswish",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "softmax": "Softmax",
    "log_softmax": "LogSoftmax",
    "max_pool2d": "MaxPool2d",
    "avg_pool2d": "AvgPool2d",
    "adaptive_avg_pool2d": "AdaptiveAvgPool2d",
    "adaptive_max_pool2d": "AdaptiveMaxPool2d",
    "dropout": "Dropout",
    "flatten": "Flatten",
    "interpolate": "Upsample",
    "pixel_shuffle": "PixelShuffle",
}

# With fewer arguments in their places torch would refuse the call.
_FEWEST = {"Conv2d": 3, "ConvTranspose2d": 3, "Linear": 2}
_KERAS = frozenset({"Conv2D", "Convolution2D", "DepthwiseConv2D", "Conv2DTranspose"})
_BIASED = _KERAS | {"Conv2d"}
_JOINS = frozenset({"concat", "add", "mul"})
# Activations by names that mean another operator elsewhere, or none.
_ACTIVATIONS = {
    "hard_sigmoid": "hardsigmoid",
    "hard_swish": "hardswish",
    "leaky": "leaky_relu",
    "linear": "pass",
    "logistic": "sigmoid",
}


@cache
def _by_folded_name() -> Mapping[str, str]:
    return {name.casefold(): name for name in _LAYERS}


def layer_of(name: str) -> str | None:
    """Return the usual spelling of a foreign layer, whatever the case it is written in; None for what is none."""
    return name if name in _LAYERS else _by_folded_name().get(name.casefold().replace("_", ""))


def function_of(name: str) -> str | None:
    """Return the layer that a function of `torch` or `torch.nn.functional` performs on its first argument."""
    return _FUNCTIONS.get(name)


def join_of(name: str) -> str | None:
    """Return our join of a foreign name."""
    word = word_of(name)
    return word if word in _JOINS else None


def activation_of(name: str) -> str:
    """Return our word for what others name an activation."""
    return _ACTIVATIONS.get(name) or known_as(name) or name


def word_of(name: str) -> str:
    """Return our word for a foreign layer, or for what may be one."""
    known = layer_of(name)
    return (known and _LAYERS[known].word) or known_as(name) or name.casefold()


def translate(call: Foreign, *, is_step: bool = False) -> Translation | None:
    """Say a foreign call as a step; None where it is no layer that is known.

    `is_step` says that it is written as our steps are, under its foreign name: its own paddings do not hold then.

    >>> translate(Foreign("Conv2d", ("3", "64", "7"), {"stride": "2", "padding": "3", "bias": "false"})).step
    'conv 64 k=7 s=2'
    >>> translate(Foreign("Conv2D", ("64", "3"), {"padding": "same", "activation": "relu"})).step
    'conv 64 k=3; relu'
    """
    name = layer_of(call.name)
    if name is None or len(call.positional) > max(1, len(_LAYERS[name].order)) + 3:
        return None
    layer = _LAYERS[name]
    given = {**dict(zip(layer.order, call.positional, strict=False)), **call.named}
    required = layer.order[: _FEWEST.get(name, 0)]
    is_short = not given.keys() >= {*required}
    is_ours = is_step or is_short
    if is_short and required[0] not in call.named:
        # What torch would refuse is our order under torch's name.
        given = {**dict(zip(layer.order[1:], call.positional, strict=False)), **call.named}
    if is_ours and word_of(name) == "conv" and "padding" not in given and given.get("kernel_size", "3").isdigit():
        given["padding"] = str(int(given.get("kernel_size", "3")) // 2)
    ours: dict[str, str] = {}
    for theirs, key in layer.kept.items():
        if theirs in given:
            ours[key] = given[theirs]
    has_bias = given.get("bias", given.get("use_bias"))
    word = (layer.finish(ours) if layer.finish else "") or word_of(name)
    if word == "gap":
        ours = {}
    step = " ".join([word, *(f"{key}={value}" if key else value for key, value in ours.items())])
    activation = given.get("activation")
    if activation is not None and activation not in ("none", "None", "linear"):
        step += f"; {activation_of(activation)}"
    note = ""
    if name in _BIASED and has_bias is None and not is_ours:
        note = _KERAS_BIAS if name in _KERAS else _TORCH_BIAS
    return Translation(step, layer.why if call.positional or call.named else "", note)
