"""Modules that torch lacks. The emitter copies those that a network needs; nothing imports this file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Conv2dSame(nn.Conv2d):
    """Convolve so that a stride s gives ceil(size / s), as TensorFlow does."""

    def forward(self, input: Tensor) -> Tensor:
        """Pad (N, C, H, W) with zeros, an odd row or column last, and convolve."""
        top, bottom = self._padding(input.shape[2], 0)
        left, right = self._padding(input.shape[3], 1)
        return super().forward(F.pad(input, (left, right, top, bottom)))

    def _padding(self, size: int, axis: int) -> tuple[int, int]:
        reach = self.dilation[axis] * (self.kernel_size[axis] - 1) + 1
        # The last window starts at the largest multiple of the stride inside the map.
        start = (size - 1) // self.stride[axis] * self.stride[axis]
        missing = max(start + reach - size, 0)
        return missing // 2, missing - missing // 2


class MaxPool2dSame(nn.Module):
    """Pool so that a stride s gives ceil(size / s), as TensorFlow does."""

    def __init__(
        self,
        kernel: tuple[int, int],
        stride: tuple[int, int] | None = None,
        dilation: tuple[int, int] = (1, 1),
    ) -> None:
        """Take heights and widths; the stride is the kernel where it is left out."""
        super().__init__()
        self.kernel = kernel
        self.stride = stride or kernel
        self.dilation = dilation

    def forward(self, x: Tensor) -> Tensor:
        """Pad (N, C, H, W) so that no padding is kept, an odd row or column last."""
        top, bottom = self._padding(x.shape[2], 0)
        left, right = self._padding(x.shape[3], 1)
        x = F.pad(x, (left, right, top, bottom), value=float("-inf"))
        return F.max_pool2d(x, self.kernel, self.stride, dilation=self.dilation)

    def _padding(self, size: int, axis: int) -> tuple[int, int]:
        reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1
        # The last window starts at the largest multiple of the stride inside the map.
        start = (size - 1) // self.stride[axis] * self.stride[axis]
        missing = max(start + reach - size, 0)
        return missing // 2, missing - missing // 2


class AvgPool2dSame(nn.Module):
    """Average so that a stride s gives ceil(size / s), as TensorFlow does."""

    def __init__(
        self,
        kernel: tuple[int, int],
        stride: tuple[int, int] | None = None,
        count_padding: bool = False,
    ) -> None:
        """Take heights and widths; the stride is the kernel where it is left out."""
        super().__init__()
        self.kernel = kernel
        self.stride = stride or kernel
        self.count_padding = count_padding

    def forward(self, x: Tensor) -> Tensor:
        """Pad (N, C, H, W) with zeros, an odd row or column last, and average."""
        top, bottom = self._padding(x.shape[2], 0)
        left, right = self._padding(x.shape[3], 1)
        sides = (left, right, top, bottom)
        means = F.avg_pool2d(F.pad(x, sides), self.kernel, self.stride)
        if self.count_padding:
            return means
        # The part of each window that lies inside the map.
        inside = F.pad(torch.ones_like(x[:1, :1]), sides)
        return means / F.avg_pool2d(inside, self.kernel, self.stride)

    def _padding(self, size: int, axis: int) -> tuple[int, int]:
        # The last window starts at the largest multiple of the stride inside the map.
        start = (size - 1) // self.stride[axis] * self.stride[axis]
        missing = max(start + self.kernel[axis] - size, 0)
        return missing // 2, missing - missing // 2


class FrozenBatchNorm2d(nn.Module):
    """Batch normalisation by statistics and factors that training leaves alone."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Scale and shift each channel of (N, C, H, W)."""
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale.reshape(1, -1, 1, 1) + shift.reshape(1, -1, 1, 1)


class Pinned(nn.Module):
    """Keeps a module in evaluation, whatever the mode of the network around it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.train()

    def train(self, mode: bool = True) -> nn.Module:
        """Stay in evaluation."""
        return super().train(False)


class TorchFunction(nn.Module):
    """Apply a function, as a step of a sequence."""

    def __init__(self, function: Callable[..., Tensor], *arguments: Any, **named: Any) -> None:
        """Take the function and what it gets beside its input."""
        super().__init__()
        self.function = function
        self.arguments = arguments
        self.named = named

    def forward(self, x: Tensor) -> Tensor:
        """Call it."""
        return self.function(x, *self.arguments, **self.named)


class IndexSelect(nn.Module):
    """Take the elements at given places of an axis."""

    places: Tensor

    def __init__(self, places: tuple[Any, ...], dim: int = 1) -> None:
        """Take places from 0, in rows of one length where they nest."""
        super().__init__()
        self.register_buffer("places", torch.tensor(places), persistent=False)
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """Put the axes of `places` where the axis was."""
        found = torch.index_select(x, self.dim, self.places.flatten())
        before, after = x.shape[: self.dim], x.shape[self.dim + 1 :]
        return found.reshape(before + self.places.shape + after)


class LayerNorm2d(nn.LayerNorm):
    """Layer normalisation over the channels at each position of a map."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (N, C, H, W) over C."""
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class RMSNorm2d(nn.RMSNorm):
    """Root mean square normalisation over the channels at each position of a map."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W) over C."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Rescale(nn.Module):
    """Multiply each channel by a fixed factor and add a fixed number."""

    scale: Tensor
    shift: Tensor

    def __init__(self, scale: tuple[float, ...], shift: tuple[float, ...]) -> None:
        super().__init__()
        factors = torch.tensor(scale).reshape(-1, 1, 1)
        self.register_buffer("scale", factors, persistent=False)
        shifts = torch.tensor(shift).reshape(-1, 1, 1)
        self.register_buffer("shift", shifts, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same size."""
        return x * self.scale + self.shift


class StochasticDepth(nn.Module):
    """Zero residual branches at random while training, and scale up the others."""

    def __init__(self, p: float, mode: str = "row") -> None:
        """Drop with chance `p`: each image by itself ("row"), or all ("batch")."""
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        """Drop in training; pass the input on in evaluation."""
        if not self.training or self.p == 0.0:
            return x
        survival = 1.0 - self.p
        rows = x.shape[0] if self.mode == "row" else 1
        noise = torch.empty([rows] + [1] * (x.ndim - 1), dtype=x.dtype, device=x.device)
        noise = noise.bernoulli_(survival)
        if survival > 0.0:
            noise = noise.div_(survival)
        return x * noise


class Permute(nn.Module):
    """Reorder axes, the batch's included."""

    def __init__(self, *order: int) -> None:
        super().__init__()
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        """Put axis order[i] at place i."""
        return x.permute(self.order)


class Rearrange(nn.Module):
    """Split, order and merge axes by their names, as einops.rearrange does; the batch has none."""

    def __init__(self, pattern: str, /, **sizes: int) -> None:
        """Take a pattern such as "c (h p) (w q) -> (h w) (p q) c", and the sizes of p and q."""
        super().__init__()
        self.sizes = sizes
        self.before, self.after = map(self._axes, pattern.split("->"))
        stray = sizes.keys() - {name for group in self.before for name in group}
        if stray:
            raise TypeError(f"{pattern!r} names no axis {min(stray)!r}")

    def forward(self, x: Tensor, like: Tensor | None = None) -> Tensor:
        """Rearrange each image; sizes that are not known are those of `like`, which has the axes of the result."""
        before, after = (self._spread(side, x.dim() - len(self.before)) for side in (self.before, self.after))
        sizes: dict[str, Any] = dict(self.sizes)
        if like is not None:
            self._read(after, like, sizes)
        self._read(before, x, sizes)
        names = [name for group in before for name in group]
        order = [names.index(name) + 1 for group in after for name in group]
        x = x.reshape(x.shape[0], *[sizes[name] for name in names]).permute(0, *order)
        for axis, group in enumerate(after, 1):
            x = x.flatten(axis, axis + len(group) - 1) if group else x.unsqueeze(axis)
        return x

    def _read(self, side: list[list[str]], x: Tensor, sizes: dict[str, Any]) -> None:
        for group, size in zip(side, x.shape[1:], strict=True):
            left = [name for name in group if len(group) == 1 or name not in sizes]
            for name in group:
                size = size if name in left else size // sizes[name]
            if len(left) == 1:
                sizes[left[0]] = size

    def _axes(self, side: str) -> list[list[str]]:
        groups: list[list[str]] = []
        is_inside = False
        for word in side.replace("(", " ( ").replace(")", " ) ").split():
            names = [] if word in ("(", ")", "1") else [word]
            if is_inside:
                groups[-1] += names
            elif word != ")":
                groups.append(names)
            is_inside = word == "(" or (is_inside and word != ")")
        return groups

    def _spread(self, side: list[list[str]], more: int) -> list[list[str]]:
        rest = [[f"...{i}"] for i in range(more)]
        return [axis for group in side for axis in (rest if group == ["..."] else [group])]


class Reshape(nn.Module):
    """Give the axes after the batch other sizes."""

    def __init__(self, *sizes: int) -> None:
        """Take sizes without the batch's; one may be -1."""
        super().__init__()
        self.sizes = sizes

    def forward(self, x: Tensor) -> Tensor:
        """Read each image's elements in order."""
        return x.reshape(x.shape[0], *self.sizes)


class PadLike(nn.Module):
    """Give maps the height and width of others, by a value around them; what is too much is cut."""

    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """Pad (N, C, H, W) on all sides alike, an odd row or column last."""
        rows, columns = other.shape[2] - x.shape[2], other.shape[3] - x.shape[3]
        sides = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
        return F.pad(x, sides, value=self.value)


class Slice(nn.Module):
    """Keep a range of channels, or of another axis."""

    def __init__(self, start: int, size: int, dim: int = 1) -> None:
        """Take the axis as torch counts, the batch's included."""
        super().__init__()
        self.start = start
        self.size = size
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """Keep `size` places from `start` on."""
        return x.narrow(self.dim, self.start, self.size)


class Times(nn.Module):
    """Multiply by a fixed factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Multiply every element."""
        return x * self.factor
