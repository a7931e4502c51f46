"""Random changes to training images that leave their classes alone."""

from math import pi
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

SHIFT_PIXELS = 1.0
TURN_RADIANS = 10 * pi / 180


def augment(images: Tensor, kind: Literal["none", "shift", "affine"], generator: torch.Generator) -> Tensor:
    """Change each image [C, H, W] of a batch in its own way; what moves in from outside is 0.

    "shift" moves an image by -1, 0 or 1 pixel along each axis, without blurring it. "affine" turns it by up
    to 10 degrees about its centre and moves it by up to a pixel, with bilinear interpolation.
    """
    match kind:
        case "none":
            return images
        case "shift":
            return _shift(images, generator)
        case "affine":
            return _turn_and_shift(images, generator)


def _shift(images: Tensor, generator: torch.Generator) -> Tensor:
    count, _, height, width = images.shape
    reach = int(SHIFT_PIXELS)
    padded = functional.pad(images, [reach] * 4)
    down, right = torch.randint(0, 2 * reach + 1, (2, count, 1), generator=generator)
    rows = (down + torch.arange(height))[:, None, :, None]
    columns = (right + torch.arange(width))[:, None, None, :]
    channels = torch.arange(images.shape[1])[None, :, None, None]
    return padded[torch.arange(count)[:, None, None, None], channels, rows, columns]


def _turn_and_shift(images: Tensor, generator: torch.Generator) -> Tensor:
    count, _, height, width = images.shape
    angle, across, down = 2 * torch.rand((3, count), generator=generator) - 1
    angle = angle * TURN_RADIANS
    # An affine grid counts from -1 to 1 over an axis, so a turn of an oblong image needs its aspect ratio.
    aspect = height / width
    x = torch.stack([angle.cos(), -angle.sin() * aspect, across * 2 * SHIFT_PIXELS / width], dim=1)
    y = torch.stack([angle.sin() / aspect, angle.cos(), down * 2 * SHIFT_PIXELS / height], dim=1)
    grid = functional.affine_grid(torch.stack([x, y], dim=1), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
