"""regnet_x_400mf, compiled by archdsl from regnet.arch (digest 0).

5,495,976 parameters; 413,812,608 multiply-adds
(827,625,216 flops) for one input of 3 x 224 x 224.

    step          output          parameters         macs
    stem          32 x 112 x 112         928   10,838,016
    trunk_output  400 x 7 x 7      5,094,048  402,574,592
    fc            1000               401,000      400,000
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn


class Cna(nn.Sequential):
    """Convolution, norm, activation: a level of three steps, as torchvision's
    Conv2dNormActivation.
    """

    def __init__(
        self, in_channels: int, c: int, k: int, s: int = 1, g: int = 1
    ) -> None:
        if min(in_channels, c, k, s, g) < 1:
            raise ValueError("in_channels, c, k, s and g are at least 1")
        if in_channels % g != 0:
            raise ValueError("no Cna has in_channels % g != 0")
        if c % g != 0:
            raise ValueError("no Cna has c % g != 0")
        super().__init__(
            nn.Conv2d(
                in_channels,
                c,
                k,
                stride=s,
                padding=k // 2 if k % 2 else 0,
                groups=g,
                bias=False,
            ),
            nn.BatchNorm2d(c),
            nn.ReLU(inplace=True),
        )


class Cn(nn.Sequential):
    """Convolution and norm."""

    def __init__(self, in_channels: int, c: int, s: int = 1) -> None:
        if min(in_channels, c, s) < 1:
            raise ValueError("in_channels, c and s are at least 1")
        super().__init__(
            nn.Conv2d(in_channels, c, 1, stride=s, bias=False), nn.BatchNorm2d(c)
        )


class Bottleneck(nn.Module):
    """The X block; with `squeeze` above 0, which sizes a gate's hidden layer by the
    block's input, the Y block.
    """

    def __init__(self, in_channels: int, c: int, s: int = 1) -> None:
        if min(in_channels, c, s) < 1:
            raise ValueError("in_channels, c and s are at least 1")
        if c % 16 != 0:
            raise ValueError("no Bottleneck has c % 16 != 0")
        super().__init__()
        self.proj = (
            Cn(in_channels, c, s=s) if s != 1 or in_channels != c else nn.Identity()
        )
        self.f = nn.Sequential(
            OrderedDict(
                a=Cna(in_channels, c, 1), b=Cna(c, c, 3, s=s, g=c // 16), c=Cn(c, c)
            )
        )
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.proj(x) + self.f(x)
        return self.act(x)


class RegnetX400mf(nn.Module):
    """Blocks whose widths four numbers give; those of equal width are a stage."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Cna(3, 32, 3, s=2)
        self.trunk_output = nn.Sequential(
            OrderedDict(
                block1=nn.Sequential(
                    OrderedDict({"block1-0": Bottleneck(32, 32, s=2)})
                ),
                block2=nn.Sequential(
                    OrderedDict(
                        {
                            "block2-0": Bottleneck(32, 64, s=2),
                            "block2-1": Bottleneck(64, 64),
                        },
                    )
                ),
                block3=nn.Sequential(
                    OrderedDict(
                        [
                            ("block3-0", Bottleneck(64, 160, s=2)),
                            *(
                                (f"block3-{i + 1}", Bottleneck(160, 160))
                                for i in range(6)
                            ),
                        ],
                    )
                ),
                block4=nn.Sequential(
                    OrderedDict(
                        [
                            ("block4-0", Bottleneck(160, 400, s=2)),
                            *(
                                (f"block4-{i + 1}", Bottleneck(400, 400))
                                for i in range(11)
                            ),
                        ],
                    )
                ),
            )
        )
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(400, 1000)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, 224, 224) to (N, 1000)."""
        x = self.stem(x)
        x = self.trunk_output(x)
        x = self.gap(x)
        x = torch.flatten(x, 1)
        return self.fc(x)
