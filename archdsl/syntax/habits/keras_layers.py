"""The layers of Keras that are steps here, by their own signatures. An image is [height, width, channels] there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from archdsl.syntax.habits.foreign import Binding, Ported, map_arguments, write
from archdsl.syntax.habits.torch_layers import side_list
from archdsl.syntax.habits.values import is_same, items, number, written

_FLOWS = "the input's channels follow from what flows in"
_NO_NUMBER = "its channels follow from what flows in"
_CHANNELS = ("-1", "3")


def _biased(call: Binding) -> None:
    padding = call.values["padding"] = call.values["padding"].lower()
    if padding == "causal":
        call.leave("padding", padding, "a padding is the same on both sides")
    if "use_bias" not in call.given:
        call.notes.append("Keras adds a bias unless told not to; before a norm leave `bias=true` away")


DENSE_NOTE = "on an image Keras's `Dense` acts on the channels: there it is `conv 10 k=1 bias=true`"
_VECTOR = re.compile(r"(?i)flatten|\bgap\b|\bgmp\b|global\w*pool|\bfc\b|dense\b|input[ \t]*\[[ \t]*\w+[ \t]*\]")


def may_be_image(note: str, before: str) -> bool:
    """Return whether a `Dense`, known by its note, may act on an image: nothing in the text before makes a vector."""
    return DENSE_NOTE in note and _VECTOR.search(before) is None


def _dense(call: Binding) -> None:
    call.notes.append(DENSE_NOTE)


def _separable(call: Binding) -> None:
    """Put the depthwise half before the step."""
    _biased(call)
    texts = ("k=kernel_size", "s=strides", "p=padding", "d=dilation_rate", "multiplier=depth_multiplier")
    half = Ported("", f"dw {' '.join(texts)}")
    call.before.append(_half_step(half, call))
    call.ours["k"] = "1"


def _half_step(layer: Ported, call: Binding) -> str:
    """Write a part of a layer as a step of its own, which says the arguments that it maps."""
    half = Binding(layer.word, call.values, call.given, call.settled)
    map_arguments(layer, half, {})
    call.left.extend(half.left)
    return write(half)


def _transposed(call: Binding) -> None:
    """Say the paddings, by which an output is as large as the input times the stride, or more by what windows reach."""
    _biased(call)
    kernel, stride = call.values["kernel_size"], call.values["strides"]
    padding = call.take("padding")
    pairs = [_pair(call.values[name]) for name in ("kernel_size", "strides", "dilation_rate")]
    if padding not in ("valid", "same") or not all(pairs):
        call.leave("padding", padding, f"what it is depends on `kernel_size={kernel}` and `strides={stride}`")
        return
    reaches = [d * (k - 1) + 1 for k, d in zip(pairs[0], pairs[2], strict=True)]
    more = [reach - s for reach, s in zip(reaches, pairs[1], strict=True)]
    if any(extra < 0 for extra in more):
        call.ours["output_padding"] = _written([max(-extra, 0) for extra in more])
    if padding == "valid":
        return
    cut = [max(extra, 0) for extra in more]
    if all(extra % 2 == 0 for extra in cut):
        call.ours["p"] = _written([extra // 2 for extra in cut])
    else:
        before, after = [extra // 2 for extra in cut], [extra - extra // 2 for extra in cut]
        call.behind.insert(0, f"crop {side_list([before[0], after[0], before[1], after[1]])}")


def _pair(text: str) -> list[int]:
    found = written("pair", text) or ""
    numbers = [int(item) for item in items(found) if item.isdigit()]
    return [numbers[0], numbers[-1]] if len(numbers) == len(items(found)) else []


def _written(pair: list[int]) -> str:
    return written("pair0", f"[{pair[0]}, {pair[1]}]") or ""


def _pool(call: Binding) -> None:
    """Say `same` where it is the same here: a pool pads both sides alike."""
    call.values["padding"] = call.values["padding"].lower()
    if call.values["padding"] == "valid":
        call.values["padding"] = "0"
        return
    padding = call.take("padding")
    size = _pair(call.values["pool_size"])
    stride = _pair(call.values["strides"]) if call.values["strides"] != "none" else size
    if padding == "same" and size == stride == [2, 2]:
        call.ours.update(p="0", ceil="true")
    elif padding == "same" and stride == [1, 1] and all(side % 2 for side in size):
        call.ours["p"] = _written([side // 2 for side in size])
        call.ours["count_padding"] = "false"
    else:
        call.ours["p"] = "0"
        why = "it pads behind more than in front where the size asks for it; a pool here pads both sides alike"
        call.leave("padding", padding, why)


def _pooled(call: Binding) -> None:
    if call.take("keepdims") != "true":
        call.behind.append("flatten")


def _normed(call: Binding) -> None:
    """Say which axis is normalised, and whether a weight and a bias follow: here both or none."""
    axis = call.take("axis")
    if axis not in _CHANNELS:
        call.leave("axis", axis, "the channels are normalised")
    centre, scale = call.take("center") or "true", call.take("scale") or "true"
    if centre == scale and written("flag", centre):
        call.ours["affine"] = centre
    else:
        call.leave(*(("center", centre) if centre == "false" else ("scale", scale)), "`affine=false` is without both")
    if momentum := call.take("momentum"):
        value = written("chance", momentum)
        if value is None:
            call.leave("momentum", momentum)
        else:
            is_number = number(momentum) is not None
            call.ours["momentum"] = str((1 - Decimal(momentum)).normalize()) if is_number else f"(1 - {value})"
    if call.word == "batch" and "trainable" in call.given and call.values["trainable"] != "true":
        call.leave("trainable", call.values["trainable"], "`frozen_batch` is a norm that training leaves alone")


def _rectified(call: Binding) -> None:
    """Say a rectifier with an end or a slope."""
    most, slope = call.take("max_value"), call.values["negative_slope"]
    if most != "none" and not is_same(slope, "0"):
        call.leave("max_value", most, "a slope and an end do not go together")
    elif is_same(most, "6"):
        call.word = "relu6"
    elif most != "none":
        call.word = "hardtanh"
        call.ours.update(low="0", high=written("float", most) or "6")
    elif not is_same(slope, "0"):
        call.word = "leaky_relu"
        call.ours["slope"] = written("float", call.take("negative_slope")) or "0.1"


def _leaky(call: Binding) -> None:
    if (alpha := call.take("alpha")) != "none":
        call.values["negative_slope"] = alpha


def _learned(call: Binding) -> None:
    shared = call.take("shared_axes")
    call.ours.update(shared="false", slope="0")
    if shared not in ("[1, 2]", "[2, 1]"):
        call.leave("shared_axes", shared, "a factor for each position has no counterpart; `[1, 2]` has one a channel")


def _shares(call: Binding) -> None:
    axis = call.take("axis")
    if axis not in _CHANNELS:
        call.leave("axis", axis, "the shares of the channels sum to one")


def _input(call: Binding) -> None:
    """Turn a shape with the channels behind into one with the channels in front."""
    sizes = items(call.take("shape"))
    if len(sizes) == 3 and not (sizes[0] in ("1", "3", "4") and sizes[2] not in ("1", "3", "4")):
        sizes = [sizes[2], sizes[0], sizes[1]]
    numbers = [
        size if size != "none" else str(default) for size, default in zip(sizes, (3, 224, 224, 224), strict=False)
    ]
    if numbers != sizes or len(sizes) > 3 or "-1" in sizes:
        numbers = [size if size.isdigit() and int(size) else "3" for size in numbers]
        call.leave("shape", f"[{', '.join(sizes)}]", "sizes are numbers: an image is [channels, height, width]")
    call.ours["shape"] = written("sizes", f"[{', '.join(numbers)}]") or "[3, 224, 224]"


def _sides(call: Binding) -> None:
    """Say two numbers for both sides each, or a pair for each axis."""
    name = "padding" if "padding" in call.values else "cropping"
    text = call.take(name)
    pairs = [items(axis) for axis in items(text)]
    flat = [side for axis in pairs for side in (axis if len(axis) == 2 else axis * 2)]
    if len(pairs) == 1 and not text.startswith("["):
        call.ours["size"] = written("sides", text) or "1"
    elif len(pairs) == 2 and len(flat) == 4 and all(side.isdigit() for side in flat):
        call.ours["size"] = side_list([int(side) for side in flat])
    else:
        call.ours["size"] = "1"
        call.leave(name, text, "its order is the top, bottom, left and right")


def _permuted(call: Binding) -> None:
    """Count the axes from the channels, which are the last there."""
    order = items(call.take("dims"))
    ours = {"1": 1, "2": 2, "3": 0}
    if sorted(order) == ["1", "2", "3"]:
        call.ours["order"] = f"[{', '.join(str(ours[axis]) for axis in (order[2], order[0], order[1]))}]"
    elif sorted(order) in (["1", "2"], ["1"]):
        call.ours["order"] = f"[{', '.join(str(int(axis) - 1) for axis in order)}]"
    else:
        call.ours["order"] = "[1, 2, 0]"
        call.leave("dims", f"[{', '.join(order)}]", "an order names the axes after the batch, the channels 0")


def _reshaped(call: Binding) -> None:
    """Say that the order of an image's elements is another one."""
    text = call.values["target_shape"]
    call.leave(
        "target_shape", text, "for an image: its channels are last in Keras, so that the elements have another order"
    )
    call.ours["sizes"] = written("sizes", text if text.startswith("[") else f"[{text}]") or "[-1]"
    if len(items(text)) == 3:
        call.behind.append("permute [2, 0, 1]")


def _flat(call: Binding) -> None:
    call.notes.append("Keras flattens an image with its channels last: weights behind have another order")


def _resized(call: Binding) -> None:
    if (mode := call.values["interpolation"]) not in ("nearest", "bilinear"):
        call.leave("interpolation", mode, "its weights are other ones than those of `mode=bicubic`")


def _rescaled(call: Binding) -> None:
    if not is_same(call.values["offset"], "0.0"):
        call.leave("offset", call.values["offset"], "`rescale` shifts each channel by a number of its own")


_REGULAR = "bias_regularizer=none, activity_regularizer=none"
_INITIAL = (
    f"kernel_initializer=glorot_uniform, bias_initializer=zeros, kernel_regularizer=none, {_REGULAR}, "
    "kernel_constraint=none, bias_constraint=none"
)
_DEPTHWISE = (
    f"depthwise_initializer=glorot_uniform, bias_initializer=zeros, depthwise_regularizer=none, {_REGULAR}, "
    "depthwise_constraint=none, bias_constraint=none"
)
_POOL = "pool_size=2, strides=none, padding=valid, data_format=none"
_CONV2D = Ported(
    "filters, kernel_size, strides=1, padding=valid, data_format=none, dilation_rate=1, groups=1, activation=none, "
    f"use_bias=true, {_INITIAL}",
    "conv channels=filters k=kernel_size s=strides p=padding d=dilation_rate g=groups bias=use_bias", _biased, _FLOWS,
)  # fmt: skip
_MAX = Ported(_POOL, "maxpool k=pool_size s=strides p=padding", _pool)
_AVERAGE = Ported(_POOL, "avgpool k=pool_size s=strides p=padding", _pool)
_INPUT = Ported(
    "shape, batch_size=none, dtype=none, sparse=none", "input", _input, "a shape is [channels, height, width]"
)

KERAS: Mapping[str, Ported] = {
    "Conv2D": _CONV2D,
    "Convolution2D": _CONV2D,
    "DepthwiseConv2D": Ported(
        "kernel_size, strides=1, padding=valid, depth_multiplier=1, data_format=none, dilation_rate=1, "
        f"activation=none, use_bias=true, {_DEPTHWISE}",
        "dw k=kernel_size s=strides p=padding d=dilation_rate multiplier=depth_multiplier bias=use_bias", _biased,
    ),
    "SeparableConv2D": Ported(
        "filters, kernel_size, strides=1, padding=valid, data_format=none, dilation_rate=1, depth_multiplier=1, "
        "activation=none, use_bias=true, depthwise_initializer=glorot_uniform, pointwise_initializer=glorot_uniform, "
        "bias_initializer=zeros, depthwise_regularizer=none, pointwise_regularizer=none, bias_regularizer=none, "
        "activity_regularizer=none, depthwise_constraint=none, pointwise_constraint=none, bias_constraint=none",
        "conv channels=filters bias=use_bias", _separable, _FLOWS,
    ),
    "Conv2DTranspose": Ported(
        "filters, kernel_size, strides=1, padding=valid, output_padding=none, data_format=none, dilation_rate=1, "
        f"activation=none, use_bias=true, {_INITIAL}",
        "deconv channels=filters k=kernel_size s=strides d=dilation_rate bias=use_bias", _transposed, _FLOWS,
    ),
    "Dense": Ported(f"units, activation=none, use_bias=true, {_INITIAL}", "fc features=units bias=use_bias", _dense),
    "BatchNormalization": Ported(
        "axis=-1, momentum=0.99, epsilon=0.001, center=true, scale=true, beta_initializer=zeros, "
        "gamma_initializer=ones, moving_mean_initializer=zeros, moving_variance_initializer=ones, "
        "beta_regularizer=none, gamma_regularizer=none, beta_constraint=none, gamma_constraint=none, "
        "synchronized=false, renorm=false, fused=none", "batch eps=epsilon", _normed, _NO_NUMBER,
    ),
    "LayerNormalization": Ported(
        "axis=-1, epsilon=0.001, center=true, scale=true, rms_scaling=false, beta_initializer=zeros, "
        "gamma_initializer=ones", "layer axis='channels' eps=epsilon", _normed, _NO_NUMBER,
    ),
    "GroupNormalization": Ported(
        "groups=32, axis=-1, epsilon=0.001, center=true, scale=true, beta_initializer=zeros, gamma_initializer=ones",
        "group groups=groups eps=epsilon", _normed, _NO_NUMBER,
    ),
    "RMSNormalization": Ported("axis=-1, epsilon=1e-06", "rms axis='channels' eps=epsilon", _normed, _NO_NUMBER),
    "Activation": Ported("activation", "pass"),
    "ReLU": Ported("max_value=none, negative_slope=0.0, threshold=0.0", "relu", _rectified),
    "LeakyReLU": Ported("negative_slope=0.3, alpha=none", "leaky_relu slope=negative_slope", _leaky),
    "ELU": Ported("alpha=1.0", "elu alpha=alpha"),
    "PReLU": Ported(
        "alpha_initializer=zeros, alpha_regularizer=none, alpha_constraint=none, shared_axes=none", "prelu", _learned
    ),
    "ThresholdedReLU": Ported("theta=1.0", "threshold threshold=theta value='0'"),
    "Softmax": Ported("axis=-1", "softmax", _shares),
    "MaxPooling2D": _MAX,
    "MaxPool2D": _MAX,
    "AveragePooling2D": _AVERAGE,
    "AvgPool2D": _AVERAGE,
    "GlobalAveragePooling2D": Ported("data_format=none, keepdims=false", "gap", _pooled),
    "GlobalAvgPool2D": Ported("data_format=none, keepdims=false", "gap", _pooled),
    "GlobalMaxPooling2D": Ported("data_format=none, keepdims=false", "gmp", _pooled),
    "GlobalMaxPool2D": Ported("data_format=none, keepdims=false", "gmp", _pooled),
    "Dropout": Ported("rate, noise_shape=none, seed=none", "dropout p=rate"),
    "SpatialDropout2D": Ported("rate, data_format=none", "dropout2d p=rate"),
    "AlphaDropout": Ported("rate, noise_shape=none, seed=none", "alpha_dropout p=rate"),
    "Flatten": Ported("data_format=none", "flatten", _flat),
    "Reshape": Ported("target_shape", "reshape sizes=target_shape", _reshaped),
    "Permute": Ported("dims", "permute", _permuted),
    "UpSampling2D": Ported(
        "size=2, data_format=none, interpolation=nearest", "upsample factor=size mode=interpolation", _resized
    ),
    "ZeroPadding2D": Ported("padding=1, data_format=none", "pad", _sides),
    "Cropping2D": Ported("cropping=0, data_format=none", "crop", _sides),
    "Rescaling": Ported("scale, offset=0.0", "times factor=scale", _rescaled),
    "Identity": Ported("*", "pass"),
    "Input": _INPUT,
    "InputLayer": _INPUT,
}  # fmt: skip
"""The layers of Keras by their names."""
