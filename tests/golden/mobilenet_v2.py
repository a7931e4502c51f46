"""mobilenet_v2, compiled by archdsl from mobilenet_v2.arch (digest 0).

3,504,872 parameters; 300,774,272 multiply-adds
(601,548,544 flops) for one input of 3 x 224 x 224.

    step        output        parameters         macs
    features    1280 x 7 x 7   2,223,872  299,494,272
    classifier  1000           1,281,000    1,280,000
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn


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
            nn.ReLU6(inplace=True),
        )


class Dwna(nn.Sequential):
    """The same with a depthwise convolution."""

    def __init__(self, in_channels: int, s: int = 1) -> None:
        if min(in_channels, s) < 1:
            raise ValueError("in_channels and s are at least 1")
        super().__init__(
            nn.Conv2d(
                in_channels,
                in_channels,
                3,
                stride=s,
                padding=1,
                groups=in_channels,
                bias=False,
            ),
            nn.BatchNorm2d(in_channels),
            nn.ReLU6(inplace=True),
        )


class InvertedResidual(nn.Module):
    """Inverted residual: widen `e` times, filter each channel by itself, narrow
    again without an activation.
    """

    def __init__(self, in_channels: int) -> None:
        if in_channels < 1:
            raise ValueError("in_channels is at least 1")
        super().__init__()
        self.conv = nn.Sequential(
            Cna(in_channels, 6 * in_channels, 1),
            Dwna(6 * in_channels),
            nn.Conv2d(6 * in_channels, in_channels, 1, bias=False),
            nn.BatchNorm2d(in_channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) + x


class InvertedE1(nn.Sequential):
    """Inverted residual: widen `e` times, filter each channel by itself, narrow
    again without an activation.
    """

    def __init__(self) -> None:
        super().__init__(
            OrderedDict(
                conv=nn.Sequential(
                    Dwna(32), nn.Conv2d(32, 16, 1, bias=False), nn.BatchNorm2d(16)
                ),
            )
        )


class InvertedE6(nn.Sequential):
    """Inverted residual: widen `e` times, filter each channel by itself, narrow
    again without an activation.
    """

    def __init__(self, in_channels: int, c: int, s: int = 1) -> None:
        if min(in_channels, c, s) < 1:
            raise ValueError("in_channels, c and s are at least 1")
        super().__init__(
            OrderedDict(
                conv=nn.Sequential(
                    Cna(in_channels, 6 * in_channels, 1),
                    Dwna(6 * in_channels, s=s),
                    nn.Conv2d(6 * in_channels, c, 1, bias=False),
                    nn.BatchNorm2d(c),
                ),
            )
        )


class MobilenetV2(nn.Module):
    """Inverted residuals; `width` scales all channels."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            Cna(3, 32, 3, s=2),
            InvertedE1(),
            InvertedE6(16, 24, s=2),
            InvertedResidual(24),
            InvertedE6(24, 32, s=2),
            *(InvertedResidual(32) for _ in range(2)),
            InvertedE6(32, 64, s=2),
            *(InvertedResidual(64) for _ in range(3)),
            InvertedE6(64, 96),
            *(InvertedResidual(96) for _ in range(2)),
            InvertedE6(96, 160, s=2),
            *(InvertedResidual(160) for _ in range(2)),
            InvertedE6(160, 320),
            Cna(320, 1280, 1),
        )
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, 224, 224) to (N, 1000)."""
        x = self.features(x)
        x = self.gap(x)
        x = torch.flatten(x, 1)
        return self.classifier(x)
