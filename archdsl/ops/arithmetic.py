"""Arithmetic on each element by itself, as formulas have it: powers, exponentials, circles, and a number added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, final

from archdsl.ops.base import Category, Op, OpError, TorchCall, TorchName
from archdsl.ops.description import Term
from archdsl.ops.shape import Shape


def step(function: str, *args: object, **kwargs: object) -> TorchCall:
    """Return a call of a function of torch on one tensor, which a sequence has as a module."""
    stateless_module = TorchCall("TorchFunction", (TorchName(function), *args), kwargs)
    return TorchCall(function, args, kwargs, kind="function", stateless_module=stateless_module)


class Elementwise(Op):
    """An operator that keeps the shape and computes each element from the one at its place."""

    category: ClassVar[Category] = "tensor"
    edition: ClassVar[int] = 2

    torch: ClassVar[str]
    """The function that performs it."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def is_pointwise(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return step(self.torch)


@final
class Exp(Elementwise):
    """Take the exponential of each element.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.exp

    >>> Exp().infer_shape([Shape(8, 14, 14)])
    Shape(8, 14, 14)
    """

    keyword: ClassVar[str] = "exp"
    torch: ClassVar[str] = "torch.exp"
    saves: ClassVar[Literal["input", "output", "none"]] = "output"


@final
class Abs(Elementwise):
    """Take the magnitude of each element.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.abs

    >>> Abs().infer_shape([Shape(8, 14, 14)])
    Shape(8, 14, 14)
    """

    keyword: ClassVar[str] = "abs"
    torch: ClassVar[str] = "torch.abs"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    def is_idempotent(self) -> bool:
        return True


@final
class Sqrt(Elementwise):
    """Take the square root of each element.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.sqrt, whose gradient at zero is infinite; `vector_norm` has one there

    >>> Sqrt().infer_shape([Shape(8, 14, 14)])
    Shape(8, 14, 14)
    """

    keyword: ClassVar[str] = "sqrt"
    torch: ClassVar[str] = "torch.sqrt"
    saves: ClassVar[Literal["input", "output", "none"]] = "output"


@final
class Square(Elementwise):
    """Multiply each element by itself.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.square

    >>> Square().infer_shape([Shape(8, 14, 14)])
    Shape(8, 14, 14)
    """

    keyword: ClassVar[str] = "square"
    torch: ClassVar[str] = "torch.square"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"


@final
class Sin(Elementwise):
    """Take the sine of each element, in radians.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.sin; the position encoding of Vaswani et al. 2017, section 3.5

    >>> Sin().infer_shape([Shape(8, 14, 14)])
    Shape(8, 14, 14)
    """

    keyword: ClassVar[str] = "sin"
    torch: ClassVar[str] = "torch.sin"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    def is_bounded(self) -> bool:
        return True


@final
class Cos(Elementwise):
    """Take the cosine of each element, in radians.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: none
    Source: torch.cos; the position encoding of Vaswani et al. 2017, section 3.5

    >>> Cos().infer_shape([Shape(8, 14, 14)])
    Shape(8, 14, 14)
    """

    keyword: ClassVar[str] = "cos"
    torch: ClassVar[str] = "torch.cos"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    def is_bounded(self) -> bool:
        return True


@final
class Clamp(Elementwise):
    """Cut off below `low`, above `high`, or both.

    Shape:  unchanged
    Cost:   no parameters; one operation per element
    Errors: E223 neither bound, or `low` above `high`
    Source: torch.clamp; the logit scale of Liu et al. 2022, Swin Transformer V2, section 3.3

    >>> Clamp(high=4.6).to_torch([Shape(8, 14, 14)]).kwargs
    {'max': 4.6}
    """

    keyword: ClassVar[str] = "clip"
    torch: ClassVar[str] = "torch.clamp"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    low: float | None = None
    """Smallest value afterwards; unset, there is none."""
    high: float | None = None
    """Largest value afterwards; unset, there is none."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        if self.low is None and self.high is None:
            raise OpError("E223", "clip needs a bound", help="give it `low`, `high` or both: `clip 0 1`")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise OpError("E223", f"clip from {self.low:g} to {self.high:g} leaves nothing", "high", "swap the two")
        return inputs[0]

    def is_idempotent(self) -> bool:
        return True

    def is_bounded(self) -> bool:
        return self.low is not None and self.high is not None

    def describe(self) -> tuple[Term, ...]:
        low = f"{self.low:g}" if self.low is not None else ""
        high = f"{self.high:g}" if self.high is not None else ""
        return (Term(f"clip {low}…{high}"),)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        bounds = {"min": self.low, "max": self.high}
        return step(self.torch, **{name: value for name, value in bounds.items() if value is not None})


@final
class Plus(Elementwise):
    """Add a fixed number to every element.

    Shape:  unchanged
    Cost:   no parameters; one addition per element
    Errors: none
    Source: torch.add

    >>> Plus(number=1.0).infer_shape([Shape(8, 14, 14)])
    Shape(8, 14, 14)
    """

    keyword: ClassVar[str] = "plus"
    torch: ClassVar[str] = "torch.add"

    number: float
    """What is added."""

    def changes_nothing(self) -> bool:
        return self.number == 0

    def is_affine(self) -> bool:
        return True

    def describe(self) -> tuple[Term, ...]:
        return (Term("+ {0}", self.number),)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return step(self.torch, self.number)
