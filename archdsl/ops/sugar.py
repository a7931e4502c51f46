"""The operators that statements of the language stand for, so that nothing else has to name them."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.ops.axes import AxisChoice
from archdsl.ops.base import Op
from archdsl.ops.identity import Identity
from archdsl.ops.merge import Add
from archdsl.ops.norm import GroupNorm
from archdsl.ops.pattern import Rearrange
from archdsl.ops.rearrange import Input, Slice


def image_input(sizes: Sequence[int]) -> Op:
    """Return the operator of `input`, for sizes given from outside."""
    return Input(shape=tuple(sizes))


def total() -> Op:
    """Return what joins the two ways of a `residual`."""
    return Add()


def part(start: int, size: int, axis: AxisChoice | None = None) -> Op:
    """Return what takes one part of a `split`: `size` channels from `start` on, or places along another axis."""
    return Slice(start=start, size=size, axis=axis)


def rearrangement() -> type[Op]:
    """Return the operator that `within` applies before its steps."""
    return Rearrange


def undone(op: Op) -> Op:
    """Return what `within` applies behind its steps: the way back, which also reads what came in."""
    assert isinstance(op, Rearrange)
    return op.back()


def nothing() -> Op:
    """Return the step that a level of nothing but `pass` is."""
    return Identity()


def norm_of_one_group() -> Op:
    """Return the group norm that fits any number of channels."""
    return GroupNorm(groups=1)
