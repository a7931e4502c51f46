"""Trading channels for positions, and mixing channels among groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, final

from pydantic import PositiveInt

from archdsl.ops.base import Category, Op, OpError, TorchCall, Window, feature_map
from archdsl.ops.description import Term
from archdsl.ops.shape import Shape


def _check_divisible(x: Shape, divisor: int, op: str, attribute: str) -> None:
    if x[0] % divisor:
        message = f"{op} needs channels divisible by {divisor}, and {x} has {x[0]}"
        raise OpError("E214", message, attribute, f"use a divisor, or another number of channels than {x[0]}")


@final
class PixelShuffle(Op):
    """Trade channels for positions: each input position becomes a block of factor x factor.

    Shape:  (C, H, W) -> (C/factor**2, factor*H, factor*W)
    Cost:   none
    Errors: E212 not a feature map; E214 factor**2 does not divide the channels
    Source: torch.nn.PixelShuffle; Shi et al. 2016

    >>> PixelShuffle(factor=2).infer_shape([Shape(256, 14, 14)])
    Shape(64, 28, 28)
    """

    keyword: ClassVar[str] = "pixel_shuffle"
    category: ClassVar[Category] = "shape"

    factor: PositiveInt
    """How many output rows and columns per input row and column."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, height, width = feature_map(inputs[0], self.keyword)
        _check_divisible(inputs[0], self.factor**2, self.keyword, "factor")
        return Shape(channels // self.factor**2, height * self.factor, width * self.factor)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, Window]:
        return Window(up=self.factor), Window(up=self.factor)

    def changes_nothing(self) -> bool:
        return self.factor == 1

    def describe(self) -> tuple[Term, ...]:
        return (Term("pixel shuffle {0}", self.factor),)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.PixelShuffle", (self.factor,))


@final
class PixelUnshuffle(Op):
    """Trade positions for channels: each block of factor x factor positions becomes one.

    Shape:  (C, H, W) -> (C*factor**2, H/factor, W/factor)
    Cost:   none
    Errors: E212 not a feature map; E216 the factor does not divide the image
    Source: torch.nn.PixelUnshuffle

    >>> PixelUnshuffle(factor=2).infer_shape([Shape(3, 224, 224)])
    Shape(12, 112, 112)
    """

    keyword: ClassVar[str] = "pixel_unshuffle"
    category: ClassVar[Category] = "shape"

    factor: PositiveInt
    """How many input rows and columns become one."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, height, width = feature_map(inputs[0], self.keyword)
        if height % self.factor or width % self.factor:
            message = f"pixel_unshuffle by {self.factor} does not divide the map {inputs[0]}"
            raise OpError("E216", message, "factor", "use a divisor of both sizes, or pad the map")
        return Shape(channels * self.factor**2, height // self.factor, width // self.factor)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, Window]:
        return Window(self.factor, self.factor), Window(self.factor, self.factor)

    def changes_nothing(self) -> bool:
        return self.factor == 1

    def describe(self) -> tuple[Term, ...]:
        return (Term("pixel unshuffle {0}", self.factor),)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.PixelUnshuffle", (self.factor,))


@final
class ChannelShuffle(Op):
    """Deal the channels of each group out in turn, so that the next grouped convolution mixes them.

    Shape:  (C, H, W) unchanged
    Cost:   none
    Errors: E212 not a feature map; E214 the groups do not divide the channels
    Source: torch.nn.ChannelShuffle; Zhang et al. 2018, ShuffleNet

    >>> ChannelShuffle(groups=2).infer_shape([Shape(116, 28, 28)])
    Shape(116, 28, 28)
    """

    keyword: ClassVar[str] = "shuffle"
    category: ClassVar[Category] = "shape"
    aliases: ClassVar[Mapping[str, str]] = {"g": "groups"}

    groups: PositiveInt
    """How many groups the channels come from."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, height, width = feature_map(inputs[0], self.keyword)
        _check_divisible(inputs[0], self.groups, self.keyword, "groups")
        return Shape(channels, height, width)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def changes_nothing(self) -> bool:
        return self.groups == 1

    def describe(self) -> tuple[Term, ...]:
        return (Term("channel shuffle, {0} groups", self.groups),)

    def channel_groups(self) -> int:
        return self.groups

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.ChannelShuffle", (self.groups,))
