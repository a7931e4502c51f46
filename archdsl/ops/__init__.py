"""The operators of the language, by keyword."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from archdsl.ops import (
    activation,
    conv,
    identity,
    linear,
    merge,
    norm,
    pool,
    rearrange,
    regularise,
    resize,
    softmax,
    squash,
)
from archdsl.ops.base import Op
from archdsl.ops.init import INITS

# As the reference page lists them: from the input through what learns to what only moves and joins.
_CLASSES: tuple[type[Op], ...] = (
    rearrange.Input,
    conv.Conv2d,
    conv.DepthwiseConv2d,
    conv.ConvTranspose2d,
    linear.Linear,
    norm.BatchNorm,
    norm.SyncBatchNorm,
    norm.FrozenBatchNorm,
    norm.GroupNorm,
    norm.LayerNorm,
    norm.InstanceNorm,
    norm.RMSNorm,
    norm.LocalResponseNorm,
    norm.Rescale,
    identity.Identity,
    activation.ReLU,
    activation.ReLU6,
    activation.LeakyReLU,
    activation.PReLU,
    activation.RReLU,
    activation.ELU,
    activation.SELU,
    activation.CELU,
    activation.GELU,
    activation.SiLU,
    activation.Mish,
    activation.Hardswish,
    squash.Hardsigmoid,
    squash.Hardtanh,
    squash.Hardshrink,
    squash.Softshrink,
    squash.Tanhshrink,
    activation.Threshold,
    squash.Sigmoid,
    squash.Tanh,
    activation.Softplus,
    squash.Softsign,
    squash.LogSigmoid,
    softmax.Softmax,
    softmax.LogSoftmax,
    softmax.GLU,
    pool.MaxPool2d,
    pool.AvgPool2d,
    pool.LPPool2d,
    pool.AdaptiveAvgPool2d,
    pool.AdaptiveMaxPool2d,
    pool.GlobalAvgPool2d,
    pool.GlobalMaxPool2d,
    regularise.Dropout,
    regularise.Dropout2d,
    regularise.AlphaDropout,
    regularise.FeatureAlphaDropout,
    regularise.DropPath,
    regularise.Scale,
    regularise.Times,
    rearrange.Flatten,
    rearrange.Reshape,
    rearrange.Permute,
    rearrange.Slice,
    rearrange.Pad,
    rearrange.Crop,
    rearrange.PixelShuffle,
    rearrange.PixelUnshuffle,
    rearrange.ChannelShuffle,
    resize.Upsample,
    merge.Add,
    merge.Multiply,
    merge.Subtract,
    merge.Maximum,
    merge.Concat,
    linear.MatMul,
)

OPS: Mapping[str, type[Op]] = MappingProxyType({op.keyword: op for op in _CLASSES})
"""Every operator by its keyword: input, learned layers, norms, activations, pools, noise, shapes, joins."""


SYMBOLS = frozenset(
    word for model in (*OPS.values(), *INITS.values()) for name in model.model_fields for word in model.words(name)
)
"""The words that attributes and initialisation functions take as values: `padding=same`."""
