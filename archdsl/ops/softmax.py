"""Activations over an axis: shares that sum to one, and gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, final

from archdsl.ops.activation import Activation
from archdsl.ops.base import OpError, TorchCall
from archdsl.ops.shape import Shape


@final
class Softmax(Activation):
    """Turn the values along an axis into shares that sum to one.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Softmax

    >>> Softmax().to_torch([Shape(10)]).kwargs
    {'dim': 1}
    """

    keyword: ClassVar[str] = "softmax"
    saves: ClassVar[Literal["input", "output", "none"]] = "output"
    short_name: ClassVar[str] = "softmax"
    makes_probabilities: ClassVar[bool] = True

    axis: Literal["channels", "last"] = "channels"
    """Along which axis the shares sum to one."""

    def is_pointwise(self) -> bool:
        return False

    def removes_channel_mean(self, inputs: Sequence[Shape]) -> bool:
        return self.axis == "last" and len(inputs[0]) > 1

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Softmax", kwargs={"dim": 1 if self.axis == "channels" else -1})


@final
class LogSoftmax(Activation):
    """Take the logarithm of the shares that `softmax` gives.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.LogSoftmax

    >>> LogSoftmax(axis="last").to_torch([Shape(10)]).kwargs
    {'dim': -1}
    """

    keyword: ClassVar[str] = "log_softmax"
    saves: ClassVar[Literal["input", "output", "none"]] = "output"
    makes_probabilities: ClassVar[bool] = True

    axis: Literal["channels", "last"] = "channels"
    """Along which axis the shares sum to one."""

    def is_pointwise(self) -> bool:
        return False

    def is_idempotent(self) -> bool:
        return True

    def removes_channel_mean(self, inputs: Sequence[Shape]) -> bool:
        return self.axis == "last" and len(inputs[0]) > 1

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.LogSoftmax", kwargs={"dim": 1 if self.axis == "channels" else -1})


@final
class GLU(Activation):
    """Gate the first half of an axis by the sigmoid of the second.

    Shape:  (C, ...) -> (C/2, ...), or the last axis halved
    Cost:   no parameters; one operation per output element
    Errors: E214 the axis is odd
    Source: torch.nn.GLU; Dauphin et al. 2017

    >>> GLU().infer_shape([Shape(64, 56, 56)])
    Shape(32, 56, 56)
    """

    keyword: ClassVar[str] = "glu"

    axis: Literal["channels", "last"] = "channels"
    """Which axis is halved."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        at = 0 if self.axis == "channels" else len(x) - 1
        if x[at] % 2:
            message = f"glu halves an axis, and the {self.axis} axis of {x} is odd"
            raise OpError("E214", message, "axis", "give the layer before an even number")
        return Shape(*x[:at], x[at] // 2, *x[at + 1 :])

    def is_pointwise(self) -> bool:
        return False

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.GLU", kwargs={"dim": 1} if self.axis == "channels" else {})
