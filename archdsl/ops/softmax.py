"""Activations over an axis: shares that sum to one, and gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, final

from archdsl.ops.activation import Activation
from archdsl.ops.axes import AxisChoice, axis_of, counted, torch_axis
from archdsl.ops.base import OpError, TorchCall
from archdsl.ops.shape import Shape


@final
class Softmax(Activation):
    """Turn the values along an axis into shares that sum to one.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: E217 there is no such axis; E225 no axis is the channels
    Source: torch.nn.Softmax

    >>> Softmax().to_torch([Shape(10)]).kwargs
    {'dim': 1}
    """

    keyword: ClassVar[str] = "softmax"
    saves: ClassVar[Literal["input", "output", "none"]] = "output"
    short_name: ClassVar[str] = "softmax"
    makes_probabilities: ClassVar[bool] = True
    follows_channels: ClassVar[bool] = True

    axis: AxisChoice | None = None
    """Along which axis the shares sum to one; unset, the channels."""

    def is_pointwise(self) -> bool:
        return False

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        axis_of(inputs[0], self.axis, self.keyword)
        return inputs[0]

    def removes_channel_mean(self, inputs: Sequence[Shape]) -> bool:
        return axis_of(inputs[0], self.axis, self.keyword) != inputs[0].axis

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Softmax", kwargs={"dim": torch_axis(inputs[0], self.axis, self.keyword)})


@final
class LogSoftmax(Activation):
    """Take the logarithm of the shares that `softmax` gives.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: E217 there is no such axis; E225 no axis is the channels
    Source: torch.nn.LogSoftmax

    >>> LogSoftmax(axis="last").to_torch([Shape(10)]).kwargs
    {'dim': -1}
    """

    keyword: ClassVar[str] = "log_softmax"
    saves: ClassVar[Literal["input", "output", "none"]] = "output"
    makes_probabilities: ClassVar[bool] = True
    follows_channels: ClassVar[bool] = True

    axis: AxisChoice | None = None
    """Along which axis the shares sum to one; unset, the channels."""

    def is_pointwise(self) -> bool:
        return False

    def is_idempotent(self) -> bool:
        return True

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        axis_of(inputs[0], self.axis, self.keyword)
        return inputs[0]

    def removes_channel_mean(self, inputs: Sequence[Shape]) -> bool:
        return axis_of(inputs[0], self.axis, self.keyword) != inputs[0].axis

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.LogSoftmax", kwargs={"dim": torch_axis(inputs[0], self.axis, self.keyword)})


@final
class GLU(Activation):
    """Gate the first half of an axis by the sigmoid of the second.

    Shape:  (C, ...) -> (C/2, ...), or the last axis halved
    Cost:   no parameters; one operation per output element
    Errors: E214 the axis is odd; E217 there is no such axis; E225 no axis is the channels
    Source: torch.nn.GLU; Dauphin et al. 2017

    >>> GLU().infer_shape([Shape(64, 56, 56)])
    Shape(32, 56, 56)
    """

    keyword: ClassVar[str] = "glu"
    follows_channels: ClassVar[bool] = True

    axis: AxisChoice | None = None
    """Which axis is halved; unset, the channels."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        at = axis_of(x, self.axis, self.keyword)
        if x[at] % 2:
            message = f"glu halves an axis, and {counted(x, at)} are an odd number"
            raise OpError("E214", message, "axis", "give the layer before an even number")
        return x.with_sizes((*x[:at], x[at] // 2, *x[at + 1 :]))

    def is_pointwise(self) -> bool:
        return False

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        dim = torch_axis(inputs[0], self.axis, self.keyword)
        return TorchCall("nn.GLU", kwargs={"dim": dim} if dim != -1 else {})
