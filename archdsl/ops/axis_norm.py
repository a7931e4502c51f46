"""Norms of each image by itself along one axis: the channels at each position, or another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, final

from pydantic import NonNegativeFloat

from archdsl.ops.axes import AxisChoice, axis_of
from archdsl.ops.base import Category, Init, Op, OpError, Tensor, TorchCall
from archdsl.ops.init import VectorInit, initial_values
from archdsl.ops.norm import affine_tensors, changed_options
from archdsl.ops.shape import Shape


def _normalised_axis(x: Shape, axis: AxisChoice | None, op: str) -> int:
    """Return the one axis that is normalised: the last, or the first of a feature map, which are what torch can do."""
    at = axis_of(x, axis, op)
    if at != len(x) - 1 and (at != 0 or len(x) != 3):
        over = f"axis {at}" if isinstance(axis, int) else "the channels"
        message = f"{op} over {over} needs a vector [C] or a feature map [C, H, W], not {x}"
        raise OpError("E212", message, "axis", "use axis=last where the channels are the last axis")
    return at


@final
class LayerNorm(Op):
    """Normalise each image by itself, over all of it or over one axis.

    Shape:  unchanged
    Cost:   parameters = 2*C if affine, for the size C of the normalised axis (for "sample": the channels);
            one operation per element
    Errors: E212 an axis that is neither the last nor the first of a feature map; E217 there is no such axis;
            E225 no axis is the channels, or for "sample" another one than the first
    Source: "sample": torch.nn.GroupNorm with one group, as in Wu & He 2018, figure 2; "channels": the
            LayerNorm2d of torchvision's ConvNeXt; "last" and vectors: torch.nn.LayerNorm; Ba et al. 2016

    >>> LayerNorm(axis="channels").to_torch([Shape(96, 56, 56)]).target
    'LayerNorm2d'
    """

    keyword: ClassVar[str] = "layer"
    category: ClassVar[Category] = "norm"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"
    short_name: ClassVar[str] = "LN"
    removes_scale: ClassVar[bool] = True

    axis: Literal["sample"] | AxisChoice = "sample"
    """What is normalised together: the whole image, the channels at each position, or the last axis."""
    eps: NonNegativeFloat = 1e-5
    """Added to the variance."""
    affine: bool = True
    """Whether a learned weight and bias follow."""
    init: VectorInit | None = None
    """Initial values of the weight."""
    bias_init: VectorInit | None = None
    """Initial values of the bias."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        self._at(inputs[0])
        return inputs[0]

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        return affine_tensors(inputs[0].numbers()[self._at(inputs[0])]) if self.affine else ()

    def initial(self) -> Mapping[str, Init]:
        return initial_values(self.init, self.bias_init) if self.affine else {}

    def removes_channel_mean(self, inputs: Sequence[Shape]) -> bool:
        (x,) = inputs
        return x[0] == 1 if self.axis == "sample" else self._at(x) != x.axis

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        (x,) = inputs
        at, eps = self._at(x), changed_options({"eps": self.eps}, {"eps": 1e-5})
        if self.axis == "sample" and len(x) > 1:
            return TorchCall("nn.GroupNorm", (1, x.numbers()[0]), {**eps, **({} if self.affine else {"affine": False})})
        target = "nn.LayerNorm" if at == len(x) - 1 else "LayerNorm2d"
        affine = {} if self.affine else {"elementwise_affine": False}
        return TorchCall(target, (x.numbers()[at],), {**eps, **affine})

    def _at(self, x: Shape) -> int:
        """Return the axis that has factors of its own."""
        if self.axis != "sample":
            return _normalised_axis(x, self.axis, self.keyword)
        if x.is_named and x.axis:
            message = (
                f"layer over the whole image takes the first axis for the channels, and in {x} they are axis {x.axis}"
            )
            raise OpError("E225", message, help="write `layer axis=channels`, which normalises each position by itself")
        return 0


@final
class RMSNorm(Op):
    """Divide by the root of the mean square over one axis.

    Shape:  unchanged
    Cost:   parameters = size of the axis if affine; one operation per element
    Errors: E212 an axis that is neither the last nor the first of a feature map; E217 there is no such axis;
            E225 no axis is the channels
    Source: torch.nn.RMSNorm, with an eps that does not depend on the number format; Zhang & Sennrich 2019

    >>> RMSNorm().state([Shape(96, 56, 56)])[0].shape
    (96,)
    """

    keyword: ClassVar[str] = "rms"
    category: ClassVar[Category] = "norm"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"
    short_name: ClassVar[str] = "RMSNorm"
    removes_scale: ClassVar[bool] = True
    follows_channels: ClassVar[bool] = True

    axis: AxisChoice | None = None
    """Along which axis; unset, the channels at each position."""
    eps: NonNegativeFloat = 1e-6
    """Added to the mean square."""
    affine: bool = True
    """Whether a learned weight follows."""
    init: VectorInit | None = None
    """Initial values of the weight."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        self._at(inputs[0])
        return inputs[0]

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        return (Tensor("weight", (inputs[0].numbers()[self._at(inputs[0])],)),) if self.affine else ()

    def initial(self) -> Mapping[str, Init]:
        return initial_values(self.init, None) if self.affine else {}

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        (x,) = inputs
        at = self._at(x)
        target = "nn.RMSNorm" if at == len(x) - 1 else "RMSNorm2d"
        affine = {} if self.affine else {"elementwise_affine": False}
        return TorchCall(target, (x.numbers()[at],), {"eps": self.eps, **affine})

    def _at(self, x: Shape) -> int:
        return _normalised_axis(x, self.axis, self.keyword)
