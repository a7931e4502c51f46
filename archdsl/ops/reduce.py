"""Numbers of whole axes: means, sums, largest values, lengths, running sums, and vectors of length one."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import ClassVar, Literal, final

from pydantic import PositiveFloat

from archdsl.ops.arithmetic import step
from archdsl.ops.axes import AxisChoice, AxisChoices, axes_of, axis_of, replaced, sees_positions, torch_axes
from archdsl.ops.base import POINT, Category, Op, OpError, TorchCall, Window
from archdsl.ops.description import Term
from archdsl.ops.shape import Shape


class Reduction(Op):
    """One number in the place of all along some axes; a subclass says which."""

    category: ClassVar[Category] = "pool"
    edition: ClassVar[int] = 2

    torch: ClassVar[str]
    """The function that performs it."""

    axis: AxisChoices
    """Which axes: numbers from 0, `channels`, `last`, `positions` (all but the channels), `all`, or a list."""
    keep: bool = False
    """Whether the axes stay, with size 1, so that the result stretches over what it came from."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        places = axes_of(x, self.axis, self.keyword)
        if self.keep:
            return x.with_sizes(1 if place in places else size for place, size in enumerate(x))
        if len(places) == len(x):
            help = "write `keep=true`, which leaves axes of size 1"
            raise OpError("E217", f"{self.keyword} of all axes of {x} leaves none", "axis", help)
        for place in sorted(places, reverse=True):
            x = replaced(x, place, ())
        return x

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return prod(inputs[0].numbers())

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, Window] | None:
        (x,) = inputs
        is_map = self.keep and not sees_positions(x, axes_of(x, self.axis, self.keyword))
        return POINT if is_map else None

    def describe(self) -> tuple[Term, ...]:
        return (Term(f"{self.short_name or self.keyword} over {_named(self.axis)}"),)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        (x,) = inputs
        return self._call(torch_axes(axes_of(x, self.axis, self.keyword)), {"keepdim": True} if self.keep else {})

    def _call(self, dim: int | tuple[int, ...], keep: dict[str, object]) -> TorchCall:
        return step(self.torch, dim=dim, **keep)

    def _keeps_each_channel(self) -> bool:
        """Return whether the channels stay apart and each axis in its place, for channels that come first."""
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        return self.keep and not any(axis in (0, "channels", "all") for axis in axes)


def _named(axes: AxisChoices) -> str:
    listed = axes if isinstance(axes, tuple) else (axes,)
    return ", ".join(f"axis {axis}" if isinstance(axis, int) else axis for axis in listed)


@final
class Mean(Reduction):
    """Average along some axes.

    Shape:  without these axes, or with size 1 in their place
    Cost:   no parameters; one addition per input element
    Errors: E217 there is no such axis, or none would be left; E225 no axis is the channels
    Source: torch.mean

    >>> Mean(axis="positions").infer_shape([Shape(96, 56, 56)])
    Shape(96)
    """

    keyword: ClassVar[str] = "mean"
    torch: ClassVar[str] = "torch.mean"

    def keeps_constants(self) -> bool:
        return self._keeps_each_channel()


@final
class Sum(Reduction):
    """Add up along some axes.

    Shape:  without these axes, or with size 1 in their place
    Cost:   no parameters; one addition per input element
    Errors: E217 there is no such axis, or none would be left; E225 no axis is the channels
    Source: torch.sum

    >>> Sum(axis="last", keep=True).infer_shape([Shape(49, 96)])
    Shape(49, 1)
    """

    keyword: ClassVar[str] = "sum"
    joins_as: ClassVar[str] = "add"
    torch: ClassVar[str] = "torch.sum"


@final
class Max(Reduction):
    """Keep the largest value along some axes; equal ones share the gradient.

    Shape:  without these axes, or with size 1 in their place
    Cost:   no parameters; one comparison per input element
    Errors: E217 there is no such axis, or none would be left; E225 no axis is the channels
    Source: torch.amax; the spatial attention of Woo et al. 2018, CBAM, section 3

    >>> Max(axis="channels", keep=True).infer_shape([Shape(96, 56, 56)])
    Shape(1, 56, 56)
    """

    keyword: ClassVar[str] = "max"
    joins_as: ClassVar[str] = "maximum"
    torch: ClassVar[str] = "torch.amax"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    def keeps_constants(self) -> bool:
        return self._keeps_each_channel()


@final
class VectorNorm(Reduction):
    """Take the length of the vectors along some axes: the root of the sum of their powers.

    Shape:  without these axes, or with size 1 in their place
    Cost:   no parameters; one operation per input element
    Errors: E217 there is no such axis, or none would be left; E225 no axis is the channels
    Source: torch.linalg.vector_norm; Woo et al. 2023, ConvNeXt V2, section 3.2

    >>> VectorNorm(axis="positions", keep=True).infer_shape([Shape(96, 56, 56)])
    Shape(96, 1, 1)
    """

    keyword: ClassVar[str] = "vector_norm"
    torch: ClassVar[str] = "torch.linalg.vector_norm"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"
    short_name: ClassVar[str] = "length"

    power: PositiveFloat = 2.0
    """The power that is summed: 1 for sums of magnitudes, 2 for lengths."""

    def _call(self, dim: int | tuple[int, ...], keep: dict[str, object]) -> TorchCall:
        powers = () if self.power == 2 else (self.power,)
        return step(self.torch, *powers, dim=dim, **keep)


@final
class CumulativeSum(Op):
    """Add up along an axis as far as each element, itself included.

    Shape:  unchanged
    Cost:   no parameters; one addition per element
    Errors: E217 there is no such axis; E225 no axis is the channels
    Source: torch.cumsum; the positions of Carion et al. 2020, End-to-End Object Detection with Transformers

    >>> CumulativeSum(axis=1).infer_shape([Shape(1, 14, 14)])
    Shape(1, 14, 14)
    """

    keyword: ClassVar[str] = "cumsum"
    category: ClassVar[Category] = "tensor"
    edition: ClassVar[int] = 2

    axis: AxisChoice
    """Along which axis."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        axis_of(inputs[0], self.axis, self.keyword)
        return inputs[0]

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, Window] | None:
        (x,) = inputs
        return None if sees_positions(x, (axis_of(x, self.axis, self.keyword),)) else POINT

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return step("torch.cumsum", dim=axis_of(inputs[0], self.axis, self.keyword) + 1)


@final
class UnitVectors(Op):
    """Divide the vectors along an axis by their lengths.

    Shape:  unchanged
    Cost:   no parameters; two operations per element
    Errors: E217 there is no such axis; E225 no axis is the channels
    Source: torch.nn.functional.normalize; the cosine attention of Liu et al. 2022, Swin Transformer V2, section 3.3

    >>> UnitVectors(axis="last").infer_shape([Shape(4, 49, 32)])
    Shape(4, 49, 32)
    """

    keyword: ClassVar[str] = "normalize"
    category: ClassVar[Category] = "norm"
    edition: ClassVar[int] = 2
    saves: ClassVar[Literal["input", "output", "none"]] = "input"
    short_name: ClassVar[str] = "normalise"
    removes_scale: ClassVar[bool] = True
    follows_channels: ClassVar[bool] = True

    axis: AxisChoice | None = None
    """Along which axis the vectors lie; unset, the channels."""
    eps: PositiveFloat = 1e-12
    """The smallest length that is divided by."""
    power: PositiveFloat = 2.0
    """The power that is summed: 1 for sums of magnitudes, 2 for lengths."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        axis_of(inputs[0], self.axis, self.keyword)
        return inputs[0]

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 2 * super().elementwise(inputs)

    def is_idempotent(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        dim = axis_of(inputs[0], self.axis, self.keyword) + 1
        given = {"p": (self.power, 2.0), "dim": (dim, 1), "eps": (self.eps, 1e-12)}
        return step("F.normalize", **{name: value for name, (value, default) in given.items() if value != default})
