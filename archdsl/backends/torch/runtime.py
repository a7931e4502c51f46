"""Modules that torch lacks. The emitter copies those that a network needs; nothing imports this file."""

from __future__ import annotations

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


class Reshape(nn.Module):
    """Give the axes after the batch other sizes."""

    def __init__(self, *sizes: int) -> None:
        """Take sizes without the batch's; one may be -1."""
        super().__init__()
        self.sizes = sizes

    def forward(self, x: Tensor) -> Tensor:
        """Read each image's elements in order."""
        return x.reshape(x.shape[0], *self.sizes)


class Slice(nn.Module):
    """Keep a range of channels."""

    def __init__(self, start: int, size: int) -> None:
        super().__init__()
        self.start = start
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """Keep `size` channels from `start` on."""
        return x.narrow(1, self.start, self.size)


class Times(nn.Module):
    """Multiply by a fixed factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Multiply every element."""
        return x * self.factor
