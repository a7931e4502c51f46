"""Joins: operators that take the results of several branches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import ClassVar, Literal, final

from archdsl.ops.axes import AxisChoice, agreed, along, axis_of, torch_axis
from archdsl.ops.base import Category, Op, OpError, TorchCall
from archdsl.ops.description import Term
from archdsl.ops.shape import Shape, Size, differ


def broadcast(op: str, inputs: Sequence[Shape]) -> Shape:
    """Return the shape of an elementwise result, where an axis of size 1 stretches to the others' size.

    Torch would align shapes with fewer axes at the right, channels against width; here they are an error.
    Sizes that only the image can tell apart are taken as equal.
    """
    first, *others = inputs
    axes = agreed(op, inputs)
    for x in others:
        if len(x) != len(first) or any(a != 1 != b and differ(a, b) for a, b in zip(first, x, strict=True)):
            raise OpError("E213", f"{op} joins shapes that differ: {_listed(inputs)}", help=_advice(first, x))
        first = Shape(*map(_wider, first, x))
    return axes.with_sizes(first)


@final
class Add(Op):
    """Add the branches.

    Shape:  equal shapes, or axes of size 1 that stretch to the others' size
    Cost:   no parameters; one addition per output element and branch after the first
    Errors: E213 the shapes differ; E222 fewer than two branches
    Source: torch.add; He et al. 2016, Deep Residual Learning

    >>> Add().infer_shape([Shape(256, 56, 56), Shape(256, 56, 56)])
    Shape(256, 56, 56)
    """

    keyword: ClassVar[str] = "add"
    category: ClassVar[Category] = "join"
    is_join: ClassVar[bool] = True
    sign: ClassVar[str] = "+"

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return broadcast(self.keyword, _several(self.keyword, inputs))

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return super().elementwise(inputs) * (len(inputs) - 1)

    def is_pointwise(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("+", kind="operator")


@final
class Multiply(Op):
    """Multiply the branches element by element.

    Shape:  equal shapes, or axes of size 1 that stretch to the others' size
    Cost:   no parameters; one product per output element and branch after the first
    Errors: E213 the shapes differ; E222 fewer than two branches
    Source: torch.mul; Hu et al. 2018, Squeeze-and-Excitation Networks

    >>> Multiply().infer_shape([Shape(64, 56, 56), Shape(64, 1, 1)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "mul"
    category: ClassVar[Category] = "join"
    is_join: ClassVar[bool] = True
    saves: ClassVar[Literal["input", "output", "none"]] = "input"
    sign: ClassVar[str] = "×"

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return broadcast(self.keyword, _several(self.keyword, inputs))

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return super().elementwise(inputs) * (len(inputs) - 1)

    def is_pointwise(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("*", kind="operator")


@final
class Subtract(Op):
    """Subtract every later branch from the first.

    Shape:  equal shapes, or axes of size 1 that stretch to the others' size
    Cost:   no parameters; one subtraction per output element and branch after the first
    Errors: E213 the shapes differ; E222 fewer than two branches
    Source: torch.sub

    >>> Subtract().infer_shape([Shape(8, 14, 14), Shape(8, 14, 14)])
    Shape(8, 14, 14)
    """

    keyword: ClassVar[str] = "sub"
    category: ClassVar[Category] = "join"
    is_join: ClassVar[bool] = True
    sign: ClassVar[str] = "−"
    cancels_equals: ClassVar[bool] = True

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return broadcast(self.keyword, _several(self.keyword, inputs))

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return super().elementwise(inputs) * (len(inputs) - 1)

    def is_pointwise(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("-", kind="operator")


@final
class Divide(Op):
    """Divide the first branch by every later one, element by element.

    Shape:  equal shapes, or axes of size 1 that stretch to the others' size
    Cost:   no parameters; one division per output element and branch after the first
    Errors: E213 the shapes differ; E222 fewer than two branches
    Source: torch.div; the fusion weights of Tan et al. 2020, EfficientDet, section 3.3

    >>> Divide().infer_shape([Shape(64, 14, 14), Shape(64, 1, 1)])
    Shape(64, 14, 14)
    """

    keyword: ClassVar[str] = "div"
    category: ClassVar[Category] = "join"
    edition: ClassVar[int] = 2
    is_join: ClassVar[bool] = True
    saves: ClassVar[Literal["input", "output", "none"]] = "input"
    sign: ClassVar[str] = "÷"

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return broadcast(self.keyword, _several(self.keyword, inputs))

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return super().elementwise(inputs) * (len(inputs) - 1)

    def is_pointwise(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("/", kind="operator")


@final
class Maximum(Op):
    """Keep the larger of two branches, element by element.

    Shape:  equal shapes, or axes of size 1 that stretch to the other's size
    Cost:   no parameters; one comparison per output element
    Errors: E213 the shapes differ; E222 not two branches
    Source: torch.maximum; Goodfellow et al. 2013, Maxout Networks

    >>> Maximum().infer_shape([Shape(8, 14, 14), Shape(8, 14, 14)])
    Shape(8, 14, 14)
    """

    keyword: ClassVar[str] = "maximum"
    category: ClassVar[Category] = "join"
    is_join: ClassVar[bool] = True
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs) != 2:
            raise OpError("E222", f"maximum joins 2 branches, not {len(inputs)}", help="nest one in another")
        return broadcast(self.keyword, inputs)

    def is_pointwise(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("torch.maximum", kind="function", stretches=True)


@final
class Concat(Op):
    """Stack the branches along the channels or another axis, in the order they are written.

    Shape:  (C1, ...), (C2, ...), ... -> (C1 + C2 + ..., ...)
    Cost:   none
    Errors: E213 another axis differs; E217 there is no such axis; E225 no axis, or several, are the channels
    Source: torch.cat; Szegedy et al. 2015, Going Deeper with Convolutions

    >>> Concat().infer_shape([Shape(64, 28, 28), Shape(128, 28, 28)])
    Shape(192, 28, 28)
    """

    keyword: ClassVar[str] = "concat"
    category: ClassVar[Category] = "join"
    is_join: ClassVar[bool] = True
    follows_channels: ClassVar[bool] = True

    axis: AxisChoice | None = None
    """Along which axis they are stacked; unset, the channels."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        first, *others = inputs
        axes = agreed(self.keyword, inputs)
        at = axis_of(axes, self.axis, self.keyword)
        for x in others:
            pairs = enumerate(zip(first, x, strict=False))
            if len(x) != len(first) or any(axis != at and differ(*pair) for axis, pair in pairs):
                stacked = "their channels" if self.axis is None else f"axis {at}"
                message = f"concat joins shapes that differ beyond {stacked}: {_listed(inputs)}"
                raise OpError("E213", message, help=_advice(first, x, at))
        size = reduce(lambda total, x: total + x[at], others, first[at])
        return axes.with_sizes((*first[:at], size, *first[at + 1 :]))

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def stacked_axis(self, inputs: Sequence[Shape]) -> int:
        return axis_of(agreed(self.keyword, inputs), self.axis, self.keyword)

    def describe(self) -> tuple[Term, ...]:
        return (*super().describe(), *along(self.axis))

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        dim = torch_axis(agreed(self.keyword, inputs), self.axis, self.keyword)
        return TorchCall("torch.cat", kwargs={"dim": dim}, kind="function", packs_inputs=True)


def _several(op: str, inputs: Sequence[Shape]) -> Sequence[Shape]:
    if len(inputs) < 2:
        raise OpError(
            "E222", f"{op} joins 2 branches or more, not {len(inputs)}", help="add a branch, or drop the join"
        )
    return inputs


def _wider(a: Size, b: Size) -> Size:
    # Of two sizes that only the image can tell apart, a number says more than an expression.
    return b if a == 1 or (isinstance(b, int) and b != 1) else a


def _listed(inputs: Sequence[Shape]) -> str:
    """List the shapes of branches; of more than two say which branch has which."""
    shown = [str(x) for x in inputs]
    if len(set(shown)) < len(set(inputs)):  # they differ by a rounding that the short form leaves out
        shown = [f"[{', '.join(map(str, x))}]" for x in inputs]
    if len(inputs) == 2:
        return " and ".join(shown)
    places = {shape: [str(i) for i, other in enumerate(shown, 1) if other == shape] for shape in shown}
    return " and ".join(f"{shape} in {_branches(numbers)}" for shape, numbers in places.items())


def _branches(numbers: Sequence[str]) -> str:
    if len(numbers) == 1:
        return f"branch {numbers[0]}"
    *most, last = numbers
    return f"branches {', '.join(most)} and {last}"


def _advice(first: Shape, other: Shape, stacked: int | None = None) -> str:
    if len(first) != len(other):
        return "flatten both branches or neither"
    if stacked:
        return f"make all axes but axis {stacked} alike"
    if differ(first[0], other[0]) and not any(map(differ, first[1:], other[1:])):
        return "give the branches the same number of channels, with a 1x1 conv in one of them"
    return "give the branches the same strides and padding, so that their maps have one size"
