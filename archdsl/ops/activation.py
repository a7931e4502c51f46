"""Activations: every elementwise nonlinearity of torch.nn, and those over an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, final

from pydantic import NonNegativeFloat

from archdsl.ops.base import Category, Init, Op, OpError, Tensor, TorchCall
from archdsl.ops.description import Term
from archdsl.ops.init import VectorInit, initial_values
from archdsl.ops.shape import Shape


class Activation(Op):
    """An operator that keeps the shape; a subclass says which torch module performs it."""

    category: ClassVar[Category] = "activation"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def describe(self) -> tuple[Term, ...]:
        return (Term(self.short_name or type(self).__name__),)

    def is_pointwise(self) -> bool:
        return True


@final
class ReLU(Activation):
    """Keep what is positive: max(0, x).

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.ReLU; Nair & Hinton 2010

    >>> ReLU().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "relu"
    can_run_in_place: ClassVar[bool] = True
    saves: ClassVar[Literal["input", "output", "none"]] = "output"

    def is_idempotent(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.ReLU")


@final
class ReLU6(Activation):
    """Keep what lies between 0 and 6: min(max(0, x), 6).

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.ReLU6; Howard et al. 2017, MobileNets

    >>> ReLU6().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "relu6"
    can_run_in_place: ClassVar[bool] = True
    is_bounded: ClassVar[bool] = True

    def is_idempotent(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.ReLU6")


@final
class LeakyReLU(Activation):
    """Keep what is positive and shrink what is negative: x if x > 0 else slope*x.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.LeakyReLU; Maas et al. 2013

    >>> LeakyReLU().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "leaky_relu"
    can_run_in_place: ClassVar[bool] = True

    slope: float = 0.01
    """Factor on negative values."""

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.LeakyReLU", () if self.slope == 0.01 else (self.slope,))


@final
class PReLU(Activation):
    """Shrink what is negative by a learned factor: x if x > 0 else slope*x.

    Shape:  unchanged
    Cost:   parameters = 1 if shared, else C; one operation per element
    Errors: none
    Source: torch.nn.PReLU; He et al. 2015, Delving Deep into Rectifiers

    >>> PReLU(shared=False).state([Shape(64, 56, 56)])[0].shape
    (64,)
    """

    keyword: ClassVar[str] = "prelu"

    shared: bool = True
    """Whether all channels have one factor together."""
    slope: float = 0.25
    """What every factor starts at."""
    init: VectorInit | None = None
    """Initial values of the factors, instead of `slope`."""

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        return (Tensor("weight", (1 if self.shared else inputs[0].numbers()[0],)),)

    def initial(self) -> Mapping[str, Init]:
        return initial_values(self.init, None)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        slope = {} if self.slope == 0.25 else {"init": self.slope}
        return TorchCall("nn.PReLU", () if self.shared else (inputs[0].numbers()[0],), slope)


@final
class RReLU(Activation):
    """Shrink what is negative by a random factor in training, and by the mean factor in evaluation.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.RReLU; Xu et al. 2015

    >>> RReLU().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "rrelu"
    can_run_in_place: ClassVar[bool] = True

    low: float = 1 / 8
    """Smallest factor."""
    high: float = 1 / 3
    """Largest factor."""

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        bounds = (self.low, self.high)
        return TorchCall("nn.RReLU", () if bounds == (1 / 8, 1 / 3) else bounds)


@final
class ELU(Activation):
    """Bend what is negative towards -alpha: x if x > 0 else alpha*(exp(x) - 1).

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.ELU; Clevert et al. 2016

    >>> ELU().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "elu"
    can_run_in_place: ClassVar[bool] = True

    alpha: float = 1.0
    """How far down negative values reach."""

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.ELU", () if self.alpha == 1.0 else (self.alpha,))


@final
class SELU(Activation):
    """Apply the scaled ELU that keeps zero mean and unit variance.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.SELU; Klambauer et al. 2017

    >>> SELU().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "selu"
    can_run_in_place: ClassVar[bool] = True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.SELU")


@final
class CELU(Activation):
    """Bend what is negative smoothly: max(0, x) + min(0, alpha*(exp(x/alpha) - 1)).

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.CELU; Barron 2017

    >>> CELU().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "celu"
    can_run_in_place: ClassVar[bool] = True

    alpha: float = 1.0
    """How far down negative values reach; not 0."""

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.CELU", () if self.alpha == 1.0 else (self.alpha,))


@final
class GELU(Activation):
    """Weigh each value by the normal distribution's share below it: x*Phi(x).

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.GELU; Hendrycks & Gimpel 2016

    >>> GELU().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "gelu"

    approximate: Literal["none", "tanh"] = "none"
    """Whether Phi is exact or by a hyperbolic tangent."""

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        changed = {} if self.approximate == "none" else {"approximate": self.approximate}
        return TorchCall("nn.GELU", kwargs=changed)


@final
class SiLU(Activation):
    """Weigh each value by its own sigmoid, as Swish does: x*sigmoid(x).

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.SiLU; Ramachandran et al. 2017

    >>> SiLU().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "silu"
    can_run_in_place: ClassVar[bool] = True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.SiLU")


@final
class Mish(Activation):
    """Weigh each value by a soft gate: x*tanh(softplus(x)).

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Mish; Misra 2019

    >>> Mish().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "mish"
    can_run_in_place: ClassVar[bool] = True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Mish")


@final
class Hardswish(Activation):
    """Weigh each value by a piecewise linear sigmoid: x*relu6(x + 3)/6.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Hardswish; Howard et al. 2019, MobileNetV3

    >>> Hardswish().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "hardswish"
    can_run_in_place: ClassVar[bool] = True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Hardswish")


@final
class Hardsigmoid(Activation):
    """Squash to [0, 1] by straight lines: relu6(x + 3)/6.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Hardsigmoid; Howard et al. 2019, MobileNetV3

    >>> Hardsigmoid().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "hardsigmoid"
    can_run_in_place: ClassVar[bool] = True
    makes_probabilities: ClassVar[bool] = True
    is_bounded: ClassVar[bool] = True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Hardsigmoid")


@final
class Hardtanh(Activation):
    """Cut off below `low` and above `high`.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Hardtanh

    >>> Hardtanh().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "hardtanh"
    can_run_in_place: ClassVar[bool] = True
    is_bounded: ClassVar[bool] = True

    low: float = -1.0
    """Smallest value afterwards."""
    high: float = 1.0
    """Largest value afterwards; above `low`."""

    def is_idempotent(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        bounds = (self.low, self.high)
        return TorchCall("nn.Hardtanh", () if bounds == (-1.0, 1.0) else bounds)


@final
class Hardshrink(Activation):
    """Zero what lies within `bound` of zero.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Hardshrink

    >>> Hardshrink().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "hardshrink"

    bound: float = 0.5
    """Largest magnitude that is zeroed."""

    def is_idempotent(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Hardshrink", () if self.bound == 0.5 else (self.bound,))


@final
class Softshrink(Activation):
    """Draw each value towards zero by `bound`, and no further.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Softshrink

    >>> Softshrink().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "softshrink"

    bound: NonNegativeFloat = 0.5
    """How far each value is drawn."""

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Softshrink", () if self.bound == 0.5 else (self.bound,))


@final
class Tanhshrink(Activation):
    """Subtract each value's hyperbolic tangent: x - tanh(x).

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Tanhshrink

    >>> Tanhshrink().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "tanhshrink"
    saves: ClassVar[Literal["input", "output", "none"]] = "output"

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Tanhshrink")


@final
class Threshold(Activation):
    """Replace what does not exceed `threshold` by `value`.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Threshold

    >>> Threshold(threshold=0.1, value=0.1).infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "threshold"
    can_run_in_place: ClassVar[bool] = True

    threshold: float
    """What a value must exceed to be kept."""
    value: float
    """What takes the place of the others."""

    def is_idempotent(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Threshold", (self.threshold, self.value))


@final
class Sigmoid(Activation):
    """Squash to (0, 1): 1/(1 + exp(-x)).

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Sigmoid

    >>> Sigmoid().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "sigmoid"
    saves: ClassVar[Literal["input", "output", "none"]] = "output"
    short_name: ClassVar[str] = "sigmoid"
    makes_probabilities: ClassVar[bool] = True
    is_bounded: ClassVar[bool] = True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Sigmoid")


@final
class Tanh(Activation):
    """Squash to (-1, 1) by the hyperbolic tangent.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Tanh

    >>> Tanh().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "tanh"
    saves: ClassVar[Literal["input", "output", "none"]] = "output"
    short_name: ClassVar[str] = "tanh"
    is_bounded: ClassVar[bool] = True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Tanh")


@final
class Softplus(Activation):
    """Keep what is positive, smoothly: log(1 + exp(beta*x))/beta.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Softplus

    >>> Softplus().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "softplus"

    beta: float = 1.0
    """Sharpness of the bend; not 0."""
    threshold: float = 20.0
    """Above this beta*x the identity stands in, for numerical range."""

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        given = {"beta": (self.beta, 1.0), "threshold": (self.threshold, 20.0)}
        changed = {name: value for name, (value, default) in given.items() if value != default}
        return TorchCall("nn.Softplus", kwargs=changed)


@final
class Softsign(Activation):
    """Squash to (-1, 1): x/(1 + |x|).

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Softsign

    >>> Softsign().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "softsign"
    is_bounded: ClassVar[bool] = True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.Softsign")


@final
class LogSigmoid(Activation):
    """Take the logarithm of the sigmoid: -log(1 + exp(-x)).

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.LogSigmoid

    >>> LogSigmoid().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "logsigmoid"
    makes_probabilities: ClassVar[bool] = True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.LogSigmoid")


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
