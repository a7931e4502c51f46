"""Convolutions: ordinary, depthwise and transposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd
from typing import ClassVar, Literal, TypeAlias, final

from pydantic import PositiveInt

from archdsl.ops import description
from archdsl.ops.base import (
    MOST_PHASES,
    Category,
    Init,
    LinearMap,
    NonNegativePair,
    Op,
    OpError,
    Pair,
    Tensor,
    TorchCall,
    Window,
    feature_map,
    half_padding,
)
from archdsl.ops.description import Term
from archdsl.ops.init import VectorInit, initial_values
from archdsl.ops.shape import Shape, Size, ceil_divide

PaddingMode: TypeAlias = Literal["zeros", "reflect", "replicate", "circular"]
# None keeps the size at stride 1 for odd kernels; "same" gives ceil(size / stride) for every kernel.
Padding: TypeAlias = NonNegativePair | Literal["same", "valid"] | None

SLIDING_ALIASES = {"k": "kernel", "s": "stride", "p": "padding", "d": "dilation"}


def squared(pair: tuple[int, int]) -> int | tuple[int, int]:
    """Write a pair as people do: one number where both axes have the same."""
    return pair[0] if pair[0] == pair[1] else pair


def by_name(pair: tuple[int, int]) -> str:
    """Name a window's extent in a message: `3x3`."""
    return f"{pair[0]}x{pair[1]}"


def same_window(size: Size, kernel: int, stride: int, dilation: int) -> Window:
    """Return the window along an axis that gives ceil(size / stride) outputs, as TensorFlow's padding "same" does."""
    # An image of unknown size counts as a multiple of the stride, the usual case.
    remainder = size % stride if isinstance(size, int) else 0
    missing = max(dilation * (kernel - 1) + 1 - (remainder or stride), 0)
    return Window(kernel, stride, missing // 2, dilation)


@final
class Conv2d(Op):
    """Slide `channels` learned filters over a feature map.

    Shape:  (C, H, W) -> (channels, H', W') with H' = (H + 2*padding - dilation*(kernel-1) - 1)//stride + 1,
            and H' = ceil(H/stride) for padding "same"
    Cost:   parameters = channels * C/groups * kernel**2; macs = parameters * H' * W'; a bias adds `channels`
            parameters and one addition per output element
    Errors: E210 groups do not divide the channels; E211 the window exceeds its padded input;
            E212 not a feature map; E215 reflected padding as large as the input;
            E218 padding "same" with a stride, but not with zeros
    Source: torch.nn.Conv2d, with the bias off because a norm follows; strided "same" as in TensorFlow

    >>> Conv2d(channels=64, kernel=7, stride=2).infer_shape([Shape(3, 224, 224)])
    Shape(64, 112, 112)
    """

    keyword: ClassVar[str] = "conv"
    category: ClassVar[Category] = "conv"
    aliases: ClassVar[Mapping[str, str]] = {**SLIDING_ALIASES, "g": "groups"}
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    channels: PositiveInt
    """Output channels, one per filter."""
    kernel: Pair = (3, 3)
    """Filter height and width."""
    stride: Pair = (1, 1)
    """Steps between windows."""
    padding: Padding = None
    """Rows and columns added on each side, or how many is worked out; unset, half an odd kernel's reach."""
    dilation: Pair = (1, 1)
    """Steps between the taps of a filter."""
    groups: PositiveInt = 1
    """Sets of channels convolved apart."""
    bias: bool = False
    """Whether a learned constant is added to each output channel."""
    padding_mode: PaddingMode = "zeros"
    """What the padding holds."""
    init: Init | None = None
    """Initial values of the filters."""
    bias_init: VectorInit | None = None
    """Initial values of the bias."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        channels, _, _ = feature_map(x, self.keyword)
        self._check_groups(channels)
        if self.padding_mode != "zeros":
            self._check_padding(x)
        height, width = self._sizes(x)
        if height < 1 or width < 1:
            windows = self.windows(inputs)
            reach = (
                windows[0].dilation * (windows[0].kernel - 1) + 1,
                windows[1].dilation * (windows[1].kernel - 1) + 1,
            )
            padded = (
                "" if self.padding == "valid" else f" padded by {by_name((windows[0].padding, windows[1].padding))}"
            )
            message = f"a {by_name(reach)} window does not fit into {x}{padded}"
            raise OpError("E211", message, "kernel", "use a smaller kernel, or shrink the image less before it")
        return Shape(self.channels, height, width)

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        channels = inputs[0].numbers()[0]
        weight = Tensor("weight", (self.channels, channels // self.groups, *self.kernel))
        return (weight, Tensor("bias", (self.channels,))) if self.bias else (weight,)

    def macs(self, inputs: Sequence[Shape]) -> int:
        height, width = self._sizes(inputs[0])
        assert isinstance(height, int)
        assert isinstance(width, int)
        return self.state(inputs)[0].elements * height * width

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return super().elementwise(inputs) if self.bias else 0

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, Window]:
        return self._window(0, inputs[0][1]), self._window(1, inputs[0][2])

    def linear_map(self, inputs: Sequence[Shape]) -> LinearMap:
        return LinearMap(groups=self.groups)

    def initial(self) -> Mapping[str, Init]:
        return initial_values(self.init, self.bias_init if self.bias else None)

    def _torch_padding(self) -> int | tuple[int, int] | str:
        """Return torch's argument: numbers where both sides get as much, since "same" is slower and exports worse."""
        if self.padding != "same":
            return squared(self._explicit_padding())
        missing = [d * (k - 1) for d, k in zip(self.dilation, self.kernel, strict=True)]
        return "same" if any(total % 2 for total in missing) else squared((missing[0] // 2, missing[1] // 2))

    def repeats_border(self) -> bool:
        return self.padding_mode != "zeros"

    def describe(self) -> tuple[Term, ...]:
        channels = Term(", {0}", self.channels)
        tail = (Term(", {0} groups", self.groups, 1), description.dilation(self.dilation))
        return (description.window(self.kernel, "conv"), channels, description.stride(self.stride), *tail)

    def channel_groups(self) -> int:
        return self.groups

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        channels = inputs[0].numbers()[0]
        is_strided_same = self.padding == "same" and self.stride != (1, 1)
        padding = self._torch_padding()
        options: dict[str, tuple[object, object]] = {
            "stride": (squared(self.stride), 1),
            "padding": (0 if is_strided_same else padding, 0),
            "dilation": (squared(self.dilation), 1),
            "groups": (self.groups, 1),
            "bias": (self.bias, True),
            "padding_mode": (self.padding_mode, "zeros"),
        }
        changed = {name: value for name, (value, default) in options.items() if value != default}
        target = "Conv2dSame" if is_strided_same else "nn.Conv2d"
        return TorchCall(target, (channels, self.channels, squared(self.kernel)), changed)

    def _sizes(self, x: Shape) -> tuple[Size, Size]:
        """Return how many windows there are along both axes."""
        (_, height, width), (rows, columns) = x, self.stride
        if self.padding == "same":
            return ceil_divide(height, rows), ceil_divide(width, columns)
        (top, left), (high, wide) = self._explicit_padding(), self.kernel
        down, across = self.dilation
        return (
            (height + (2 * top - down * (high - 1) - 1)) // rows + 1,
            (width + (2 * left - across * (wide - 1) - 1)) // columns + 1,
        )

    def _check_groups(self, channels: Size) -> None:
        if self.groups == 1 or (not channels % self.groups and not self.channels % self.groups):
            return
        message, marker = _undivided(self.groups, channels, self.channels)
        divisors = [n for n in range(1, 65) if not channels % n and not self.channels % n]
        raise OpError("E210", message, "groups", f"use groups={_either(divisors)}", marker)

    def _check_padding(self, x: Shape) -> None:
        if self.padding_mode == "replicate":
            return
        if self.padding == "same" and self.stride != (1, 1):
            strides = by_name(self.stride)
            message = f"padding=same with stride {strides} pads with zeros, not in mode {self.padding_mode}"
            raise OpError("E218", message, "padding_mode", "give the padding as a number")
        for axis, window in enumerate(self.windows([x])):
            span = window.dilation * (window.kernel - 1)
            largest = span - span // 2 if self.padding == "same" else window.padding
            check_reflection(x, axis + 1, largest, self.padding_mode, "padding")

    def _explicit_padding(self) -> tuple[int, int]:
        if isinstance(self.padding, tuple):
            return self.padding
        if self.padding == "valid":
            return 0, 0
        return half_padding(self.kernel[0], self.dilation[0]), half_padding(self.kernel[1], self.dilation[1])

    def _window(self, axis: int, size: Size) -> Window:
        kernel, stride, dilation = self.kernel[axis], self.stride[axis], self.dilation[axis]
        if self.padding != "same":
            return Window(kernel, stride, self._explicit_padding()[axis], dilation)
        return same_window(size, kernel, stride, dilation)


@final
class DepthwiseConv2d(Op):
    """Slide `multiplier` filters over each channel by itself.

    Shape:  (C, H, W) -> (multiplier*C, H', W') with H' as for `conv`
    Cost:   parameters = multiplier * C * kernel**2; macs = parameters * H' * W'
    Errors: E211, E212, E215, E218 as for `conv`
    Source: torch.nn.Conv2d with groups = C; Howard et al. 2017, MobileNets, section 3.1

    >>> DepthwiseConv2d(kernel=3, stride=2).infer_shape([Shape(32, 112, 112)])
    Shape(32, 56, 56)
    """

    keyword: ClassVar[str] = "dw"
    category: ClassVar[Category] = "conv"
    aliases: ClassVar[Mapping[str, str]] = SLIDING_ALIASES
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    kernel: Pair = (3, 3)
    """Filter height and width."""
    stride: Pair = (1, 1)
    """Steps between windows."""
    padding: Padding = None
    """Rows and columns added on each side, or how many is worked out; unset, half an odd kernel's reach."""
    dilation: Pair = (1, 1)
    """Steps between the taps of a filter."""
    multiplier: PositiveInt = 1
    """Filters per input channel."""
    bias: bool = False
    """Whether a learned constant is added to each output channel."""
    padding_mode: PaddingMode = "zeros"
    """What the padding holds."""
    init: Init | None = None
    """Initial values of the filters."""
    bias_init: VectorInit | None = None
    """Initial values of the bias."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, height, width = feature_map(inputs[0], self.keyword)
        known = channels if isinstance(channels, int) else 1
        _, rows, columns = self._as_conv(known).infer_shape([Shape(known, height, width)])
        return Shape(channels * self.multiplier, rows, columns)

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        return self._as_conv(inputs[0].numbers()[0]).state(inputs)

    def macs(self, inputs: Sequence[Shape]) -> int:
        return self._as_conv(inputs[0].numbers()[0]).macs(inputs)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return super().elementwise(inputs) if self.bias else 0

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, Window]:
        return self._as_conv(1).windows(inputs)

    def linear_map(self, inputs: Sequence[Shape]) -> LinearMap:
        return self._as_conv(inputs[0].numbers()[0]).linear_map(inputs)

    def initial(self) -> Mapping[str, Init]:
        return initial_values(self.init, self.bias_init if self.bias else None)

    def repeats_border(self) -> bool:
        return self.padding_mode != "zeros"

    def describe(self) -> tuple[Term, ...]:
        tail = (Term(", ×{0}", self.multiplier, 1), description.dilation(self.dilation))
        return (description.window(self.kernel, "depthwise conv"), description.stride(self.stride), *tail)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return self._as_conv(inputs[0].numbers()[0]).to_torch(inputs)

    def _as_conv(self, channels: int) -> Conv2d:
        return Conv2d.unchecked(
            channels=channels * self.multiplier,
            kernel=self.kernel,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=channels,
            bias=self.bias,
            padding_mode=self.padding_mode,
        )


@final
class ConvTranspose2d(Op):
    """Spread each input position over a window of a larger output: the transpose of a convolution.

    Shape:  (C, H, W) -> (channels, H', W') with
            H' = (H-1)*stride - 2*padding + dilation*(kernel-1) + output_padding + 1
    Cost:   parameters = C * channels/groups * kernel**2; macs = parameters * H * W (the input's size)
    Errors: E210 groups do not divide the channels; E211 padding removes the whole output;
            E212 not a feature map; E221 output_padding reaches both the stride and the dilation
    Source: torch.nn.ConvTranspose2d, with the bias off because a norm follows

    >>> ConvTranspose2d(channels=64, kernel=4, stride=2, padding=1).infer_shape([Shape(128, 14, 14)])
    Shape(64, 28, 28)
    """

    keyword: ClassVar[str] = "deconv"
    category: ClassVar[Category] = "conv"
    aliases: ClassVar[Mapping[str, str]] = {**SLIDING_ALIASES, "g": "groups"}
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    channels: PositiveInt
    """Output channels."""
    kernel: Pair = (2, 2)
    """Height and width of the window that one input position is spread over."""
    stride: Pair = (2, 2)
    """Output steps between the windows of neighbouring inputs."""
    padding: NonNegativePair = (0, 0)
    """Rows and columns cut from each side of the output."""
    output_padding: NonNegativePair = (0, 0)
    """Rows and columns added at the bottom and right of the output, to undo a stride's rounding."""
    dilation: Pair = (1, 1)
    """Steps between the taps of a filter."""
    groups: PositiveInt = 1
    """Sets of channels convolved apart."""
    bias: bool = False
    """Whether a learned constant is added to each output channel."""
    init: Init | None = None
    """Initial values of the filters."""
    bias_init: VectorInit | None = None
    """Initial values of the bias."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        (x,) = inputs
        channels, *sizes = feature_map(x, self.keyword)
        if channels % self.groups or self.channels % self.groups:
            message, marker = _undivided(self.groups, channels, self.channels)
            raise OpError("E210", message, "groups", "use a number that divides both", marker)
        for extra, stride, dilation in zip(self.output_padding, self.stride, self.dilation, strict=True):
            if extra >= max(stride, dilation):
                message = f"output_padding {extra} is not smaller than stride {stride} or dilation {dilation}"
                raise OpError("E221", message, "output_padding", f"use at most {max(stride, dilation) - 1}")
        height, width = (self._enlarged(axis, size) for axis, size in enumerate(sizes))
        if height < 1 or width < 1:
            sizes = Shape(self.channels, height, width)
            message = f"padding {by_name(self.padding)} leaves nothing of the output: {sizes}"
            raise OpError("E211", message, "padding", "use a smaller padding")
        return Shape(self.channels, height, width)

    def state(self, inputs: Sequence[Shape]) -> tuple[Tensor, ...]:
        channels = inputs[0].numbers()[0]
        weight = Tensor("weight", (channels, self.channels // self.groups, *self.kernel))
        return (weight, Tensor("bias", (self.channels,))) if self.bias else (weight,)

    def macs(self, inputs: Sequence[Shape]) -> int:
        _, height, width = inputs[0].numbers()
        return self.state(inputs)[0].elements * height * width

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return super().elementwise(inputs) if self.bias else 0

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, Window]:
        return self._window(0), self._window(1)

    def linear_map(self, inputs: Sequence[Shape]) -> LinearMap:
        return LinearMap(outputs=1, inputs=0, groups=self.groups)

    def initial(self) -> Mapping[str, Init]:
        return initial_values(self.init, self.bias_init if self.bias else None)

    def describe(self) -> tuple[Term, ...]:
        stride = description.stride(self.stride, ", ×{0}")
        return (description.window(self.kernel, "up-conv"), Term(", {0}", self.channels), stride)

    def channel_groups(self) -> int:
        return self.groups

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        options: dict[str, tuple[object, object]] = {
            "stride": (squared(self.stride), 1),
            "padding": (squared(self.padding), 0),
            "output_padding": (squared(self.output_padding), 0),
            "groups": (self.groups, 1),
            "bias": (self.bias, True),
            "dilation": (squared(self.dilation), 1),
        }
        changed = {name: value for name, (value, default) in options.items() if value != default}
        args = (inputs[0].numbers()[0], self.channels, squared(self.kernel))
        return TorchCall("nn.ConvTranspose2d", args, changed)

    def _enlarged(self, axis: int, size: Size) -> Size:
        reach = self.dilation[axis] * (self.kernel[axis] - 1)
        return (size - 1) * self.stride[axis] - 2 * self.padding[axis] + reach + self.output_padding[axis] + 1

    def _window(self, axis: int) -> Window:
        # Output i gathers the inputs j with 0 <= i + padding - j*stride <= reach: over all i with one
        # i//stride, these lie from `before` below it to `after` above it.
        reach, padding = self.dilation[axis] * (self.kernel[axis] - 1), self.padding[axis]
        before, after = (reach - padding) // self.stride[axis], -(-padding // self.stride[axis])
        return Window(kernel=before + after + 1, padding=before, up=self.stride[axis], ends=self._ends(axis))

    def _ends(self, axis: int) -> tuple[tuple[int, int], ...]:
        # Output i gathers the inputs j with i + padding = j*stride + t*dilation for a tap t < kernel.
        stride, dilation, found = self.stride[axis], self.dilation[axis], list[tuple[int, int]]()
        if stride > MOST_PHASES:
            return ()
        common = gcd(stride, dilation)
        period = stride // common  # of the taps that reach the same outputs
        inverse = pow(dilation // common, -1, period)
        for first in range(self.padding[axis], self.padding[axis] + stride):
            low = high = first // stride
            tap = first // common * inverse % period
            if first % common == 0 and tap < self.kernel[axis]:
                last = tap + (self.kernel[axis] - 1 - tap) // period * period
                low, high = (first - last * dilation) // stride, (first - tap * dilation) // stride
            found.append((low, high))
        return tuple(found)


def check_reflection(x: Shape, axis: int, padding: int, mode: str, attribute: str) -> None:
    """Raise E215 where padding repeats more positions than there are; a reflection spares the border."""
    size = x[axis]
    allowed = size - 1 if mode == "reflect" else size
    if mode in ("reflect", "circular") and allowed < padding:
        message = f"{mode} padding of {padding} needs more than the {size} positions of {x}"
        other = "mode" if attribute == "size" else "padding_mode"
        raise OpError("E215", message, attribute, f"use at most {allowed}, or {other}=replicate")


def _undivided(groups: int, before: Size, after: int) -> tuple[str, str]:
    """Say that groups do not divide the channels, of which those before may not be known."""
    if not isinstance(before, int):
        return f"{groups} groups do not divide {after} channels", f"must divide {after}"
    return f"{groups} groups do not divide {before} -> {after} channels", f"must divide {before} and {after}"


def _either(numbers: Sequence[int]) -> str:
    *others, last = map(str, numbers)
    return f"{', '.join(others)} or {last}" if others else last
