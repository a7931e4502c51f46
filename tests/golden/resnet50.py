"""resnet50, compiled by archdsl from resnet.arch (digest 0).

25,557,032 parameters; 4,089,184,256 multiply-adds
(8,178,368,512 flops) for one input of 3 x 224 x 224.

    step    output          parameters           macs
    conv1   64 x 112 x 112       9,408    118,013,952
    bn1     64 x 112 x 112         128              0
    layer1  256 x 56 x 56      215,808    667,942,912
    layer2  512 x 28 x 28    1,219,584  1,027,604,480
    layer3  1024 x 14 x 14   7,098,368  1,464,336,384
    layer4  2048 x 7 x 7    14,964,736    809,238,528
    fc      1000             2,049,000      2,048,000
"""

import torch
from torch import Tensor, nn


class Bottleneck(nn.Module):
    """A 3x3 convolution between two 1x1 (He et al. 2016, figure 5 right); ResNeXt
    splits it into groups.
    """

    def __init__(self, in_channels: int, c: int, s: int = 1) -> None:
        if min(in_channels, c, s) < 1:
            raise ValueError("in_channels, c and s are at least 1")
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, c, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c)
        self.act = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(c, c, 3, stride=s, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)
        self.conv3 = nn.Conv2d(c, 4 * c, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * c)
        self.downsample = (
            nn.Sequential(
                nn.Conv2d(in_channels, 4 * c, 1, stride=s, bias=False),
                nn.BatchNorm2d(4 * c),
            )
            if s != 1 or in_channels != 4 * c
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.act(self.bn1(self.conv1(x)))
        y = self.act(self.bn2(self.conv2(y)))
        x = self.bn3(self.conv3(y)) + self.downsample(x)
        return self.act(x)


class Resnet50(nn.Module):
    """The network `resnet50`."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.act = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = nn.Sequential(
            Bottleneck(64, 64), *(Bottleneck(256, 64) for _ in range(2))
        )
        self.layer2 = nn.Sequential(
            Bottleneck(256, 128, s=2), *(Bottleneck(512, 128) for _ in range(3))
        )
        self.layer3 = nn.Sequential(
            Bottleneck(512, 256, s=2), *(Bottleneck(1024, 256) for _ in range(5))
        )
        self.layer4 = nn.Sequential(
            Bottleneck(1024, 512, s=2), *(Bottleneck(2048, 512) for _ in range(2))
        )
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(2048, 1000)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, 224, 224) to (N, 1000)."""
        x = self.act(self.bn1(self.conv1(x)))
        x = self.maxpool(x)
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        x = self.gap(x)
        x = torch.flatten(x, 1)
        return self.fc(x)
