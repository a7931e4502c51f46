"""The operators of the language, by keyword."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from archdsl.ops.base import Op

# As the reference page lists them: from the input through what learns to what only moves and joins.
_CLASSES = {
    "input": "rearrange.Input",
    "conv": "conv.Conv2d",
    "dw": "conv.DepthwiseConv2d",
    "deconv": "conv.ConvTranspose2d",
    "fc": "linear.Linear",
    "batch": "norm.BatchNorm",
    "sync_batch": "norm.SyncBatchNorm",
    "frozen_batch": "norm.FrozenBatchNorm",
    "group": "norm.GroupNorm",
    "layer": "axis_norm.LayerNorm",
    "instance": "norm.InstanceNorm",
    "rms": "axis_norm.RMSNorm",
    "lrn": "norm.LocalResponseNorm",
    "rescale": "norm.Rescale",
    "normalize": "reduce.UnitVectors",
    "none": "identity.Identity",
    "relu": "activation.ReLU",
    "relu6": "activation.ReLU6",
    "leaky_relu": "activation.LeakyReLU",
    "prelu": "activation.PReLU",
    "rrelu": "activation.RReLU",
    "elu": "activation.ELU",
    "selu": "activation.SELU",
    "celu": "activation.CELU",
    "gelu": "activation.GELU",
    "silu": "activation.SiLU",
    "mish": "activation.Mish",
    "hardswish": "activation.Hardswish",
    "hardsigmoid": "squash.Hardsigmoid",
    "hardtanh": "squash.Hardtanh",
    "hardshrink": "squash.Hardshrink",
    "softshrink": "squash.Softshrink",
    "tanhshrink": "squash.Tanhshrink",
    "threshold": "activation.Threshold",
    "sigmoid": "squash.Sigmoid",
    "tanh": "squash.Tanh",
    "softplus": "activation.Softplus",
    "softsign": "squash.Softsign",
    "logsigmoid": "squash.LogSigmoid",
    "softmax": "softmax.Softmax",
    "log_softmax": "softmax.LogSoftmax",
    "glu": "softmax.GLU",
    "maxpool": "pool.MaxPool2d",
    "avgpool": "pool.AvgPool2d",
    "lppool": "pool.LPPool2d",
    "adaptive_avgpool": "pool.AdaptiveAvgPool2d",
    "adaptive_maxpool": "pool.AdaptiveMaxPool2d",
    "gap": "pool.GlobalAvgPool2d",
    "gmp": "pool.GlobalMaxPool2d",
    "mean": "reduce.Mean",
    "sum": "reduce.Sum",
    "max": "reduce.Max",
    "vector_norm": "reduce.VectorNorm",
    "dropout": "regularise.Dropout",
    "dropout2d": "regularise.Dropout2d",
    "alpha_dropout": "regularise.AlphaDropout",
    "feature_alpha_dropout": "regularise.FeatureAlphaDropout",
    "drop_path": "regularise.DropPath",
    "scale": "regularise.Scale",
    "times": "regularise.Times",
    "flatten": "rearrange.Flatten",
    "reshape": "rearrange.Reshape",
    "permute": "rearrange.Permute",
    "rearrange": "pattern.Rearrange",
    "slice": "rearrange.Slice",
    "pad": "rearrange.Pad",
    "crop": "rearrange.Crop",
    "pixel_shuffle": "shuffle.PixelShuffle",
    "pixel_unshuffle": "shuffle.PixelUnshuffle",
    "shuffle": "shuffle.ChannelShuffle",
    "index": "gather.IndexSelect",
    "roll": "gather.Roll",
    "upsample": "resize.Upsample",
    "param": "free.LearnedTensor",
    "constant": "free.FixedTensor",
    "offset": "free.Offset",
    "plus": "arithmetic.Plus",
    "clip": "arithmetic.Clamp",
    "abs": "arithmetic.Abs",
    "square": "arithmetic.Square",
    "sqrt": "arithmetic.Sqrt",
    "exp": "arithmetic.Exp",
    "sin": "arithmetic.Sin",
    "cos": "arithmetic.Cos",
    "cumsum": "reduce.CumulativeSum",
    "add": "merge.Add",
    "mul": "merge.Multiply",
    "sub": "merge.Subtract",
    "div": "merge.Divide",
    "maximum": "merge.Maximum",
    "concat": "merge.Concat",
    "matmul": "linear.MatMul",
    "einsum": "einsum.Einsum",
}


class Catalogue(Mapping[str, type[Op]]):
    """Operators by keyword. The class of one is imported when it is asked for: a check needs few of them."""

    def __getitem__(self, keyword: str) -> type[Op]:
        module, _, name = _CLASSES[keyword].partition(".")
        return getattr(import_module(f"archdsl.ops.{module}"), name)

    def __contains__(self, keyword: object) -> bool:
        return keyword in _CLASSES

    def __iter__(self) -> Iterator[str]:
        return iter(_CLASSES)

    def __len__(self) -> int:
        return len(_CLASSES)


OPS: Mapping[str, type[Op]] = Catalogue()
"""Every operator by its keyword: input, learned layers, norms, activations, pools, noise, shapes, joins."""


SYMBOLS = frozenset({
    "all", "batch", "bicubic", "bilinear", "channels", "circular", "constant", "fan_in", "fan_out", "last",
    "leaky_relu", "linear", "nearest", "none", "positions", "reflect", "relu", "replicate", "row", "same",
    "sample", "selu", "sigmoid", "tanh", "valid", "zeros",
})  # fmt: skip
"""The words that attributes and initialisation functions take as values: `padding=same`.

They are written out, since their classes would all have to be imported to ask them; a test does.
"""
