"""Pooling: windows that summarise instead of learn, and poolings to a fixed size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd, prod
from typing import ClassVar, Literal, TypeAlias, final

from pydantic import PositiveFloat

from archdsl.ops import description
from archdsl.ops.base import (
    Category,
    NonNegativePair,
    Op,
    OpError,
    Pair,
    TorchCall,
    Window,
    feature_map,
    half_padding,
    window_size,
)
from archdsl.ops.conv import SLIDING_ALIASES, by_name, same_window, squared
from archdsl.ops.description import Term
from archdsl.ops.shape import Shape, Size, ceil_divide

Windows: TypeAlias = tuple[Window, Window]
# None keeps the size at stride 1 for odd windows; "same" gives ceil(size / stride) for every window.
PoolPadding: TypeAlias = NonNegativePair | Literal["same"] | None


def ceil_window_size(size: Size, window: Window) -> Size:
    """Return how many windows cover an axis when a last, partial one counts too.

    Torch rounds (size + 2*padding - reach)/stride up, where reach = dilation*(kernel-1) + 1, and drops the
    last window if it starts in the padding on the right: the lesser of two ceilings, which is one ceiling.
    """
    reach = window.dilation * (window.kernel - 1) + 1
    return ceil_divide(size + window.padding + min(0, window.padding - reach + window.stride), window.stride)


def _pooled(op: str, x: Shape, windows: Windows, is_ceil: bool) -> Shape:
    channels, *sizes = feature_map(x, op)
    for window in windows:
        if 2 * window.padding > window.kernel:
            message = f"padding {window.padding} is more than half of the {window.kernel}-wide window"
            raise OpError("E215", message, "padding", f"use at most {window.kernel // 2}")
    height, width = map(ceil_window_size if is_ceil else window_size, sizes, windows)
    if height < 1 or width < 1:
        reach = by_name((_reach(windows[0]), _reach(windows[1])))
        padded = by_name((windows[0].padding, windows[1].padding))
        message = f"a {reach} window does not fit into {x} padded by {padded}"
        raise OpError("E211", message, "kernel", "use a smaller kernel, or shrink the image less before it")
    return Shape(channels, height, width)


def _pooled_to_same(op: str, x: Shape, stride: tuple[int, int], is_ceil: bool) -> Shape:
    channels, *sizes = feature_map(x, op)
    if is_ceil:
        raise OpError("E223", "padding=same leaves no partial window to count", "ceil", "drop one of the two")
    return Shape(channels, *map(ceil_divide, sizes, stride))


def _same_windows(
    x: Shape, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int] = (1, 1)
) -> Windows:
    rows, columns = map(same_window, x[1:3], kernel, stride, dilation)
    return rows, columns


def _reach(window: Window) -> int:
    return window.dilation * (window.kernel - 1) + 1


def _windows(kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]) -> Windows:
    return Window(kernel[0], stride[0], padding[0]), Window(kernel[1], stride[1], padding[1])


def _call(target: str, *args: object, **options: tuple[object, object]) -> TorchCall:
    """Build a call from positional arguments and (value, torch's default) pairs."""
    return TorchCall(target, args, {name: value for name, (value, default) in options.items() if value != default})


@final
class MaxPool2d(Op):
    """Keep the largest value of each window.

    Shape:  (C, H, W) -> (C, H', W') with H' = (H + 2*padding - dilation*(kernel-1) - 1)//stride + 1, or
            rounded up if `ceil`, without windows that start in the padding on the right;
            H' = ceil(H/stride) for padding "same"
    Cost:   no parameters; one comparison per window element
    Errors: E211 the window exceeds its padded input; E212 not a feature map;
            E215 padding above half the window; E223 `ceil` with padding "same"
    Source: torch.nn.MaxPool2d; "same" as in TensorFlow, whose padding is never the largest

    >>> MaxPool2d(kernel=3, stride=2).infer_shape([Shape(64, 112, 112)])
    Shape(64, 56, 56)
    """

    keyword: ClassVar[str] = "maxpool"
    category: ClassVar[Category] = "pool"
    aliases: ClassVar[Mapping[str, str]] = SLIDING_ALIASES
    saves: ClassVar[Literal["input", "output", "none"]] = "input"
    saves_places: ClassVar[bool] = True

    kernel: Pair
    """Window height and width."""
    stride: Pair | None = None
    """Steps between windows; unset, the kernel."""
    padding: PoolPadding = None
    """Rows and columns added on each side, or `same`; unset, half an odd kernel and none for an even one."""
    dilation: Pair = (1, 1)
    """Steps between the elements of a window."""
    ceil: bool = False
    """Whether a last, partial window counts."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        if self.padding == "same":
            return _pooled_to_same(self.keyword, inputs[0], self.stride or self.kernel, self.ceil)
        return _pooled(self.keyword, inputs[0], self.windows(inputs), self.ceil)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return super().elementwise(inputs) * prod(self.kernel)

    def windows(self, inputs: Sequence[Shape]) -> Windows:
        if self.padding == "same":
            return _same_windows(inputs[0], self.kernel, self.stride or self.kernel, self.dilation)
        windows = _windows(self.kernel, self.stride or self.kernel, _padding(self.padding, self.kernel))
        return windows[0]._replace(dilation=self.dilation[0]), windows[1]._replace(dilation=self.dilation[1])

    def keeps_constants(self) -> bool:
        return True

    def describe(self) -> tuple[Term, ...]:
        return (description.window(self.kernel, "max pool"), description.stride(self.stride or self.kernel))

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        if self.padding == "same":
            stride = (self.stride or self.kernel, self.kernel)
            return _call("MaxPool2dSame", self.kernel, stride=stride, dilation=(self.dilation, (1, 1)))
        return _call(
            "nn.MaxPool2d",
            squared(self.kernel),
            stride=(squared(self.stride or self.kernel), squared(self.kernel)),
            padding=(squared(_padding(self.padding, self.kernel)), 0),
            dilation=(squared(self.dilation), 1),
            ceil_mode=(self.ceil, False),
        )


@final
class AvgPool2d(Op):
    """Average each window.

    Shape:  (C, H, W) -> (C, H', W') with H' = (H + 2*padding - kernel)//stride + 1, or rounded up if `ceil`,
            without windows that start in the padding on the right; H' = ceil(H/stride) for padding "same"
    Cost:   no parameters; one addition per window element
    Errors: E211 the window exceeds its padded input; E212 not a feature map;
            E215 padding above half the window; E223 `ceil` with padding "same"
    Source: torch.nn.AvgPool2d; "same" as in TensorFlow

    >>> AvgPool2d(kernel=2).infer_shape([Shape(128, 56, 56)])
    Shape(128, 28, 28)
    """

    keyword: ClassVar[str] = "avgpool"
    category: ClassVar[Category] = "pool"
    aliases: ClassVar[Mapping[str, str]] = {"k": "kernel", "s": "stride", "p": "padding"}
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    kernel: Pair
    """Window height and width."""
    stride: Pair | None = None
    """Steps between windows; unset, the kernel."""
    padding: PoolPadding = None
    """Rows and columns added on each side, or `same`; unset, half an odd kernel and none for an even one."""
    ceil: bool = False
    """Whether a last, partial window counts."""
    count_padding: bool | None = None
    """Whether padding counts in the divisor of the average; unset, it does, but for that of `same`."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        if self.padding == "same":
            return _pooled_to_same(self.keyword, inputs[0], self.stride or self.kernel, self.ceil)
        return _pooled(self.keyword, inputs[0], self.windows(inputs), self.ceil)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return super().elementwise(inputs) * prod(self.kernel)

    def windows(self, inputs: Sequence[Shape]) -> Windows:
        if self.padding == "same":
            return _same_windows(inputs[0], self.kernel, self.stride or self.kernel)
        return _windows(self.kernel, self.stride or self.kernel, _padding(self.padding, self.kernel))

    def keeps_constants(self) -> bool:
        if not self._counts_padding():
            return True
        return self.kernel == (1, 1) if self.padding == "same" else not any(_padding(self.padding, self.kernel))

    def _counts_padding(self) -> bool:
        return self.padding != "same" if self.count_padding is None else self.count_padding

    def describe(self) -> tuple[Term, ...]:
        return (description.window(self.kernel, "avg pool"), description.stride(self.stride or self.kernel))

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        if self.padding == "same":
            stride, counts = (self.stride or self.kernel, self.kernel), (self._counts_padding(), False)
            return _call("AvgPool2dSame", self.kernel, stride=stride, count_padding=counts)
        return _call(
            "nn.AvgPool2d",
            squared(self.kernel),
            stride=(squared(self.stride or self.kernel), squared(self.kernel)),
            padding=(squared(_padding(self.padding, self.kernel)), 0),
            ceil_mode=(self.ceil, False),
            count_include_pad=(self._counts_padding(), True),
        )


@final
class LPPool2d(Op):
    """Take the root of the sum of powers of each window.

    Shape:  (C, H, W) -> (C, H', W') with H' = (H - kernel)//stride + 1, or rounded up if `ceil`
    Cost:   no parameters; one operation per window element
    Errors: E211 the window exceeds its input; E212 not a feature map
    Source: torch.nn.LPPool2d

    >>> LPPool2d(power=2, kernel=2).infer_shape([Shape(64, 56, 56)])
    Shape(64, 28, 28)
    """

    keyword: ClassVar[str] = "lppool"
    category: ClassVar[Category] = "pool"
    aliases: ClassVar[Mapping[str, str]] = {"k": "kernel", "s": "stride"}
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    power: PositiveFloat
    """The power that is summed: 1 sums, and a large one nears the largest value."""
    kernel: Pair
    """Window height and width."""
    stride: Pair | None = None
    """Steps between windows; unset, the kernel."""
    ceil: bool = False
    """Whether a last, partial window counts."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return _pooled(self.keyword, inputs[0], self.windows(inputs), self.ceil)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return super().elementwise(inputs) * prod(self.kernel)

    def windows(self, inputs: Sequence[Shape]) -> Windows:
        return _windows(self.kernel, self.stride or self.kernel, (0, 0))

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return _call(
            "nn.LPPool2d",
            self.power,
            squared(self.kernel),
            stride=(squared(self.stride or self.kernel), squared(self.kernel)),
            ceil_mode=(self.ceil, False),
        )


@final
class AdaptiveAvgPool2d(Op):
    """Average windows that cover the map, to a size that does not depend on the image.

    Shape:  (C, H, W) -> (C, *size)
    Cost:   no parameters; one addition per window element
    Errors: E212 not a feature map
    Source: torch.nn.AdaptiveAvgPool2d: output i averages rows floor(i*H/size) to ceil((i+1)*H/size)

    >>> AdaptiveAvgPool2d(size=7).infer_shape([Shape(512, 13, 13)])
    Shape(512, 7, 7)
    """

    keyword: ClassVar[str] = "adaptive_avgpool"
    category: ClassVar[Category] = "pool"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"

    size: Pair
    """Height and width afterwards."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return Shape(feature_map(inputs[0], self.keyword)[0], *self.size)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return _adaptive_elements(inputs[0], self.size)

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None

    def keeps_constants(self) -> bool:
        return True

    def describe(self) -> tuple[Term, ...]:
        return (Term(f"avg pool to {description.by(self.size)}"),)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.AdaptiveAvgPool2d", (squared(self.size),))


@final
class AdaptiveMaxPool2d(Op):
    """Keep the largest value of windows that cover the map, to a size that does not depend on the image.

    Shape:  (C, H, W) -> (C, *size)
    Cost:   no parameters; one comparison per window element
    Errors: E212 not a feature map
    Source: torch.nn.AdaptiveMaxPool2d, with the windows of `adaptive_avgpool`

    >>> AdaptiveMaxPool2d(size=7).infer_shape([Shape(512, 13, 13)])
    Shape(512, 7, 7)
    """

    keyword: ClassVar[str] = "adaptive_maxpool"
    category: ClassVar[Category] = "pool"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"
    saves_places: ClassVar[bool] = True

    size: Pair
    """Height and width afterwards."""

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return Shape(feature_map(inputs[0], self.keyword)[0], *self.size)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return _adaptive_elements(inputs[0], self.size)

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None

    def keeps_constants(self) -> bool:
        return True

    def describe(self) -> tuple[Term, ...]:
        return (Term(f"max pool to {description.by(self.size)}"),)

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.AdaptiveMaxPool2d", (squared(self.size),))


@final
class GlobalAvgPool2d(Op):
    """Average each channel over the image.

    Shape:  (C, H, W) -> (C, 1, 1)
    Cost:   no parameters; one addition per input element
    Errors: E212 not a feature map
    Source: torch.nn.AdaptiveAvgPool2d(1); Lin et al. 2014, Network in Network

    >>> GlobalAvgPool2d().infer_shape([Shape(2048, 7, 7)])
    Shape(2048, 1, 1)
    """

    keyword: ClassVar[str] = "gap"
    category: ClassVar[Category] = "pool"
    short_name: ClassVar[str] = "global avg pool"

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return Shape(feature_map(inputs[0], self.keyword)[0], 1, 1)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return prod(inputs[0].numbers())

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None

    def keeps_constants(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.AdaptiveAvgPool2d", (1,))


@final
class GlobalMaxPool2d(Op):
    """Keep the largest value of each channel over the image.

    Shape:  (C, H, W) -> (C, 1, 1)
    Cost:   no parameters; one comparison per input element
    Errors: E212 not a feature map
    Source: torch.nn.AdaptiveMaxPool2d(1)

    >>> GlobalMaxPool2d().infer_shape([Shape(2048, 7, 7)])
    Shape(2048, 1, 1)
    """

    keyword: ClassVar[str] = "gmp"
    category: ClassVar[Category] = "pool"
    saves: ClassVar[Literal["input", "output", "none"]] = "input"
    short_name: ClassVar[str] = "global max pool"
    saves_places: ClassVar[bool] = True

    def infer_shape(self, inputs: Sequence[Shape]) -> Shape:
        return Shape(feature_map(inputs[0], self.keyword)[0], 1, 1)

    def elementwise(self, inputs: Sequence[Shape]) -> int:
        return prod(inputs[0].numbers())

    def windows(self, inputs: Sequence[Shape]) -> None:
        return None

    def keeps_constants(self) -> bool:
        return True

    def to_torch(self, inputs: Sequence[Shape]) -> TorchCall:
        return TorchCall("nn.AdaptiveMaxPool2d", (1,))


def _padding(padding: tuple[int, int] | str | None, kernel: tuple[int, int]) -> tuple[int, int]:
    # Dilation does not widen it: torch allows half of the kernel at most.
    return padding if isinstance(padding, tuple) else (half_padding(kernel[0]), half_padding(kernel[1]))


def _adaptive_elements(x: Shape, size: tuple[int, int]) -> int:
    channels, *sizes = x.numbers()
    # Output i of m reads from i*n//m to the rounded-up (i + 1)*n/m; two neighbours share one where that is no whole.
    covered = (n + m - gcd(n, m) for n, m in zip(sizes, size, strict=True))
    return channels * prod(covered)
