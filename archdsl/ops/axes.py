"""Which axis of what it reads an operator acts on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, NonNegativeInt

from archdsl.ops.base import OpError, as_tuple
from archdsl.ops.description import Term
from archdsl.ops.shape import Shape, Size

# An axis by its number, from 0 for the first behind the batch, or by what it is.
AxisChoice: TypeAlias = Literal["channels", "last"] | NonNegativeInt
# One axis or several; `positions` are all but the channels.
AxisChoices: TypeAlias = Annotated[
    AxisChoice | Literal["positions", "all"] | Annotated[tuple[AxisChoice, ...], Field(min_length=1)],
    BeforeValidator(as_tuple),
]


def axis_of(x: Shape, axis: AxisChoice | None, op: str) -> int:
    """Return the number of the axis that `axis` means.

    None is the channels where a pattern named them; elsewhere it is the first axis, also where `permute` moved the
    channels away from there.

    Errors: E217 there is no such axis; E225 no axis is the channels
    """
    if axis is None and not x.is_named:
        return 0
    if axis is None or axis == "channels":
        if x.axis is None:
            help = "say which axis is meant: `axis=last`, or a number from 0"
            raise OpError("E225", f"{op} acts on the channels, and no axis of {x} is the channels", "axis", help)
        return x.axis
    if axis == "last":
        return len(x) - 1
    if axis >= len(x):
        message = f"{x} has no axis {axis}"
        raise OpError("E217", message, "axis", f"axes count from 0, and the last is {len(x) - 1}")
    return axis


def axes_of(x: Shape, axes: AxisChoices, op: str) -> tuple[int, ...]:
    """Return the numbers of the axes that are meant, each once.

    Errors: E217 there is no such axis, or it is named twice; E225 no axis is the channels
    """
    if axes == "all":
        return tuple(range(len(x)))
    if axes == "positions":
        channels = axis_of(x, "channels", op)
        found = tuple(place for place in range(len(x)) if place != channels)
        if not found:
            raise OpError("E217", f"{op} acts on positions, and {x} has none", "axis", "place it before `flatten`")
        return found
    if not isinstance(axes, tuple):
        return (axis_of(x, axes, op),)
    places = tuple(axis_of(x, axis, op) for axis in axes)
    twice = next((place for place in places if places.count(place) > 1), None)
    if twice is not None:
        raise OpError("E217", f"{op} names axis {twice} of {x} twice", "axis", "name each axis once")
    return places


def replaced(x: Shape, at: int, sizes: Sequence[Size]) -> Shape:
    """Return the shape with other axes, or none, in the place of one.

    The channels stay what they are unless that one gave way. Then none of the axes is them, but for channels that come
    first, where no pattern named them, and for a vector.
    """
    every = (*x[:at], *sizes, *x[at + 1 :])
    axis = x.axis
    if axis is not None and axis > at:
        axis += len(sizes) - 1
    elif axis == at and len(sizes) != 1:
        axis = None if axis or x.is_named else 0
    return Shape(*every) if len(every) == 1 else Shape(*every, axis=axis, is_named=x.is_named)


def sees_positions(x: Shape, places: Sequence[int]) -> bool:
    """Return whether what mixes these axes mixes positions of an image, or what may have been made of them."""
    return len(x) != 3 or any(place in (1, 2) for place in places)


def torch_axes(places: Sequence[int]) -> int | tuple[int, ...]:
    """Return axes as torch counts them, the batch first; one as a number."""
    counted_on = tuple(place + 1 for place in places)
    return counted_on[0] if len(counted_on) == 1 else counted_on


def torch_axis(x: Shape, axis: AxisChoice | None, op: str) -> int:
    """Return the number of the axis as torch counts, which counts the batch too."""
    return -1 if axis == "last" else axis_of(x, axis, op) + 1


def counted(x: Shape, axis: int) -> str:
    """Say how long an axis is: `96 channels`, or `56 places along axis 0`."""
    return f"{x[axis]} channels" if x.axis == axis else f"{x[axis]} places along axis {axis} of {x}"


def agreed(op: str, inputs: Sequence[Shape]) -> Shape:
    """Return the first of several shapes whose axes lie upon each other, with the channels where these have them.

    A shape that comes with its channels first says nothing where another's are named, or were moved.

    Errors: E225 two patterns named channels in different axes
    """
    first = inputs[0]
    said = {(x.axis, x.is_named) for x in inputs} - {(0, False)}
    if not said:
        return first
    named = {axis for axis, is_named in said if is_named and axis is not None}
    if len(named) > 1:
        shown = " and ".join(f"axis {x.axis} of {x}" for x in inputs if x.is_named and x.axis is not None)
        message = f"{op} joins branches whose channels are different axes: {shown}"
        raise OpError("E225", message, help="bring one of them to the other's order by `rearrange`")
    places = named or {axis for axis, _ in said if axis is not None}
    axis = next(iter(places)) if len(places) == 1 else None
    return Shape(*first, axis=axis, is_named=bool(named) or (axis is None and any(is_named for _, is_named in said)))


def multiplied(sizes: Sequence[Size], inputs: Sequence[Shape], kept: Sequence[Sequence[int | None]]) -> Shape:
    """Return the shape of a product of tensors, whose channels are those of either that are not summed over.

    `kept` says for each axis of each input which axis of the product it is, None where it is summed over. Where both
    bring channels of their own, or none are left, no axis is the channels.
    """
    said = [(x, places) for x, places in zip(inputs, kept, strict=True) if (x.axis, x.is_named) != (0, False)]
    if not said or len(sizes) == 1:
        return Shape(*sizes)
    left = {places[x.axis] for x, places in said if x.axis is not None} - {None}
    return Shape(*sizes, axis=left.pop() if len(left) == 1 else None, is_named=any(x.is_named for x, _ in said))


def along(axis: AxisChoice | None) -> tuple[Term, ...]:
    """Return what figures say of the axis that a step acts on, where it says so itself."""
    if axis is None or axis == "channels":
        return ()
    return (Term(", last axis"),) if axis == "last" else (Term(", axis {0}", axis),)
