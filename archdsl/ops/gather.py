"""Elements by their places along an axis: chosen ones, and all of them moved round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, TypeAlias, cast, final

from pydantic import BeforeValidator

from archdsl.ops.arithmetic import step
from archdsl.ops.axes import AxisChoice, AxisChoices, axes_of, axis_of, replaced, sees_positions, torch_axes
from archdsl.ops.base import POINT, Category, KeptPart, Op, OpError, TorchCall, Window, as_tuple
from archdsl.ops.description import Term, by
from archdsl.ops.nested import as_nested, leaves, table_sizes
from archdsl.ops.shape import Shape


def _check_places(value: object) -> object:
    places = list(leaves(value))
    if not places or not all(type(place) is int and place >= 0 for place in places):
        raise ValueError("it should be a place from 0, or a list of them")
    return value


# A place from 0, or a list of places, which may nest.
ChosenPlaces: TypeAlias = Annotated[int | tuple[Any, ...], BeforeValidator(_check_places), BeforeValidator(as_nested)]


@final
class IndexSelect(Op):
    """Take the elements at given places of an axis.

    Shape:  the axis gives way to those of the list: none for one place, several for a list that nests
    Cost:   none
    Errors: E216 rows of several lengths; E217 the axis does not reach that far, or none would be left;
            E225 no axis is the channels
    Source: torch.index_select, torch.select; the relative positions of Liu et al. 2021, Swin Transformer, section 3.2

    >>> IndexSelect(places=((0, 1), (2, 0)), axis=0).infer_shape([Shape(3, 8)])
    Shape(2, 2, 8)
    >>> IndexSelect(places=0, axis=0).infer_shape([Shape(197, 768)])
    Shape(768)
    """

    keyword: ClassVar[str] = "index"
    category: ClassVar[Category] = "shape"
    edition: ClassVar[int] = 2
    follows_channels: ClassVar[bool] = True

    places: ChosenPlaces
    """Which places, counted from 0."""
    axis: AxisChoice | None = None
    """Along which axis; unset, the channels."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        at, found = axis_of(x, self.axis, self.keyword), table_sizes(self.places)
        if found is None:
            raise OpError("E216", "the rows of the list have several lengths", "places", "make them equally long")
        furthest = max(cast("Iterator[int]", leaves(self.places)))
        if x[at] <= furthest:
            message = f"place {furthest} is out of range of axis {at} of {x}"
            raise OpError("E217", message, "places", f"places go from 0 to {x[at] - 1}")
        if len(x) == 1 and not found:
            help = f"write `{self.keyword} [{self.places}]`, which keeps an axis of size 1"
            raise OpError("E217", f"one place of {x} leaves no axis", "places", help)
        return replaced(x, at, found)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, Window] | None:
        (x,) = inputs
        is_map = len(table_sizes(self.places) or ()) == 1
        return POINT if is_map and not sees_positions(x, (axis_of(x, self.axis, self.keyword),)) else None

    def kept_part(self, inputs: Sequence[Shape]) -> KeptPart | None:
        if not isinstance(self.places, tuple) or not isinstance(self.places[0], int):
            return None
        whole = range(self.places[0], self.places[0] + len(self.places))
        return KeptPart(axis_of(inputs[0], self.axis, self.keyword), whole) if self.places == tuple(whole) else None

    def is_view(self, *, in_training: bool) -> bool:
        return isinstance(self.places, int)

    def describe(self) -> tuple[Term, ...]:
        sizes = table_sizes(self.places)
        return (Term(f"index {by(sizes)}" if sizes else f"index {self.places}"),)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        dim = axis_of(inputs[0], self.axis, self.keyword) + 1
        return step("torch.select", dim, self.places) if isinstance(self.places, int) else self._table(dim)

    def _table(self, dim: int) -> TorchCall:
        return TorchCall("IndexSelect", (self.places,), {} if dim == 1 else {"dim": dim})


@final
class Roll(Op):
    """Move the elements round along some axes: what leaves at the end comes in at the beginning.

    Shape:  unchanged
    Cost:   none
    Errors: E217 there is no such axis; E223 another number of steps than of axes
    Source: torch.roll; the shifted windows of Liu et al. 2021, Swin Transformer, section 3.2

    >>> Roll(by=(-3, -3), axis=(1, 2)).to_torch([Shape(96, 56, 56)]).kwargs
    {'shifts': (-3, -3), 'dims': (2, 3)}
    """

    keyword: ClassVar[str] = "roll"
    category: ClassVar[Category] = "shape"
    edition: ClassVar[int] = 2

    by: Annotated[int | tuple[int, ...], BeforeValidator(as_tuple)]
    """How many places, towards the end; one number for all axes, or one for each."""
    axis: AxisChoices
    """Along which axes: numbers from 0, `channels`, `last`, `positions` (all but the channels), `all`, or a list."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        self._steps(inputs[0])
        return inputs[0]

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def changes_nothing(self) -> bool:
        return not any(self.by) if isinstance(self.by, tuple) else self.by == 0

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, Window] | None:
        (x,) = inputs
        return None if sees_positions(x, axes_of(x, self.axis, self.keyword)) else POINT

    def keeps_constants(self) -> bool:
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        return not any(axis in (0, "channels", "all") for axis in axes) or self.changes_nothing()

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        places = axes_of(inputs[0], self.axis, self.keyword)
        by = self._steps(inputs[0])
        return step("torch.roll", shifts=by[0] if len(by) == 1 else by, dims=torch_axes(places))

    def _steps(self, x: Shape) -> tuple[int, ...]:
        places = axes_of(x, self.axis, self.keyword)
        steps = self.by if isinstance(self.by, tuple) else (self.by,) * len(places)
        if len(steps) != len(places):
            message = f"{len(steps)} numbers of places for {len(places)} axes"
            raise OpError("E223", message, "by", "give one number for all axes, or one for each")
        return steps
