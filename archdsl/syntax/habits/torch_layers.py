"""The layers of PyTorch that are steps here, by their own signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.syntax.habits.foreign import Binding, Ported
from archdsl.syntax.habits.values import items, number, written

_FLOWS = "the input's channels follow from what flows in"
_NO_NUMBER = "its channels follow from what flows in"
FLOAT_EPS = "1.1920929e-07"
"""The smallest step from 1 in torch's usual numbers, which its RMS norm adds where no eps is given."""


def _biased(call: Binding) -> None:
    stride = call.values.get("stride", "1")
    if call.values.get("padding") == "same" and set(items(stride)) != {"1"}:
        call.leave("padding", "same", "torch takes it with no stride")
    if "bias" not in call.given:
        call.notes.append("torch adds a bias unless told not to; before a norm leave `bias=true` away")


def _batch(call: Binding) -> None:
    """See to an affine norm without a bias, and to statistics that average all batches alike."""
    bias = call.take("bias")
    if bias == "false" and call.values.get("affine") != "false":
        call.leave("bias", bias, "the weight and the bias of a norm go together: `affine=false` is without both")
    if call.values.get("momentum") == "none":
        call.leave("momentum", "none", "it averages all batches alike")


def _layer_norm(call: Binding) -> None:
    """Say what is normalised: the last axis, or all of an image where no element has a weight of its own."""
    sizes = call.take("normalized_shape")
    if call.take("bias") == "false" and call.values.get("elementwise_affine") != "false":
        call.leave("bias", "false", "the weight and the bias of a norm go together: `affine=false` is without both")
    call.ours["axis"] = "last"
    if len(items(sizes)) == 1:
        return
    why = "each element has a weight of its own there; `layer` has one for each channel"
    if len(items(sizes)) >= 3:
        call.ours["axis"] = "sample"
        if call.values.get("elementwise_affine") == "false":
            return
    call.leave("normalized_shape", sizes, why)


def _rms(call: Binding) -> None:
    sizes = call.take("normalized_shape")
    call.ours["axis"] = "last"
    if len(items(sizes)) != 1:
        call.leave("normalized_shape", sizes, "`rms` is over one axis")
    if call.values.get("eps") == "none":
        call.ours["eps"] = FLOAT_EPS
        call.take("eps")


def _axis(call: Binding) -> None:
    """Say along which axis: torch counts the batch, and takes the channels of a vector or an image by itself."""
    axis = call.take("dim")
    if axis == "none":
        call.notes.append("without `dim` torch takes the channels of a vector or an image, and the batch of a sequence")
    if axis in ("1", "none"):
        call.ours["axis"] = "channels"
    elif axis == "-1":
        call.ours["axis"] = "last"
    else:
        call.leave("dim", axis, "`axis` is `channels` or `last`")


def _flatten(call: Binding) -> None:
    """Count the axes without the batch."""
    start, end = call.take("start_dim"), call.take("end_dim")
    if start.isdigit() and int(start) > 0:
        call.ours["start"] = str(int(start) - 1)
    else:
        call.leave("start_dim", start, "axes count from the front, and the batch is none: `start=0` is the channels")
    if end.isdigit() and int(end) > 0:
        call.ours["end"] = str(int(end) - 1)
    elif end != "-1":
        call.leave("end_dim", end, "axes count from the front, and the batch is none: `end=0` is the channels")


def _unflatten(call: Binding) -> None:
    axis = call.take("dim")
    if axis not in ("1", "-1"):
        call.leave("dim", axis, "`reshape` gives all sizes after the batch")


def sides(call: Binding, *, is_constant: bool = True) -> None:
    """Say left, right, top and bottom in our order, and what is cut off as a crop."""
    text = call.take("padding")
    numbers = [number(item) for item in items(text)]
    if len(numbers) not in (1, 4) or (len(numbers) == 1 and text.startswith("[")):
        call.leave("padding", text, "`pad` takes one number, or those of the top, bottom, left and right")
        return
    given = [int(n) for n in numbers if n is not None and n == int(n)]
    if len(given) < len(numbers):
        value = written("sides", text) if len(numbers) == 1 else None
        if value is None:
            call.leave("padding", text, "its order is the top, bottom, left and right")
        else:
            call.ours["size"] = value
        return
    left, right, top, bottom = given * (4 if len(given) == 1 else 1)
    order = (top, bottom, left, right)
    if min(order) < 0 and max(order) <= 0:
        call.word = "crop"
        call.take("value")
        order = tuple(-side for side in order)
    elif min(order) < 0 and is_constant:
        call.behind.append(f"crop {side_list([max(-side, 0) for side in order])}")
    elif min(order) < 0:
        call.leave("padding", text, "what is cut off is a `crop` of its own")
    call.ours["size"] = side_list([max(side, 0) for side in order])


def _repeated(call: Binding) -> None:
    sides(call, is_constant=False)


def side_list(order: Sequence[int]) -> str:
    """Write the sides of a map as few numbers as they need."""
    return str(order[0]) if len(set(order)) == 1 else f"[{', '.join(map(str, order))}]"


def _prelu(call: Binding) -> None:
    call.ours["shared"] = "true" if call.take("num_parameters") == "1" else "false"


def _adaptive(call: Binding) -> None:
    """Take pooling to one element for what it is."""
    size = call.values.get("output_size", "")
    if "none" in items(size):
        call.leave("output_size", size, "a size is a number for every image")
        call.ours["size"] = "7"
    elif call.word == "adaptive_avgpool" and written("pair", size) == "1":
        call.word = "gap"
        call.take("output_size")


def _upsample(call: Binding) -> None:
    """Take a whole factor or a size, and the corners of a mode that has some."""
    size, factor = call.values.get("size", "none"), call.values.get("scale_factor", "none")
    if call.values.get("align_corners") == "none":
        call.take("align_corners")
    if factor != "none" and size == "none" and written("pair", factor):
        call.take("recompute_scale_factor")
    if size == factor == "none":
        call.left.append("a size or `scale_factor`, which is not given,")
    if size != "none" and factor != "none":
        call.leave("scale_factor", factor, "`upsample` takes a factor or a size")
    if call.values.get("align_corners", "false") != "false" and call.values.get("mode") == "nearest":
        call.leave("align_corners", call.take("align_corners"), "`nearest` has no corners")


def _corners(call: Binding) -> None:
    _upsample(call)
    call.ours["align_corners"] = "true"


_CONV = "stride=1, padding=0, dilation=1, groups=1, bias=true, padding_mode=zeros, device=none, dtype=none"
_CONV_STEP = (
    "conv channels=out_channels k=kernel_size s=stride p=padding d=dilation g=groups bias=bias "
    "padding_mode=padding_mode"
)
_DECONV = (
    "stride=1, padding=0, output_padding=0, groups=1, bias=true, dilation=1, padding_mode=zeros, device=none, "
    "dtype=none"
)
_DECONV_STEP = (
    "deconv channels=out_channels k=kernel_size s=stride p=padding output_padding=output_padding d=dilation "
    "g=groups bias=bias"
)
_RUNNING = "eps=1e-05, momentum=0.1, affine=true, track_running_stats=true, device=none, dtype=none, bias=true"
_UNTRACKED = "eps=1e-05, momentum=0.1, affine=false, track_running_stats=false, device=none, dtype=none, bias=true"
_NORM_STEP = "eps=eps momentum=momentum affine=affine track=track_running_stats"
_INPLACE = "inplace=false"
_RESIZED = "upsample factor=scale_factor size=size"
_MAX = "kernel_size, stride=none, padding=0, dilation=1, return_indices=false, ceil_mode=false"
_AVERAGE = "kernel_size, stride=none, padding=0, ceil_mode=false, count_include_pad=true, divisor_override=none"
_POOL_STEP = "k=kernel_size s=stride p=padding"

TORCH: Mapping[str, Ported] = {
    "Conv2d": Ported(f"in_channels, out_channels, kernel_size, {_CONV}", _CONV_STEP, _biased, _FLOWS),
    "LazyConv2d": Ported(f"out_channels, kernel_size, {_CONV}", _CONV_STEP, _biased, _FLOWS),
    "ConvTranspose2d": Ported(f"in_channels, out_channels, kernel_size, {_DECONV}", _DECONV_STEP, _biased, _FLOWS),
    "LazyConvTranspose2d": Ported(f"out_channels, kernel_size, {_DECONV}", _DECONV_STEP, _biased, _FLOWS),
    "Linear": Ported(
        "in_features, out_features, bias=true, device=none, dtype=none", "fc features=out_features bias=bias", None,
        "the input's size follows from what flows in",
    ),
    "LazyLinear": Ported("out_features, bias=true, device=none, dtype=none", "fc features=out_features bias=bias"),
    "BatchNorm1d": Ported(f"num_features, {_RUNNING}", f"batch {_NORM_STEP}", _batch, _NO_NUMBER),
    "BatchNorm2d": Ported(f"num_features, {_RUNNING}", f"batch {_NORM_STEP}", _batch, _NO_NUMBER),
    "LazyBatchNorm1d": Ported(_RUNNING, f"batch {_NORM_STEP}", _batch),
    "LazyBatchNorm2d": Ported(_RUNNING, f"batch {_NORM_STEP}", _batch),
    "SyncBatchNorm": Ported(
        "num_features, eps=1e-05, momentum=0.1, affine=true, track_running_stats=true, process_group=none, "
        "device=none, dtype=none, bias=true", f"sync_batch {_NORM_STEP}", _batch, _NO_NUMBER,
    ),
    "FrozenBatchNorm2d": Ported("num_features, eps=1e-05", "frozen_batch eps=eps", None, _NO_NUMBER),
    "InstanceNorm2d": Ported(f"num_features, {_UNTRACKED}", f"instance {_NORM_STEP}", _batch, _NO_NUMBER),
    "LazyInstanceNorm2d": Ported(_RUNNING, f"instance {_NORM_STEP}", _batch),
    "LayerNorm": Ported(
        "normalized_shape, eps=1e-05, elementwise_affine=true, bias=true, device=none, dtype=none",
        "layer eps=eps affine=elementwise_affine", _layer_norm, _NO_NUMBER,
    ),
    "GroupNorm": Ported(
        "num_groups, num_channels, eps=1e-05, affine=true, device=none, dtype=none, bias=true",
        "group groups=num_groups eps=eps affine=affine", _batch, _NO_NUMBER,
    ),
    "RMSNorm": Ported(
        "normalized_shape, eps=none, elementwise_affine=true, device=none, dtype=none",
        "rms eps=eps affine=elementwise_affine", _rms, _NO_NUMBER,
    ),
    "LocalResponseNorm": Ported("size, alpha=0.0001, beta=0.75, k=1.0", "lrn size=size alpha=alpha beta=beta k=k"),
    "ReLU": Ported(_INPLACE, "relu"),
    "ReLU6": Ported(_INPLACE, "relu6"),
    "LeakyReLU": Ported(f"negative_slope=0.01, {_INPLACE}", "leaky_relu slope=negative_slope"),
    "PReLU": Ported("num_parameters=1, init=0.25, device=none, dtype=none", "prelu slope=init", _prelu),
    "RReLU": Ported(f"lower=0.125, upper=0.3333333333333333, {_INPLACE}", "rrelu low=lower high=upper"),
    "ELU": Ported(f"alpha=1.0, {_INPLACE}", "elu alpha=alpha"),
    "CELU": Ported(f"alpha=1.0, {_INPLACE}", "celu alpha=alpha"),
    "SELU": Ported(_INPLACE, "selu"),
    "GELU": Ported("approximate=none", "gelu approximate=approximate"),
    "SiLU": Ported(_INPLACE, "silu"),
    "Mish": Ported(_INPLACE, "mish"),
    "Hardswish": Ported(_INPLACE, "hardswish"),
    "Hardsigmoid": Ported(_INPLACE, "hardsigmoid"),
    "Hardtanh": Ported(
        f"min_val=-1.0, max_val=1.0, {_INPLACE}, min_value=none, max_value=none", "hardtanh low=min_val high=max_val"
    ),
    "Hardshrink": Ported("lambd=0.5", "hardshrink bound=lambd"),
    "Softshrink": Ported("lambd=0.5", "softshrink bound=lambd"),
    "Softplus": Ported("beta=1.0, threshold=20.0", "softplus beta=beta threshold=threshold"),
    "Threshold": Ported(f"threshold, value, {_INPLACE}", "threshold threshold=threshold value=value"),
    "Tanhshrink": Ported("", "tanhshrink"),
    "Sigmoid": Ported("", "sigmoid"),
    "Tanh": Ported("", "tanh"),
    "Softsign": Ported("", "softsign"),
    "LogSigmoid": Ported("", "logsigmoid"),
    "Softmax": Ported("dim=none", "softmax", _axis),
    "Softmax2d": Ported("", "softmax"),
    "LogSoftmax": Ported("dim=none", "log_softmax", _axis),
    "GLU": Ported("dim=-1", "glu", _axis),
    "MaxPool2d": Ported(_MAX, f"maxpool {_POOL_STEP} d=dilation ceil=ceil_mode"),
    "AvgPool2d": Ported(_AVERAGE, f"avgpool {_POOL_STEP} ceil=ceil_mode count_padding=count_include_pad"),
    "LPPool2d": Ported(
        "norm_type, kernel_size, stride=none, ceil_mode=false",
        "lppool power=norm_type k=kernel_size s=stride ceil=ceil_mode",
    ),
    "AdaptiveAvgPool2d": Ported("output_size", "adaptive_avgpool size=output_size", _adaptive),
    "AdaptiveMaxPool2d": Ported("output_size, return_indices=false", "adaptive_maxpool size=output_size", _adaptive),
    "Dropout": Ported(f"p=0.5, {_INPLACE}", "dropout p=p"),
    "Dropout2d": Ported(f"p=0.5, {_INPLACE}", "dropout2d p=p"),
    "AlphaDropout": Ported(f"p=0.5, {_INPLACE}", "alpha_dropout p=p"),
    "FeatureAlphaDropout": Ported(f"p=0.5, {_INPLACE}", "feature_alpha_dropout p=p"),
    "DropPath": Ported("drop_prob=0.0, scale_by_keep=true", "drop_path p=drop_prob"),
    "StochasticDepth": Ported("p, mode", "drop_path p=p mode=mode"),
    "Flatten": Ported("start_dim=1, end_dim=-1", "flatten", _flatten),
    "Unflatten": Ported("dim, unflattened_size", "reshape sizes=unflattened_size", _unflatten),
    "Identity": Ported("*", "pass"),
    "Upsample": Ported(
        "size=none, scale_factor=none, mode=nearest, align_corners=none, recompute_scale_factor=none",
        f"{_RESIZED} mode=mode align_corners=align_corners", _upsample,
    ),
    "UpsamplingNearest2d": Ported("size=none, scale_factor=none", _RESIZED, _upsample),
    "UpsamplingBilinear2d": Ported("size=none, scale_factor=none", f"{_RESIZED} mode='bilinear'", _corners),
    "ZeroPad2d": Ported("padding", "pad", sides),
    "ConstantPad2d": Ported("padding, value", "pad value=value", sides),
    "ReflectionPad2d": Ported("padding", "pad mode='reflect'", _repeated),
    "ReplicationPad2d": Ported("padding", "pad mode='replicate'", _repeated),
    "CircularPad2d": Ported("padding", "pad mode='circular'", _repeated),
    "PixelShuffle": Ported("upscale_factor", "pixel_shuffle factor=upscale_factor"),
    "PixelUnshuffle": Ported("downscale_factor", "pixel_unshuffle factor=downscale_factor"),
    "ChannelShuffle": Ported("groups", "shuffle groups=groups"),
    # Names that are no class of torch's own.
    "BatchNorm": Ported(f"num_features, {_RUNNING}", f"batch {_NORM_STEP}", _batch, _NO_NUMBER),
    "GlobalAvgPool2d": Ported("", "gap"),
    "Swish": Ported(_INPLACE, "silu"),
}  # fmt: skip
"""The layers of PyTorch, and of its neighbours that write them so, by their names."""
