"""densenet121, compiled by archdsl from densenet.arch (digest 0).

7,978,856 parameters; 2,834,161,664 multiply-adds
(5,668,323,328 flops) for one input of 3 x 224 x 224.

    step        output        parameters           macs
    features    1024 x 7 x 7   6,953,856  2,833,137,664
    classifier  1000           1,025,000      1,024,000
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn


class Layer(nn.Module):
    """One layer: `growth` new channels from all that its block has made before it."""

    def __init__(self, in_channels: int) -> None:
        if in_channels < 1:
            raise ValueError("in_channels is at least 1")
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.act = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(in_channels, 128, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(128)
        self.conv2 = nn.Conv2d(128, 32, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.act(self.norm1(x))
        y = self.act(self.norm2(self.conv1(y)))
        return torch.cat([x, self.conv2(y)], dim=1)


class Dense(nn.Sequential):
    """Layers whose results all later ones see."""

    def __init__(self, in_channels: int, depth: int) -> None:
        if min(in_channels, depth) < 1:
            raise ValueError("in_channels and depth are at least 1")
        if depth < 4:
            raise ValueError("no Dense has depth < 4")
        super().__init__(
            OrderedDict(
                (f"denselayer{i + 1}", Layer(in_channels + 32 * i))
                for i in range(depth)
            )
        )


class Transition(nn.Sequential):
    """Halves the channels and the image."""

    def __init__(self, in_channels: int) -> None:
        if in_channels < 1:
            raise ValueError("in_channels is at least 1")
        if in_channels == 1:
            raise ValueError("no Transition has in_channels == 1")
        super().__init__(
            OrderedDict(
                norm=nn.BatchNorm2d(in_channels),
                act=nn.ReLU(inplace=True),
                conv=nn.Conv2d(in_channels, in_channels // 2, 1, bias=False),
                avgpool=nn.AvgPool2d(2),
            )
        )


class Densenet121(nn.Module):
    """Four dense blocks with transitions between them."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            OrderedDict(
                conv0=nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
                norm0=nn.BatchNorm2d(64),
                act=nn.ReLU(inplace=True),
                maxpool=nn.MaxPool2d(3, stride=2, padding=1),
                denseblock1=Dense(64, 6),
                transition1=Transition(256),
                denseblock2=Dense(128, 12),
                transition2=Transition(512),
                denseblock3=Dense(256, 24),
                transition3=Transition(1024),
                denseblock4=Dense(512, 16),
                norm5=nn.BatchNorm2d(1024),
            )
        )
        self.act = nn.ReLU(inplace=True)
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(1024, 1000)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, 224, 224) to (N, 1000)."""
        x = self.act(self.features(x))
        x = self.gap(x)
        x = torch.flatten(x, 1)
        return self.classifier(x)
