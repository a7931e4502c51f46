"""unet, compiled by archdsl from unet_small.arch (digest 0).

29,466 parameters; 6,250,496 multiply-adds
(12,500,992 flops) for one input of 1 x 32 x 32.

    step    output        parameters       macs
    enter   8 x 32 x 32          680    663,552
    middle  16 x 16 x 16       3,520    884,736
    bottom  32 x 8 x 8        13,952    884,736
    up1     16 x 16 x 16       2,048    131,072
    left    16 x 16 x 16       6,976  1,769,472
    up2     8 x 32 x 32          512    131,072
    right   8 x 32 x 32        1,760  1,769,472
    head    2 x 32 x 32           18     16,384
"""

import torch
from torch import Tensor, nn


class Pair(nn.Sequential):
    """The block `pair`."""

    def __init__(self, in_channels: int, c: int) -> None:
        if min(in_channels, c) < 1:
            raise ValueError("in_channels and c are at least 1")
        super().__init__(
            nn.Conv2d(in_channels, c, 3, padding=1, bias=False),
            nn.BatchNorm2d(c),
            nn.ReLU(inplace=True),
            nn.Conv2d(c, c, 3, padding=1, bias=False),
            nn.BatchNorm2d(c),
            nn.ReLU(inplace=True),
        )


class Unet(nn.Module):
    """A U-Net of two levels for 32x32 images."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = Pair(1, 8)
        self.maxpool = nn.MaxPool2d(2)
        self.middle = Pair(8, 16)
        self.bottom = Pair(16, 32)
        self.up1 = nn.ConvTranspose2d(32, 16, 2, stride=2, bias=False)
        self.left = Pair(32, 16)
        self.up2 = nn.ConvTranspose2d(16, 8, 2, stride=2, bias=False)
        self.right = Pair(16, 8)
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, 32, 32) to (N, 2, 32, 32)."""
        enter = self.enter(x)
        x = self.maxpool(enter)
        middle = self.middle(x)
        x = self.maxpool(middle)
        x = self.bottom(x)
        x = torch.cat([middle, self.up1(x)], dim=1)
        x = self.left(x)
        x = torch.cat([enter, self.up2(x)], dim=1)
        x = self.right(x)
        return self.head(x)
