"""Activations that keep or bend: rectifiers and gates, elementwise; and what all activations have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, final

from archdsl.ops.base import Category, Init, Op, Tensor, TorchCall, check_channels_first
from archdsl.ops.description import Term
from archdsl.ops.init import VectorInit, initial_values
from archdsl.ops.shape import Shape


class Activation(Op):
    """An operator that keeps the shape; a subclass says which torch module performs it."""

    category: ClassVar[Category] = "activation"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    torch: ClassVar[str]
    """The module that performs it, whose arguments are the attributes in their order."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def describe(self) -> tuple[Term, ...]:
        return (Term(self.short_name or type(self).__name__),)

    def is_pointwise(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        changed = self.model_dump(exclude_defaults=True)
        return TorchCall(self.torch, tuple(self.model_dump().values()) if changed else ())


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
    torch: ClassVar[str] = "nn.ReLU"
    can_run_in_place: ClassVar[bool] = True
    saves: ClassVar[Literal["input", "output", "none"]] = "output"

    def is_idempotent(self) -> bool:
        return True


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
    torch: ClassVar[str] = "nn.ReLU6"
    can_run_in_place: ClassVar[bool] = True

    def is_idempotent(self) -> bool:
        return True

    def is_bounded(self) -> bool:
        return True


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
    torch: ClassVar[str] = "nn.LeakyReLU"
    can_run_in_place: ClassVar[bool] = True

    slope: float = 0.01
    """Factor on negative values."""


@final
class PReLU(Activation):
    """Shrink what is negative by a learned factor: x if x > 0 else slope*x.

    Shape:  unchanged
    Cost:   parameters = 1 if shared, else C; one operation per element
    Errors: E225 not shared, and the channels are not the first axis
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

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        if not self.shared:
            check_channels_first(inputs[0], self.keyword)
        return inputs[0]

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
    torch: ClassVar[str] = "nn.RReLU"
    can_run_in_place: ClassVar[bool] = True

    low: float = 1 / 8
    """Smallest factor."""
    high: float = 1 / 3
    """Largest factor."""

    def differs_in_training(self) -> bool:
        return True


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
    torch: ClassVar[str] = "nn.ELU"
    can_run_in_place: ClassVar[bool] = True

    alpha: float = 1.0
    """How far down negative values reach."""


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
    torch: ClassVar[str] = "nn.SELU"
    can_run_in_place: ClassVar[bool] = True


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
    torch: ClassVar[str] = "nn.CELU"
    can_run_in_place: ClassVar[bool] = True

    alpha: float = 1.0
    """How far down negative values reach; not 0."""


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
    torch: ClassVar[str] = "nn.SiLU"
    can_run_in_place: ClassVar[bool] = True


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
    torch: ClassVar[str] = "nn.Mish"
    can_run_in_place: ClassVar[bool] = True


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
    torch: ClassVar[str] = "nn.Hardswish"
    can_run_in_place: ClassVar[bool] = True


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
    torch: ClassVar[str] = "nn.Threshold"
    can_run_in_place: ClassVar[bool] = True

    threshold: float
    """What a value must exceed to be kept."""
    value: float
    """What takes the place of the others."""

    def is_idempotent(self) -> bool:
        return True
