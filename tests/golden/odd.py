"""odd, compiled by archdsl from odd.arch (digest 0).

24,475 parameters; 25,185,344 multiply-adds
(50,370,688 flops) for one input of 3 x 32 x 32, 1 x 64 x 64.

    step         output        parameters       macs
    down         3 x 32 x 32           27     27,648
    stem-0       8 x 32 x 32          232    221,184
    t            8 x 32 x 32          592    589,824
    twice        8 x 32 x 32          592    589,824
    twice again  8 x 32 x 32            0    589,824
    grow1        12 x 32 x 32         888    884,736
    grow2        16 x 32 x 32       1,760  1,769,472
    grow3        20 x 32 x 32       2,920  2,949,120
    grow4        24 x 32 x 32       4,368  4,423,680
    grow5        28 x 32 x 32       6,104  6,193,152
    many         8 x 32 x 32        6,752  6,782,976
    factor-1     8 x 32 x 32            8          0
    conv         2 x 32 x 32           16     16,384
    help         3                     27         24
    conv_2       4 x 32 x 32          144    147,456
    head         5                     45         40
"""

from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import Tensor, nn


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


class Tapped(nn.Module):
    """Two results: the block's own, and what came before the activation."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        before = self.conv(x)
        x = self.act(self.norm(before))
        return x, before


class Shared(nn.Module):
    """The block `shared`."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(8)
        self.act = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.dropout = nn.Dropout(0.1, inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.act(self.norm(x))
        return self.dropout(self.conv(y)) + x


class Head(nn.Sequential):
    """Everything odd at once: 'quotes', a \\ backslash, and a line that is so long
    that it has to be wrapped somewhere.
    """

    def __init__(self, classes: int) -> None:
        if classes < 1:
            raise ValueError("classes is at least 1")
        super().__init__(
            OrderedDict(
                gap=nn.AdaptiveAvgPool2d(1),
                flatten=nn.Flatten(),
                fc=nn.Linear(8, classes),
            )
        )


class Outputs(NamedTuple):
    """What the network gives."""

    output: Tensor
    seen: Tensor


class TrainingOutputs(NamedTuple):
    """What the network gives in training mode."""

    output: Tensor
    seen: Tensor
    aux: Tensor


class Odd(nn.Module):
    """The network `odd`."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(1, 3, 3, stride=2, padding=1, bias=False)
        setattr(
            self,
            "stem-0",
            nn.Sequential(
                OrderedDict(
                    {
                        "conv-a": nn.Conv2d(3, 8, 3, padding=1, bias=False),
                        "norm": nn.BatchNorm2d(8),
                        "act": nn.ReLU(inplace=True),
                    },
                )
            ),
        )
        self.t = Tapped()
        self.twice = Shared()
        self.grow1 = nn.Sequential(
            nn.Conv2d(8, 12, 3, padding=1, bias=False),
            nn.BatchNorm2d(12),
            nn.ReLU(inplace=True),
        )
        self.grow2 = nn.Sequential(
            nn.Conv2d(12, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(inplace=True),
        )
        self.grow3 = nn.Sequential(
            nn.Conv2d(16, 20, 3, padding=1, bias=False),
            nn.BatchNorm2d(20),
            nn.ReLU(inplace=True),
        )
        self.grow4 = nn.Sequential(
            nn.Conv2d(20, 24, 3, padding=1, bias=False),
            nn.BatchNorm2d(24),
            nn.ReLU(inplace=True),
        )
        self.grow5 = nn.Sequential(
            nn.Conv2d(24, 28, 3, padding=1, bias=False),
            nn.BatchNorm2d(28),
            nn.ReLU(inplace=True),
        )
        self.many = nn.Sequential(
            nn.Conv2d(28, 8, 3, padding=1, bias=False),
            *(Shared() for _ in range(3)),
            *(
                nn.Sequential(Shared(), StochasticDepth(0.2 * i / 5, "row"))
                for i in range(5)
            ),
        )
        setattr(self, "factor-1", nn.Parameter(torch.full((8, 1, 1), 0.5)))
        self.conv = nn.Conv2d(8, 2, 1, bias=False)
        self.help = Head(3)
        self.conv_2 = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.act = nn.ReLU(inplace=True)
        self.shuffle = nn.ChannelShuffle(2)
        self.head = Head(5)

    def forward(self, left: Tensor, right: Tensor) -> Outputs | TrainingOutputs:
        """Map (N, 3, 32, 32), (N, 1, 64, 64) to (N, 5), (N, 2, 32, 32)."""
        x = left + self.down(right)
        x = getattr(self, "stem-0")(x)
        t = self.t(x)
        x = self.twice(t[0])
        x = self.twice(x)
        x = self.grow1(x)
        x = self.grow2(x)
        x = self.grow3(x)
        x = self.grow4(x)
        x = self.grow5(x)
        x = self.many(x)
        factor_1 = getattr(self, "factor-1") * x
        seen = self.conv(t[1])
        aux = None
        if self.training:
            aux = self.help(factor_1)
        x, y = factor_1.chunk(2, dim=1)
        x = torch.cat([x, self.act(self.conv_2(y))], dim=1)
        x = self.shuffle(x)
        x = self.head(x)
        if aux is not None:
            return TrainingOutputs(x, seen, aux)
        return Outputs(x, seen)
