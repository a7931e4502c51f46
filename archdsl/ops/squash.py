"""Activations that squash values into a range, and those that shrink them towards zero, elementwise."""

from __future__ import annotations

from typing import ClassVar, Literal, final

from pydantic import NonNegativeFloat

from archdsl.ops.activation import Activation


@final
class Hardsigmoid(Activation):
    """Squash to [0, 1] by straight lines: relu6(x + 3)/6.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Hardsigmoid; Howard et al. 2019, MobileNetV3

    >>> from archdsl.ops.shape import Shape
    >>> Hardsigmoid().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "hardsigmoid"
    torch: ClassVar[str] = "nn.Hardsigmoid"
    can_run_in_place: ClassVar[bool] = True
    makes_probabilities: ClassVar[bool] = True

    def is_bounded(self) -> bool:
        return True


@final
class Hardtanh(Activation):
    """Cut off below `low` and above `high`.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Hardtanh

    >>> from archdsl.ops.shape import Shape
    >>> Hardtanh().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "hardtanh"
    torch: ClassVar[str] = "nn.Hardtanh"
    can_run_in_place: ClassVar[bool] = True

    low: float = -1.0
    """Smallest value afterwards."""
    high: float = 1.0
    """Largest value afterwards; above `low`."""

    def is_idempotent(self) -> bool:
        return True

    def is_bounded(self) -> bool:
        return True


@final
class Sigmoid(Activation):
    """Squash to (0, 1): 1/(1 + exp(-x)).

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Sigmoid

    >>> from archdsl.ops.shape import Shape
    >>> Sigmoid().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "sigmoid"
    torch: ClassVar[str] = "nn.Sigmoid"
    saves: ClassVar[Literal["input", "output", "none"]] = "output"
    short_name: ClassVar[str] = "sigmoid"
    makes_probabilities: ClassVar[bool] = True

    def is_bounded(self) -> bool:
        return True


@final
class Tanh(Activation):
    """Squash to (-1, 1) by the hyperbolic tangent.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Tanh

    >>> from archdsl.ops.shape import Shape
    >>> Tanh().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "tanh"
    torch: ClassVar[str] = "nn.Tanh"
    saves: ClassVar[Literal["input", "output", "none"]] = "output"
    short_name: ClassVar[str] = "tanh"

    def is_bounded(self) -> bool:
        return True


@final
class Softsign(Activation):
    """Squash to (-1, 1): x/(1 + |x|).

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Softsign

    >>> from archdsl.ops.shape import Shape
    >>> Softsign().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "softsign"
    torch: ClassVar[str] = "nn.Softsign"

    def is_bounded(self) -> bool:
        return True


@final
class LogSigmoid(Activation):
    """Take the logarithm of the sigmoid: -log(1 + exp(-x)).

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.LogSigmoid

    >>> from archdsl.ops.shape import Shape
    >>> LogSigmoid().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "logsigmoid"
    torch: ClassVar[str] = "nn.LogSigmoid"
    makes_probabilities: ClassVar[bool] = True


@final
class Hardshrink(Activation):
    """Zero what lies within `bound` of zero.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Hardshrink

    >>> from archdsl.ops.shape import Shape
    >>> Hardshrink().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "hardshrink"
    torch: ClassVar[str] = "nn.Hardshrink"

    bound: float = 0.5
    """Largest magnitude that is zeroed."""

    def is_idempotent(self) -> bool:
        return True


@final
class Softshrink(Activation):
    """Draw each value towards zero by `bound`, and no further.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Softshrink

    >>> from archdsl.ops.shape import Shape
    >>> Softshrink().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "softshrink"
    torch: ClassVar[str] = "nn.Softshrink"

    bound: NonNegativeFloat = 0.5
    """How far each value is drawn."""


@final
class Tanhshrink(Activation):
    """Subtract each value's hyperbolic tangent: x - tanh(x).

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.nn.Tanhshrink

    >>> from archdsl.ops.shape import Shape
    >>> Tanhshrink().infer_shape([Shape(64, 56, 56)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "tanhshrink"
    torch: ClassVar[str] = "nn.Tanhshrink"
    saves: ClassVar[Literal["input", "output", "none"]] = "output"
