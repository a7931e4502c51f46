"""Tensors by themselves: learned ones and constants, which start a flow, and learned addends of what flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, prod
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, cast, final

from pydantic import BeforeValidator, Field, PositiveInt

from archdsl.ops.axes import AxisChoice, axis_of
from archdsl.ops.base import Category, Init, Op, OpError, Tensor, TorchCall, as_tuple
from archdsl.ops.description import Term, by
from archdsl.ops.init import INITS
from archdsl.ops.nested import as_nested, in_rows, leaves, table_sizes
from archdsl.ops.shape import Shape


def _sizes(value: object) -> object:
    return (value,) if isinstance(value, int) and not isinstance(value, bool) else as_tuple(value)


# The sizes of a tensor without its batch axis; one may stand alone.
TensorSizes: TypeAlias = Annotated[tuple[PositiveInt, ...], BeforeValidator(_sizes), Field(min_length=1, max_length=8)]

ZEROS = Init(function="zeros_")


def _check_init(init: Init, axes: int) -> None:
    """Raise E219 where torch cannot draw a tensor of so many axes."""
    function = INITS[init.function.removesuffix("_")]
    if axes < function.least_axes:
        message = f"{function.keyword} needs a tensor of {function.least_axes} axes or more, not {axes}"
        raise OpError("E219", message, "init", "use normal(std=0.02), or another that needs no fans")


@final
class LearnedTensor(Op):
    """Start a flow with a learned tensor, the same for every image.

    It takes the place of what flows. Its key is its path.

    Shape:  `sizes`
    Cost:   parameters = the product of `sizes`
    Errors: E219 initial values that need more axes
    Source: torch.nn.Parameter; the class token of Dosovitskiy et al. 2021, section 3.1

    >>> LearnedTensor(sizes=(1, 768)).infer_shape([])
    Shape(1, 768)
    """

    keyword: ClassVar[str] = "param"
    category: ClassVar[Category] = "tensor"
    edition: ClassVar[int] = 2
    is_source: ClassVar[bool] = True
    is_parameter: ClassVar[bool] = True

    sizes: TensorSizes
    """Sizes without the batch."""
    init: Init = ZEROS
    """Initial values."""
    batch: bool = False
    """Whether the tensor has an axis of size 1 in front, for the batch."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        _check_init(self.init, len(self.sizes) + self.batch)
        return Shape(*self.sizes)

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        return (Tensor("", (1, *self.sizes) if self.batch else self.sizes),)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def initial(self) -> Mapping[str, Init]:
        return {"": self.init}

    def describe(self) -> tuple[Term, ...]:
        return (Term(f"parameter {by(self.sizes)}"),)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        (tensor,) = self.state(inputs)
        return TorchCall("", tensor.shape, {"value": self.init}, kind="parameter")


@final
class Offset(Op):
    """Add a learned tensor of the flow's own shape, or one number for each place of an axis.

    Shape:  unchanged
    Cost:   parameters = the elements that flow in, or the size of the axis; one addition per element
    Errors: E217 there is no such axis; E219 initial values that need more axes
    Source: the position embedding of Dosovitskiy et al. 2021, An Image is Worth 16x16 Words, section 3.1

    >>> Offset(axis="channels").state([Shape(96, 56, 56)])[0].shape
    (96, 1, 1)
    """

    keyword: ClassVar[str] = "offset"
    category: ClassVar[Category] = "tensor"
    edition: ClassVar[int] = 2
    is_parameter: ClassVar[bool] = True

    axis: AxisChoice | Literal["all"] = "all"
    """Which axis the numbers belong to; `all` has one for each element, so that they count with the image's size."""
    init: Init = ZEROS
    """Initial values."""
    batch: bool = False
    """Whether the tensor has an axis of size 1 in front, for the batch."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        _check_init(self.init, len(x[self._place(x) :]) + self.batch)
        return x

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        sizes = inputs[0].numbers()
        if self.axis != "all":
            first, *rest = sizes[self._place(inputs[0]) :]
            sizes = (first, *(1 for _ in rest))
        leading = (1,) * (1 + len(inputs[0]) - len(sizes)) if self.batch else ()
        return (Tensor("", (*leading, *sizes)),)

    def initial(self) -> Mapping[str, Init]:
        return {"": self.init}

    def is_affine(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        (tensor,) = self.state(inputs)
        return TorchCall("+", tensor.shape, {"value": self.init}, kind="parameter")

    def _place(self, x: Shape) -> int:
        return 0 if self.axis == "all" else axis_of(x, self.axis, self.keyword)


def _check_numbers(value: object) -> object:
    """Return a number or a nested list as floats."""
    numbers = list(leaves(value))
    if not numbers or not all(type(item) in (int, float) and isfinite(cast("float", item)) for item in numbers):
        raise ValueError("it should be a number or a list of numbers")
    return _floats(value)


def _floats(value: object) -> object:
    return (
        tuple(map(_floats, cast("tuple[object, ...]", value)))
        if isinstance(value, tuple)
        else float(cast("float", value))
    )


@final
class FixedTensor(Op):
    """Start a flow with fixed numbers, the same for every image.

    They take the place of what flows. Their key is the path.

    Shape:  that of the list, or `sizes`, which the numbers fill in order or one number fills
    Cost:   buffers = the elements, unless `persistent` is false
    Errors: E216 rows of several lengths, or another number of elements than `sizes` has
    Source: torch.nn.Buffer

    >>> FixedTensor(values=((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))).infer_shape([])
    Shape(2, 3)
    """

    keyword: ClassVar[str] = "constant"
    category: ClassVar[Category] = "tensor"
    edition: ClassVar[int] = 2
    is_source: ClassVar[bool] = True
    is_parameter: ClassVar[bool] = True

    values: Annotated[float | tuple[Any, ...], BeforeValidator(_check_numbers), BeforeValidator(as_nested)]
    """A number, or a list of them, which may nest."""
    sizes: TensorSizes | None = None
    """Sizes without the batch; unset, those of the list."""
    persistent: bool = True
    """Whether files of weights carry the numbers."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        found = table_sizes(self.values)
        if found is None:
            raise OpError("E216", "the rows of the list have several lengths", "values", "make them equally long")
        if self.sizes is None:
            return Shape(*(found or (1,)))
        if found and prod(found) != prod(self.sizes):
            message = f"{prod(found)} numbers do not fill {Shape(*self.sizes)}"
            raise OpError("E216", message, "sizes", "use sizes whose product is the number of elements")
        return Shape(*self.sizes)

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        return (Tensor("", self.infer_shape(inputs).numbers(), "buffer"),) if self.persistent else ()

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def describe(self) -> tuple[Term, ...]:
        return (Term(f"constant {by(self.infer_shape(()).numbers())}"),)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        sizes = self.infer_shape(inputs).numbers()
        value = in_rows(list(leaves(self.values)), sizes) if isinstance(self.values, tuple) else self.values
        return TorchCall("", sizes, {"value": value, "persistent": self.persistent}, kind="buffer")
