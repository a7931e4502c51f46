"""Normalisation. Statistics over the image do not count as seeing it: receptive fields ignore them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, final

from pydantic import NonNegativeFloat, PositiveInt

from archdsl.ops.base import (
    Category,
    Init,
    Op,
    OpError,
    Probability,
    RunningNorm,
    Tensor,
    TorchCall,
    check_channels_first,
    feature_map,
)
from archdsl.ops.description import Term
from archdsl.ops.init import VectorInit, initial_values
from archdsl.ops.shape import Shape, product


def affine_tensors(channels: int) -> tuple[Tensor, Tensor]:
    """Return the learned factors and addends of some channels."""
    return Tensor("weight", (channels,)), Tensor("bias", (channels,))


def _running(channels: int) -> tuple[Tensor, ...]:
    mean, variance = (Tensor(f"running_{name}", (channels,), "buffer") for name in ("mean", "var"))
    return mean, variance, Tensor("num_batches_tracked", (), "buffer", "int64")


def changed_options(given: Mapping[str, object], defaults: Mapping[str, object]) -> dict[str, object]:
    """Return the arguments that are not torch's defaults."""
    return {name: value for name, value in given.items() if value != defaults[name]}


def _batch_options(eps: float, momentum: float, affine: bool, track: bool) -> dict[str, object]:
    given = {"eps": eps, "momentum": momentum, "affine": affine, "track_running_stats": track}
    defaults = {"eps": 1e-5, "momentum": 0.1, "affine": True, "track_running_stats": True}
    return changed_options(given, defaults)


def _check_batch(x: Shape, op: str) -> Shape:
    if len(x) > 3:
        message = f"{op} needs a vector [C], a sequence [C, L] or a feature map [C, H, W], not {x}"
        raise OpError("E212", message, help="reshape it before the norm")
    check_channels_first(x, op)
    return x


class BatchStatistics(Op):
    """A norm of each channel over a batch and its positions; a subclass says over which batch."""

    category: ClassVar[Category] = "norm"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"
    removes_scale: ClassVar[bool] = True

    eps: NonNegativeFloat = 1e-5
    """Added to the variance."""
    momentum: Probability = 0.1
    """Weight of the new batch in the running statistics: one minus the decay in the textbook's average."""
    affine: bool = True
    """Whether a learned weight and bias follow."""
    track: bool = True
    """Whether running statistics are kept and used in evaluation."""
    init: VectorInit | None = None
    """Initial values of the weight."""
    bias_init: VectorInit | None = None
    """Initial values of the bias."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return _check_batch(inputs[0], self.keyword)

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        channels = inputs[0].numbers()[0]
        return (*(affine_tensors(channels) if self.affine else ()), *(_running(channels) if self.track else ()))

    def differs_in_training(self) -> bool:
        return self.track

    def running_norm(self) -> RunningNorm | None:
        return RunningNorm(self.eps, self.affine) if self.track else None

    def removes_channel_mean(self, inputs: Sequence[Shape]) -> bool:
        return True

    def initial(self) -> Mapping[str, Init]:
        return initial_values(self.init, self.bias_init) if self.affine else {}


@final
class BatchNorm(BatchStatistics):
    """Normalise each channel over the batch and its positions; in evaluation by running statistics.

    Shape:  unchanged; (C,), (C, L) or (C, H, W)
    Cost:   parameters = 2*C if affine; buffers = 2*C + 1 if tracked; one operation per element
    Errors: E212 more than three axes; E225 the channels are not the first axis
    Source: torch.nn.BatchNorm2d and, without height, BatchNorm1d; Ioffe & Szegedy 2015

    >>> sum(tensor.elements for tensor in BatchNorm().state([Shape(64, 56, 56)]))
    257
    """

    keyword: ClassVar[str] = "batch"
    short_name: ClassVar[str] = "BN"

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        target = "nn.BatchNorm2d" if len(inputs[0]) == 3 else "nn.BatchNorm1d"
        options = _batch_options(self.eps, self.momentum, self.affine, self.track)
        return TorchCall(target, (inputs[0].numbers()[0],), options)


@final
class FrozenBatchNorm(Op):
    """Scale and shift each channel by statistics and factors that training leaves alone.

    Shape:  (C, H, W) unchanged
    Cost:   buffers = 4*C; one operation per element
    Errors: E212 not a feature map
    Source: torchvision.ops.FrozenBatchNorm2d

    >>> [tensor.name for tensor in FrozenBatchNorm().state([Shape(64, 56, 56)])]
    ['weight', 'bias', 'running_mean', 'running_var']
    """

    keyword: ClassVar[str] = "frozen_batch"
    category: ClassVar[Category] = "norm"
    short_name: ClassVar[str] = "frozen BN"

    eps: NonNegativeFloat = 1e-5
    """Added to the variance."""
    init: VectorInit | None = None
    """Initial values of the weight."""
    bias_init: VectorInit | None = None
    """Initial values of the bias."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return Shape(*feature_map(inputs[0], self.keyword))

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        channels = inputs[0].numbers()[0]
        names = ("weight", "bias", "running_mean", "running_var")
        return tuple(Tensor(name, (channels,), "buffer") for name in names)

    def running_norm(self) -> RunningNorm:
        return RunningNorm(self.eps, is_affine=True)

    def initial(self) -> Mapping[str, Init]:
        return initial_values(self.init, self.bias_init)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        options = changed_options({"eps": self.eps}, {"eps": 1e-5})
        return TorchCall("FrozenBatchNorm2d", (inputs[0].numbers()[0],), options)


@final
class SyncBatchNorm(BatchStatistics):
    """Normalise as `batch` does, over the batches of all processes together.

    Shape:  unchanged; (C,), (C, L) or (C, H, W)
    Cost:   parameters = 2*C if affine; buffers = 2*C + 1 if tracked; one operation per element
    Errors: E212 more than three axes; E225 the channels are not the first axis
    Source: torch.nn.SyncBatchNorm

    >>> SyncBatchNorm().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "sync_batch"
    short_name: ClassVar[str] = "SyncBN"

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        options = _batch_options(self.eps, self.momentum, self.affine, self.track)
        return TorchCall("nn.SyncBatchNorm", (inputs[0].numbers()[0],), options)


@final
class InstanceNorm(Op):
    """Normalise each channel of each image by itself.

    Shape:  (C, H, W) unchanged
    Cost:   parameters = 2*C if affine; buffers = 2*C + 1 if tracked; one operation per element
    Errors: E212 not a feature map; E224 one position has no variance
    Source: torch.nn.InstanceNorm2d; Ulyanov et al. 2016

    >>> InstanceNorm().state([Shape(64, 56, 56)])
    ()
    """

    keyword: ClassVar[str] = "instance"
    category: ClassVar[Category] = "norm"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"
    short_name: ClassVar[str] = "IN"
    removes_scale: ClassVar[bool] = True

    eps: NonNegativeFloat = 1e-5
    """Added to the variance."""
    momentum: Probability = 0.1
    """Weight of the new image in the running statistics, if they are tracked."""
    affine: bool = False
    """Whether a learned weight and bias follow."""
    track: bool = False
    """Whether running statistics are kept and used in evaluation."""
    init: VectorInit | None = None
    """Initial values of the weight."""
    bias_init: VectorInit | None = None
    """Initial values of the bias."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, height, width = feature_map(inputs[0], self.keyword)
        if product((height, width)) == 1:
            message = f"instance has one position per channel in {inputs[0]}, which has no variance"
            raise OpError("E224", message, help="normalise before the pooling, or use another norm")
        return Shape(channels, height, width)

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        channels = inputs[0].numbers()[0]
        return (*(affine_tensors(channels) if self.affine else ()), *(_running(channels) if self.track else ()))

    def differs_in_training(self) -> bool:
        return self.track

    def running_norm(self) -> RunningNorm | None:
        return RunningNorm(self.eps, self.affine) if self.track else None

    def initial(self) -> Mapping[str, Init]:
        return initial_values(self.init, self.bias_init) if self.affine else {}

    def removes_channel_mean(self, inputs: Sequence[Shape]) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        given = {
            "eps": self.eps,
            "momentum": self.momentum,
            "affine": self.affine,
            "track_running_stats": self.track,
        }
        defaults = {"eps": 1e-5, "momentum": 0.1, "affine": False, "track_running_stats": False}
        return TorchCall("nn.InstanceNorm2d", (inputs[0].numbers()[0],), changed_options(given, defaults))


@final
class GroupNorm(Op):
    """Normalise each image by itself, over sets of neighbouring channels.

    Shape:  (C, ...) unchanged
    Cost:   parameters = 2*C if affine; one operation per element
    Errors: E214 the groups do not divide the channels; E225 the channels are not the first axis
    Source: torch.nn.GroupNorm; Wu & He 2018

    >>> GroupNorm(groups=32).to_torch([Shape(64, 56, 56)]).args
    (32, 64)
    """

    keyword: ClassVar[str] = "group"
    category: ClassVar[Category] = "norm"
    aliases: ClassVar[Mapping[str, str]] = {"g": "groups"}
    saves: ClassVar[Literal["input", "output", "none"]] = "input"
    removes_scale: ClassVar[bool] = True

    groups: PositiveInt = 32
    """How many sets the channels are cut into."""
    eps: NonNegativeFloat = 1e-5
    """Added to the variance."""
    affine: bool = True
    """Whether a learned weight and bias follow."""
    init: VectorInit | None = None
    """Initial values of the weight."""
    bias_init: VectorInit | None = None
    """Initial values of the bias."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        check_channels_first(x, self.keyword)
        if x[0] % self.groups:
            message = f"{self.groups} groups do not divide {x[0]} channels"
            raise OpError("E214", message, "groups", f"use a divisor of {x[0]}", f"must divide {x[0]}")
        return x

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        return affine_tensors(inputs[0].numbers()[0]) if self.affine else ()

    def initial(self) -> Mapping[str, Init]:
        return initial_values(self.init, self.bias_init) if self.affine else {}

    def removes_channel_mean(self, inputs: Sequence[Shape]) -> bool:
        return self.groups == inputs[0][0]

    def describe(self) -> tuple[Term, ...]:
        return (Term("GN {0}", self.groups),)

    def channel_groups(self) -> int:
        return self.groups

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        options = changed_options({"eps": self.eps, "affine": self.affine}, {"eps": 1e-5, "affine": True})
        return TorchCall("nn.GroupNorm", (self.groups, inputs[0].numbers()[0]), options)


@final
class LocalResponseNorm(Op):
    """Divide each value by a sum of squares over its neighbouring channels.

    Shape:  (C, ...) unchanged
    Cost:   no parameters; `size` operations per element
    Errors: E212 a vector; E225 the channels are not the first axis
    Source: torch.nn.LocalResponseNorm; Krizhevsky et al. 2012, section 3.3, whose alpha is torch's alpha/size

    >>> LocalResponseNorm(size=5, k=2.0).infer_shape([Shape(96, 55, 55)])
    Shape(96, 55, 55)
    """

    keyword: ClassVar[str] = "lrn"
    category: ClassVar[Category] = "norm"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"
    short_name: ClassVar[str] = "LRN"

    size: PositiveInt = 5
    """How many channels are summed."""
    alpha: float = 1e-4
    """Factor on the mean of the squares."""
    beta: float = 0.75
    """Exponent of the divisor."""
    k: float = 1.0
    """Added to the divisor before the exponent."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        if len(x) < 2:
            raise OpError("E212", f"lrn needs channels and positions, not {x}", help="place it before `flatten`")
        check_channels_first(x, self.keyword)
        return x

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return super().elementwise(inputs) * self.size

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        given = {"alpha": self.alpha, "beta": self.beta, "k": self.k}
        options = changed_options(given, {"alpha": 1e-4, "beta": 0.75, "k": 1.0})
        return TorchCall("nn.LocalResponseNorm", (self.size,), options)


@final
class Rescale(Op):
    """Multiply each channel by a fixed factor and add a fixed number, as when an image is normalised anew.

    Shape:  (C, H, W) unchanged, with as many factors and shifts as channels
    Cost:   no parameters; two operations per element
    Errors: E212 no feature map; E216 another number of factors or shifts than of channels
    Source: `transform_input` of torchvision's GoogLeNet and Inception v3

    >>> Rescale(scale=(0.458, 0.448, 0.45), shift=(-0.03, -0.088, -0.188)).infer_shape([Shape(3, 224, 224)])
    Shape(3, 224, 224)
    """

    keyword: ClassVar[str] = "rescale"
    category: ClassVar[Category] = "norm"

    scale: tuple[float, ...]
    """The channels' factors."""
    shift: tuple[float, ...]
    """What is added to the channels."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        channels, _, _ = feature_map(x, self.keyword)
        for name, values in (("scale", self.scale), ("shift", self.shift)):
            if len(values) != channels:
                raise OpError(
                    "E216", f"{len(values)} numbers in `{name}` for {channels} channels", name, "give one each"
                )
        return x

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 2 * super().elementwise(inputs)

    def is_affine(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("Rescale", (self.scale, self.shift))
