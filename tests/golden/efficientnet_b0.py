"""efficientnet_b0, compiled by archdsl from efficientnet.arch (digest 0).

5,288,548 parameters; 385,814,752 multiply-adds
(771,629,504 flops) for one input of 3 x 224 x 224.

    step        output        parameters         macs
    features    1280 x 7 x 7   4,007,548  384,534,752
    classifier  1000           1,281,000    1,280,000
"""

from collections import OrderedDict

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


class Cna(nn.Sequential):
    """Convolution, norm, activation: a level of three steps, as torchvision's
    Conv2dNormActivation.
    """

    def __init__(self, in_channels: int, c: int, k: int, s: int = 1) -> None:
        if min(in_channels, c, k, s) < 1:
            raise ValueError("in_channels, c, k and s are at least 1")
        super().__init__(
            nn.Conv2d(
                in_channels, c, k, stride=s, padding=k // 2 if k % 2 else 0, bias=False
            ),
            nn.BatchNorm2d(c),
            nn.SiLU(inplace=True),
        )


class Dwna(nn.Sequential):
    """The same with a depthwise convolution."""

    def __init__(self, in_channels: int, k: int, s: int = 1) -> None:
        if min(in_channels, k, s) < 1:
            raise ValueError("in_channels, k and s are at least 1")
        super().__init__(
            nn.Conv2d(
                in_channels,
                in_channels,
                k,
                stride=s,
                padding=k // 2 if k % 2 else 0,
                groups=in_channels,
                bias=False,
            ),
            nn.BatchNorm2d(in_channels),
            nn.SiLU(inplace=True),
        )


class Se(nn.Module):
    """Squeeze-and-excitation (Hu et al. 2018): each channel is scaled by a gate that
    sees the whole image.
    """

    def __init__(self, in_channels: int, r: int) -> None:
        if min(in_channels, r) < 1:
            raise ValueError("in_channels and r are at least 1")
        super().__init__()
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(in_channels, r, 1)
        self.act = nn.SiLU(inplace=True)
        self.fc2 = nn.Conv2d(r, in_channels, 1)
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        y = self.gap(x)
        y = self.act(self.fc1(y))
        return x * self.gate(self.fc2(y))


class Cn(nn.Sequential):
    """Convolution and norm."""

    def __init__(self, in_channels: int, c: int) -> None:
        if min(in_channels, c) < 1:
            raise ValueError("in_channels and c are at least 1")
        super().__init__(nn.Conv2d(in_channels, c, 1, bias=False), nn.BatchNorm2d(c))


class MbconvResidual(nn.Module):
    """Inverted residual with a gate: widen `e` times, filter each channel by itself,
    narrow to `c`.
    """

    def __init__(self, in_channels: int, k: int, rate: float) -> None:
        if min(in_channels, k) < 1:
            raise ValueError("in_channels and k are at least 1")
        if k % 2 == 0:
            raise ValueError("no MbconvResidual has k % 2 == 0")
        if not 0 <= rate <= 1:
            raise ValueError("MbconvResidual needs 0 <= rate <= 1")
        super().__init__()
        self.block = nn.Sequential(
            Cna(in_channels, 6 * in_channels, 1),
            Dwna(6 * in_channels, k),
            Se(6 * in_channels, max(1, in_channels // 4)),
            Cn(6 * in_channels, in_channels),
        )
        self.drop_path = StochasticDepth(rate, "row")

    def forward(self, x: Tensor) -> Tensor:
        return self.drop_path(self.block(x)) + x


class MbconvE1(nn.Sequential):
    """Inverted residual with a gate: widen `e` times, filter each channel by itself,
    narrow to `c`.
    """

    def __init__(self) -> None:
        super().__init__(
            OrderedDict(block=nn.Sequential(Dwna(32, 3), Se(32, 8), Cn(32, 16)))
        )


class MbconvE6(nn.Sequential):
    """Inverted residual with a gate: widen `e` times, filter each channel by itself,
    narrow to `c`.
    """

    def __init__(self, in_channels: int, c: int, k: int, s: int = 1) -> None:
        if min(in_channels, c, k, s) < 1:
            raise ValueError("in_channels, c, k and s are at least 1")
        super().__init__(
            OrderedDict(
                block=nn.Sequential(
                    Cna(in_channels, 6 * in_channels, 1),
                    Dwna(6 * in_channels, k, s=s),
                    Se(6 * in_channels, max(1, in_channels // 4)),
                    Cn(6 * in_channels, c),
                ),
            )
        )


class EfficientnetB0(nn.Module):
    """The network of table 1, `width` times as wide and `depth` times as deep."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            Cna(3, 32, 3, s=2),
            nn.Sequential(MbconvE1()),
            nn.Sequential(MbconvE6(16, 24, 3, s=2), MbconvResidual(24, 3, 0.025)),
            nn.Sequential(MbconvE6(24, 40, 5, s=2), MbconvResidual(40, 5, 0.05)),
            nn.Sequential(
                MbconvE6(40, 80, 3, s=2),
                *(MbconvResidual(80, 3, 0.0125 * (i + 6)) for i in range(2)),
            ),
            nn.Sequential(
                MbconvE6(80, 112, 5),
                *(MbconvResidual(112, 5, 0.0125 * (i + 9)) for i in range(2)),
            ),
            nn.Sequential(
                MbconvE6(112, 192, 5, s=2),
                *(MbconvResidual(192, 5, 0.0125 * (i + 12)) for i in range(3)),
            ),
            nn.Sequential(MbconvE6(192, 320, 3)),
            Cna(320, 1280, 1),
        )
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.zeros_(module.bias)
            if isinstance(module, nn.Linear):
                nn.init.uniform_(
                    module.weight, a=-0.03162277660168379, b=0.03162277660168379
                )
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, 224, 224) to (N, 1000)."""
        x = self.features(x)
        x = self.gap(x)
        x = torch.flatten(x, 1)
        return self.classifier(x)
