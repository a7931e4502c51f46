"""Matrix products: fully connected layers and products of two branches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import ClassVar, Literal, final

from pydantic import PositiveInt

from archdsl.ops.axes import multiplied
from archdsl.ops.base import POINT, Category, Init, LinearMap, Op, OpError, Tensor, TorchCall, Window
from archdsl.ops.description import Term
from archdsl.ops.init import MatrixInit, VectorInit, initial_values
from archdsl.ops.merge import broadcast
from archdsl.ops.shape import Shape, differ


@final
class Linear(Op):
    """Multiply the last axis by a learned matrix.

    Shape:  (..., F) -> (..., features)
    Cost:   parameters = F * features, and `features` more for the bias; macs = F * output elements
    Errors: E225 a pattern named channels that are not the last axis, and no `axis=last` says that these stay as they
            are; on a feature map it acts on the width, as in torch, unless `permute` puts the channels last
    Source: torch.nn.Linear

    >>> Linear(features=1000).infer_shape([Shape(2048)])
    Shape(1000)
    """

    keyword: ClassVar[str] = "fc"
    category: ClassVar[Category] = "linear"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    features: PositiveInt
    """Size of the last axis afterwards."""
    bias: bool = True
    """Whether a learned constant is added to each feature."""
    axis: Literal["last"] | None = None
    """`last` says that it acts on the last axis though the channels are another."""
    init: MatrixInit | None = None
    """Initial values of the matrix."""
    bias_init: VectorInit | None = None
    """Initial values of the bias."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        last = len(x) - 1
        if x.is_named and self.axis is None and x.axis not in (None, last):
            message = f"fc acts on the last axis, and the channels of {x} are axis {x.axis}"
            raise OpError("E225", message, help="put the channels last by `rearrange`, or write `axis=last`")
        # Where no axis was the channels, those that it makes are.
        axis = last if x.axis is None else x.axis
        return Shape(*x[:-1], self.features, axis=axis, is_named=x.is_named)

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        weight = Tensor("weight", (self.features, inputs[0].numbers()[-1]))
        return (weight, Tensor("bias", (self.features,))) if self.bias else (weight,)

    def macs(self, inputs: Sequence[Shape]) -> int:
        return prod(inputs[0].numbers()) * self.features

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return super().elementwise(inputs) if self.bias else 0

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, Window] | None:
        return None if len(inputs[0]) == 1 else POINT

    def linear_map(self, inputs: Sequence[Shape]) -> LinearMap:
        return LinearMap(axis=len(inputs[0]) - 1)

    def initial(self) -> Mapping[str, Init]:
        return initial_values(self.init, self.bias_init if self.bias else None)

    def describe(self) -> tuple[Term, ...]:
        return (Term("{0}-d fc", self.features),)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        changed = {} if self.bias else {"bias": False}
        return TorchCall("nn.Linear", (inputs[0].numbers()[-1], self.features), changed)


@final
class MatMul(Op):
    """Multiply two branches as matrices over their last two axes.

    Shape:  (..., N, K) and (..., K, M) -> (..., N, M); the leading axes broadcast
    Cost:   no parameters; macs = K * output elements
    Errors: E212 fewer than two axes; E213 the shapes do not multiply; E222 not two branches
    Source: torch.matmul

    >>> MatMul().infer_shape([Shape(8, 49, 64), Shape(8, 64, 49)])
    Shape(8, 49, 49)
    """

    keyword: ClassVar[str] = "matmul"
    category: ClassVar[Category] = "join"
    is_join: ClassVar[bool] = True
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs) != 2:
            raise OpError("E222", f"matmul joins 2 branches, not {len(inputs)}", help="give it two branches")
        left, right = inputs
        if min(len(left), len(right)) < 2:
            raise OpError("E212", f"matmul needs matrices, not {left} and {right}", help="reshape them first")
        if len(left) != len(right) or differ(left[-1], right[-2]):
            message = f"matmul of {left} and {right}: the last axis of the one is not the last but one of the other"
            raise OpError("E213", message, help="permute or reshape one of them")
        leading = broadcast(self.keyword, [Shape(*left[:-2]), Shape(*right[:-2])])
        last = len(left) - 1
        kept = [[*range(last), None], [*range(last - 1), None, last]]
        return multiplied((*leading, left[-2], right[-1]), inputs, kept)

    def macs(self, inputs: Sequence[Shape]) -> int:
        return prod(self.infer_shape(inputs).numbers()) * inputs[0].numbers()[-1]

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("@", kind="operator")
