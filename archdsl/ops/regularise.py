"""Regularisation: noise in training that evaluation leaves out and costs nothing, and factors, learned or fixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, final

from archdsl.ops.axes import AxisChoice, axis_of
from archdsl.ops.base import Category, Op, Probability, Tensor, TorchCall, feature_map
from archdsl.ops.description import Term
from archdsl.ops.shape import Shape


class Noise(Op):
    """What sets values at random in training, mostly to zero, each with the chance `p`; evaluation leaves it out."""

    category: ClassVar[Category] = "regularise"
    acts_in_training_only: ClassVar[bool] = True

    p: Probability
    """Chance that a value is set."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def changes_nothing(self) -> bool:
        return self.p == 0

    def makes_zero(self, *, in_training: bool) -> bool:
        return in_training and self.p == 1

    def describe(self) -> tuple[Term, ...]:
        return (Term(self.keyword.replace("_", " ") + " {0}", self.p),)


@final
class Dropout(Noise):
    """Zero elements at random in training, and scale up the others.

    Shape:  unchanged
    Cost:   none in evaluation
    Errors: none
    Source: torch.nn.Dropout; Srivastava et al. 2014

    >>> Dropout(p=0.2).infer_shape([Shape(1280)])
    Shape(1280)
    """

    keyword: ClassVar[str] = "dropout"
    can_run_in_place: ClassVar[bool] = True

    p: Probability = 0.5
    """Chance that an element is zeroed."""

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Dropout", (self.p,))


@final
class Dropout2d(Noise):
    """Zero whole channels at random in training, and scale up the others.

    Shape:  (C, H, W) unchanged
    Cost:   none in evaluation
    Errors: E212 not a feature map
    Source: torch.nn.Dropout2d; Tompson et al. 2015

    >>> Dropout2d(p=0.1).infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "dropout2d"
    can_run_in_place: ClassVar[bool] = True

    p: Probability = 0.5
    """Chance that a channel is zeroed."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return Shape(*feature_map(inputs[0], self.keyword))

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Dropout2d", (self.p,))


@final
class AlphaDropout(Noise):
    """Set elements at random, in training, to the value that SELU tends to, and keep the mean and variance.

    Shape:  unchanged
    Cost:   none in evaluation
    Errors: none
    Source: torch.nn.AlphaDropout; Klambauer et al. 2017, Self-Normalizing Neural Networks, section 2

    >>> AlphaDropout(p=0.05).infer_shape([Shape(1024)])
    Shape(1024)
    """

    keyword: ClassVar[str] = "alpha_dropout"

    p: Probability = 0.5
    """Chance that an element is set."""

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.AlphaDropout", (self.p,))


@final
class FeatureAlphaDropout(Noise):
    """Set whole channels at random, in training, to the value that SELU tends to, and keep the mean and variance.

    Shape:  (C, H, W) unchanged
    Cost:   none in evaluation
    Errors: E212 not a feature map
    Source: torch.nn.FeatureAlphaDropout; Klambauer et al. 2017 for elements, Tompson et al. 2015 for channels

    >>> FeatureAlphaDropout(p=0.1).infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "feature_alpha_dropout"

    p: Probability = 0.5
    """Chance that a channel is set."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return Shape(*feature_map(inputs[0], self.keyword))

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.FeatureAlphaDropout", (self.p,))


@final
class DropPath(Noise):
    """Zero a residual branch at random in training, and scale up what remains.

    Shape:  unchanged
    Cost:   none in evaluation
    Errors: none
    Source: torchvision.ops.StochasticDepth; Huang et al. 2016, Deep Networks with Stochastic Depth

    >>> DropPath(p=0.1).infer_shape([Shape(96, 56, 56)])
    Shape(96, 56, 56)
    """

    keyword: ClassVar[str] = "drop_path"

    p: Probability
    """Chance that the branch is zeroed."""
    mode: Literal["row", "batch"] = "row"
    """Whether each image of a batch has its own chance, or all of them one."""

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("StochasticDepth", (self.p, self.mode))


@final
class Scale(Op):
    """Multiply each channel, or each place along another axis, by a learned factor.

    Shape:  unchanged
    Cost:   parameters = C, or the size of the axis; one product per element
    Errors: E217 there is no such axis; E225 no axis is the channels
    Source: Touvron et al. 2021, Going Deeper with Image Transformers, section 2 (LayerScale)

    >>> Scale().state([Shape(96, 56, 56)])[0].shape
    (96, 1, 1)
    """

    keyword: ClassVar[str] = "scale"
    is_parameter: ClassVar[bool] = True
    category: ClassVar[Category] = "regularise"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"
    follows_channels: ClassVar[bool] = True

    value: float = 1e-6
    """What every factor starts at."""
    axis: AxisChoice | None = None
    """Which axis the factors belong to; unset, the channels."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        axis_of(inputs[0], self.axis, self.keyword)
        return inputs[0]

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        sizes, at = inputs[0].numbers(), axis_of(inputs[0], self.axis, self.keyword)
        return (Tensor("", (sizes[at], *(1 for _ in sizes[at + 1 :]))),)

    def is_affine(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        (factors,) = self.state(inputs)
        return TorchCall("*", factors.shape, {"value": self.value}, kind="parameter")


@final
class Times(Op):
    """Multiply every element by a fixed factor.

    Shape:  unchanged
    Cost:   no parameters; one product per element
    Errors: none
    Source: torch.mul; Szegedy et al. 2017, Inception-v4, section 3.3 (residual scaling)

    >>> Times(factor=0.1).infer_shape([Shape(320, 35, 35)])
    Shape(320, 35, 35)
    """

    keyword: ClassVar[str] = "times"
    category: ClassVar[Category] = "regularise"

    factor: float
    """What every element is multiplied by."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def changes_nothing(self) -> bool:
        return self.factor == 1

    def is_affine(self) -> bool:
        return True

    def makes_zero(self, *, in_training: bool) -> bool:
        return self.factor == 0

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        stateless_module = TorchCall("Times", (self.factor,))
        return TorchCall("torch.mul", (self.factor,), kind="function", stateless_module=stateless_module)
