"""googlenet, compiled by archdsl from googlenet.arch (digest 0).

13,004,888 parameters; 1,506,748,416 multiply-adds
(3,013,496,832 flops) for one input of 3 x 224 x 224.

    step         output          parameters         macs
    conv1        64 x 112 x 112       9,536  118,013,952
    conv2        64 x 56 x 56         4,224   12,845,056
    conv3        192 x 56 x 56      110,976  346,816,512
    inception3a  256 x 28 x 28      155,872  121,626,624
    inception3b  480 x 28 x 28      340,224  265,732,096
    inception4a  512 x 14 x 14      364,512   71,199,744
    inception4b  512 x 14 x 14      425,232   83,091,456
    inception4c  512 x 14 x 14      486,192   95,033,344
    inception4d  528 x 14 x 14      573,312  112,093,184
    inception4e  832 x 14 x 14      803,840  157,151,232
    inception5a  832 x 7 x 7        978,944   47,867,904
    inception5b  1024 x 7 x 7     1,347,040   65,881,088
    aux1         1000             3,188,968    4,169,728
    aux2         1000             3,191,016    4,202,496
    fc           1000             1,025,000    1,024,000
"""

from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Cbr(nn.Sequential):
    """Convolution, norm, activation."""

    def __init__(self, in_channels: int, c: int, k: int, s: int = 1) -> None:
        if min(in_channels, c, k, s) < 1:
            raise ValueError("in_channels, c, k and s are at least 1")
        super().__init__(
            OrderedDict(
                conv=nn.Conv2d(
                    in_channels,
                    c,
                    k,
                    stride=s,
                    padding=k // 2 if k % 2 else 0,
                    bias=False,
                ),
                bn=nn.BatchNorm2d(c, eps=0.001),
                act=nn.ReLU(inplace=True),
            )
        )


class Inception(nn.Module):
    """Four branches; `t` is a row of table 1: #1x1, #3x3 reduce, #3x3, #5x5 reduce,
    #5x5, pool proj.
    """

    def __init__(self, in_channels: int, t: tuple[int, ...]) -> None:
        if in_channels < 1:
            raise ValueError("in_channels is at least 1")
        super().__init__()
        self.branch1 = Cbr(in_channels, t[0], 1)
        self.branch2 = nn.Sequential(Cbr(in_channels, t[1], 1), Cbr(t[1], t[2], 3))
        self.branch3 = nn.Sequential(Cbr(in_channels, t[3], 1), Cbr(t[3], t[4], 3))
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True),
            Cbr(in_channels, t[5], 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(
            [self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1
        )


class Head(nn.Sequential):
    """An auxiliary classifier, which only training has."""

    def __init__(self, in_channels: int) -> None:
        if in_channels < 1:
            raise ValueError("in_channels is at least 1")
        super().__init__(
            OrderedDict(
                adaptive_avgpool=nn.AdaptiveAvgPool2d(4),
                conv=Cbr(in_channels, 128, 1),
                flatten=nn.Flatten(),
                fc1=nn.Linear(2048, 1024),
                act=nn.ReLU(inplace=True),
                dropout=nn.Dropout(0.7),
                fc2=nn.Linear(1024, 1000),
            )
        )


class TrainingOutputs(NamedTuple):
    """What the network gives in training mode."""

    output: Tensor
    aux1: Tensor
    aux2: Tensor


class Googlenet(nn.Module):
    """Nine inception modules, with two auxiliary classifiers if `aux`."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = Cbr(3, 64, 7, s=2)
        self.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = Cbr(64, 64, 1)
        self.conv3 = Cbr(64, 192, 3)
        self.inception3a = Inception(192, (64, 96, 128, 16, 32, 32))
        self.inception3b = Inception(256, (128, 128, 192, 32, 96, 64))
        self.inception4a = Inception(480, (192, 96, 208, 16, 48, 64))
        self.inception4b = Inception(512, (160, 112, 224, 24, 64, 64))
        self.inception4c = Inception(512, (128, 128, 256, 24, 64, 64))
        self.inception4d = Inception(512, (112, 144, 288, 32, 64, 64))
        self.inception4e = Inception(528, (256, 160, 320, 32, 128, 128))
        self.maxpool_4 = nn.MaxPool2d(2, ceil_mode=True)
        self.inception5a = Inception(832, (256, 160, 320, 32, 128, 128))
        self.inception5b = Inception(832, (384, 192, 384, 48, 128, 128))
        self.aux1 = Head(512)
        self.aux2 = Head(528)
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(1024, 1000)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.trunc_normal_(module.weight, std=0.01)
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.01)

    def forward(self, x: Tensor) -> Tensor | TrainingOutputs:
        """Map (N, 3, 224, 224) to (N, 1000)."""
        x = self.conv1(x)
        x = self.maxpool(x)
        x = self.conv2(x)
        x = self.conv3(x)
        x = self.maxpool(x)
        x = self.inception3a(x)
        x = self.inception3b(x)
        x = self.maxpool(x)
        inception4a = self.inception4a(x)
        x = self.inception4b(inception4a)
        x = self.inception4c(x)
        inception4d = self.inception4d(x)
        x = self.inception4e(inception4d)
        x = self.maxpool_4(x)
        x = self.inception5a(x)
        x = self.inception5b(x)
        aux1 = aux2 = None
        if self.training:
            aux1 = self.aux1(inception4a)
            aux2 = self.aux2(inception4d)
        x = self.gap(x)
        x = self.dropout(torch.flatten(x, 1))
        x = self.fc(x)
        if aux1 is not None and aux2 is not None:
            return TrainingOutputs(x, aux1, aux2)
        return x
