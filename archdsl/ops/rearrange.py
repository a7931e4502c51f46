"""Moving elements about: flattening, cutting, padding, and trading channels for positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, TypeAlias, final

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveInt

from archdsl.ops.axes import AxisChoice, along, axis_of, counted, torch_axis
from archdsl.ops.base import Category, KeptPart, Op, OpError, TorchCall, ValueAt, Window, as_tuple, feature_map
from archdsl.ops.conv import check_reflection
from archdsl.ops.description import Term, by
from archdsl.ops.shape import Shape, differ, product, reread


@final
class Input(Op):
    """Stand for the network's input.

    Shape:  `shape`, channels first, without the batch
    Cost:   none
    Errors: none
    Source: the spec's `input` line

    >>> Input(shape=(3, 224, 224)).infer_shape([])
    Shape(3, 224, 224)
    """

    keyword: ClassVar[str] = "input"
    category: ClassVar[Category] = "input"

    shape: Annotated[tuple[PositiveInt, ...], BeforeValidator(as_tuple), Field(min_length=1, max_length=4)]
    """Sizes of the axes after the batch: [C, H, W] for an image."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return Shape(*self.shape)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def describe(self) -> tuple[Term, ...]:
        return (Term(f"input {by(self.shape)}"),)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        raise AssertionError("the input is the argument of forward, not a call")


@final
class Flatten(Op):
    """Merge neighbouring axes into one, by default all of them.

    Shape:  (C, H, W) -> (C*H*W,)
    Cost:   none
    Errors: E217 there are no such axes
    Source: torch.flatten, whose axes count the batch and are one more

    >>> Flatten().infer_shape([Shape(512, 7, 7)])
    Shape(25088)
    """

    keyword: ClassVar[str] = "flatten"
    category: ClassVar[Category] = "shape"
    shares_memory: ClassVar[bool] = True
    is_aside: ClassVar[bool] = True

    start: NonNegativeInt = 0
    """First axis to merge; 0 is the channels."""
    end: NonNegativeInt | None = None
    """Last axis to merge; unset, the last there is."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        last = len(x) - 1 if self.end is None else self.end
        if not self.start <= last < len(x):
            message = f"{x} has no axes {self.start} to {last}"
            attribute = "start" if self.end is None else "end"
            raise OpError("E217", message, attribute, "axes count from 0, the channels")
        return reread(x, (*x[: self.start], product(x[self.start : last + 1]), *x[last + 1 :]))

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def changes_nothing(self) -> bool:
        return self.start == self.end

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        axes = (self.start + 1,) if self.end is None else (self.start + 1, self.end + 1)
        stateless_module = TorchCall("nn.Flatten", () if axes == (1,) else axes)
        return TorchCall("torch.flatten", axes, kind="function", stateless_module=stateless_module)


@final
class Slice(Op):
    """Keep `size` channels from `start` on, or as many places along another axis.

    Shape:  (C, ...) -> (size, ...)
    Cost:   none
    Errors: E217 the axis does not reach that far, or there is none; E225 no axis is the channels
    Source: torch.Tensor.narrow

    >>> Slice(start=58, size=58).infer_shape([Shape(116, 28, 28)])
    Shape(58, 28, 28)
    """

    keyword: ClassVar[str] = "slice"
    category: ClassVar[Category] = "shape"
    shares_memory: ClassVar[bool] = True
    follows_channels: ClassVar[bool] = True

    start: NonNegativeInt
    """First channel kept."""
    size: PositiveInt
    """How many channels are kept."""
    axis: AxisChoice | None = None
    """Along which axis; unset, the channels."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        at = axis_of(x, self.axis, self.keyword)
        end = self.start + self.size
        if x[at] < end:
            word = "channel" if x.axis == at else "place"
            message = f"{word}s {self.start} to {end - 1} are out of range of {counted(x, at)}"
            raise OpError("E217", message, "size", f"end at {word} {x[at] - 1} or before")
        return x.with_sizes((*x[:at], self.size, *x[at + 1 :]))

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def describe(self) -> tuple[Term, ...]:
        return (Term("slice {0}", self.start), Term(" + {0}", self.size), *along(self.axis))

    def kept_part(self, inputs: Sequence[Shape]) -> KeptPart:
        return KeptPart(axis_of(inputs[0], self.axis, self.keyword), range(self.start, self.start + self.size))

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        dim = torch_axis(inputs[0], self.axis, self.keyword)
        stateless_module = TorchCall("Slice", (self.start, self.size), {"dim": dim} if dim != 1 else {})
        return TorchCall("narrow", (dim, self.start, self.size), kind="method", stateless_module=stateless_module)


@final
class Reshape(Op):
    """Read the elements, in order, as a tensor of other sizes.

    Shape:  (...) -> sizes, where one -1 stands for what remains
    Cost:   none
    Errors: E216 the sizes hold another number of elements, or more than one is unknown
    Source: torch.Tensor.reshape, of each image by itself

    >>> Reshape(sizes=(64, -1)).infer_shape([Shape(64, 7, 7)])
    Shape(64, 49)
    """

    keyword: ClassVar[str] = "reshape"
    category: ClassVar[Category] = "shape"
    shares_memory: ClassVar[bool] = True

    sizes: Annotated[tuple[PositiveInt | Literal[-1], ...], BeforeValidator(as_tuple), Field(min_length=1)]
    """Sizes after the batch."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        known = product(size for size in self.sizes if size != -1)
        assert isinstance(known, int)
        shown = f"[{', '.join(map(str, self.sizes))}]"
        if self.sizes.count(-1) > 1:
            raise OpError("E216", f"{shown} leaves more than one size open", "sizes", "write -1 once at most")
        if x.elements % known if -1 in self.sizes else differ(x.elements, known):
            message = f"the {x.elements} elements of {x} do not fit {shown}"
            raise OpError("E216", message, "sizes", "use sizes whose product is the number of elements")
        return reread(x, [x.elements // known if size == -1 else size for size in self.sizes])

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None

    def describe(self) -> tuple[Term, ...]:
        return (Term(f"reshape to {by(self.sizes)}"),)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("Reshape", self.sizes)


@final
class Permute(Op):
    """Reorder the axes after the batch.

    Shape:  (A, B, C) -> (C, A, B) for the order (2, 0, 1)
    Cost:   none
    Errors: E216 the order does not name every axis once
    Source: torch.permute, whose axes count the batch and are one more

    >>> Permute(order=(1, 2, 0)).infer_shape([Shape(96, 56, 28)])
    Shape(56, 28, 96, axis=2)
    """

    keyword: ClassVar[str] = "permute"
    category: ClassVar[Category] = "shape"
    shares_memory: ClassVar[bool] = True

    order: Annotated[tuple[NonNegativeInt, ...], BeforeValidator(as_tuple), Field(min_length=1)]
    """Which axis comes at each place, counted from 0, the channels."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        if sorted(self.order) != list(range(len(x))):
            message = f"the order {list(self.order)} does not name each of the {len(x)} axes of {x} once"
            raise OpError("E216", message, "order", f"use each of 0 to {len(x) - 1} once")
        moved = None if x.axis is None else self.order.index(x.axis)
        return Shape(*(x[axis] for axis in self.order), axis=moved, is_named=x.is_named)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def changes_nothing(self) -> bool:
        return self.order == tuple(range(len(self.order)))

    def axis_order(self) -> tuple[int, ...]:
        return self.order

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        order = (0, *(axis + 1 for axis in self.order))
        return TorchCall("permute", order, kind="method", stateless_module=TorchCall("Permute", order))


def _sides(value: object) -> object:
    match as_tuple(value):
        case int() as size if not isinstance(size, bool):
            return (size, size, size, size)
        case (int() as rows, int() as columns):
            return (rows, rows, columns, columns)
        case sides:
            return sides


_PadMode: TypeAlias = Literal["constant", "reflect", "replicate", "circular"]


@final
class Pad(Op):
    """Add rows, columns and channels around a map.

    Shape:  (C, H, W) -> (front + C + back, top + H + bottom, left + W + right), or (C, H', W') of `like`;
            half of the difference, rounded down, is then at the top and at the left
    Cost:   none
    Errors: E212 not a feature map; E215 reflected padding as large as the input; E223 a mode other
            than "constant" with channels or a value; `like` with sizes, channels or such a mode
    Source: torch.nn.functional.pad; with `channels`, shortcut A of He et al. 2016, section 3.3

    >>> Pad(size=(1, 2), channels=(8, 8)).infer_shape([Shape(16, 32, 32)])
    Shape(32, 34, 36)
    """

    keyword: ClassVar[str] = "pad"
    category: ClassVar[Category] = "shape"

    size: Annotated[tuple[NonNegativeInt, NonNegativeInt, NonNegativeInt, NonNegativeInt], BeforeValidator(_sides)] = (
        0,
        0,
        0,
        0,
    )
    """Rows and columns added at the top, bottom, left and right; or two numbers, or one."""
    mode: _PadMode = "constant"
    """What is added: a value, or the map reflected, its border repeated, or its other end."""
    value: float = 0.0
    """What `constant` adds."""
    channels: Annotated[tuple[NonNegativeInt, NonNegativeInt], BeforeValidator(as_tuple)] = (0, 0)
    """Channels of `value` added in front and behind."""
    like: ValueAt | None = None
    """A value whose height and width the result gets: on all sides alike, what is missing is added, or too much cut."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        x = inputs[0]
        channels, height, width = feature_map(x, self.keyword)
        top, bottom, left, right = self.size
        if self.like:
            self._check_like()
            return Shape(channels, *feature_map(inputs[self.like.input], self.keyword)[1:])
        if self.mode != "constant":
            self._check_mode()
            check_reflection(x, 1, max(top, bottom), self.mode, "size")
            check_reflection(x, 2, max(left, right), self.mode, "size")
        return Shape(channels + sum(self.channels), height + top + bottom, width + left + right)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, Window] | None:
        if self.like:
            rows, columns = (other - own for own, other in zip(inputs[0][1:], inputs[self.like.input][1:], strict=True))
            if not isinstance(rows, int) or not isinstance(columns, int):
                return None  # which input an output sees depends on the image
            return Window(padding=rows // 2), Window(padding=columns // 2)
        return Window(padding=self.size[0]), Window(padding=self.size[2])

    def changes_nothing(self) -> bool:
        return not any((*self.size, *self.channels)) and self.like is None

    def keeps_constants(self) -> bool:
        return self.repeats_border() or self.changes_nothing()

    def repeats_border(self) -> bool:
        return self.mode != "constant"

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        if self.like:
            return TorchCall("PadLike", (self.value,) if self.value else ())
        top, bottom, left, right = self.size
        sides = (left, right, top, bottom, *(self.channels if any(self.channels) else ()))
        mode = {} if self.mode == "constant" else {"mode": self.mode}
        value = {"value": self.value} if self.value else {}
        return TorchCall("F.pad", (sides,), {**mode, **value}, kind="function", stateless_module=self._module(sides))

    def _check_like(self) -> None:
        given = next((name for name in ("size", "channels") if any(getattr(self, name))), None)
        if given:
            raise OpError("E223", f"pad takes `{given}` or `like`, not both", given, "drop one of them")
        if self.mode != "constant":
            raise OpError("E223", f"mode {self.mode} takes a size, not `like`", "mode", "use mode=constant, or a size")

    def _check_mode(self) -> None:
        if any(self.channels):
            message = f"mode {self.mode} adds rows and columns, not channels"
            raise OpError("E223", message, "channels", "use mode=constant, or a second pad for the channels")
        if self.value:
            raise OpError("E223", f"mode {self.mode} takes no value", "value", "drop it, or use mode=constant")

    def _module(self, sides: tuple[int, ...]) -> TorchCall:
        if self.mode == "constant":
            # The three-dimensional form takes the channels for depth, and a batch of maps for one volume.
            target = "nn.ConstantPad3d" if len(sides) == 6 else "nn.ConstantPad2d"
            return TorchCall(target, (sides, self.value))
        names = {
            "reflect": "nn.ReflectionPad2d",
            "replicate": "nn.ReplicationPad2d",
            "circular": "nn.CircularPad2d",
        }
        return TorchCall(names[self.mode], (sides,))


@final
class Crop(Op):
    """Cut rows and columns off a map's sides.

    Shape:  (C, H, W) -> (C, H - top - bottom, W - left - right)
    Cost:   none
    Errors: E212 not a feature map; E217 nothing of the map is left
    Source: torch.nn.functional.pad with negative sizes; Ronneberger et al. 2015, U-Net, section 2

    >>> Crop(size=4).infer_shape([Shape(512, 64, 64)])
    Shape(512, 56, 56)
    """

    keyword: ClassVar[str] = "crop"
    category: ClassVar[Category] = "shape"

    size: Annotated[tuple[NonNegativeInt, NonNegativeInt, NonNegativeInt, NonNegativeInt], BeforeValidator(_sides)]
    """Rows and columns cut off at the top, bottom, left and right; or two numbers, or one."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, height, width = feature_map(inputs[0], self.keyword)
        top, bottom, left, right = self.size
        cropped = Shape(channels, height - top - bottom, width - left - right)
        if cropped[1] < 1 or cropped[2] < 1:
            message = f"cropping {inputs[0]} by {list(self.size)} leaves {cropped}"
            raise OpError("E217", message, "size", "cut off less, or take a larger image")
        return cropped

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return 0

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, Window]:
        return Window(padding=-self.size[0]), Window(padding=-self.size[2])

    def changes_nothing(self) -> bool:
        return not any(self.size)

    def keeps_constants(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        top, bottom, left, right = self.size
        sides = (-left, -right, -top, -bottom)
        return TorchCall("F.pad", (sides,), kind="function", stateless_module=TorchCall("nn.ZeroPad2d", (sides,)))
