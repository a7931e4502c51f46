"""The changes of `archdsl/recipes/images.py`, carried out on images of one size together.

Each takes its random numbers as a parameter, so that what happens to an image does not depend on its company.
"""

# torchvision leaves much untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from math import cos, exp, log, pi, sin, sqrt
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional as nn

from archdsl.recipes.images import (
    USUAL_SHARE,
    Color,
    Erase,
    Flip,
    Grey,
    ImageChange,
    Interpolation,
    Normalize,
    RandomCrop,
    RandomResizedCrop,
    Resize,
    Rotate,
    ShiftPixels,
    TestCrop,
    VerticalFlip,
)
from archdsl.training.data.dataset import IGNORED, BadSampleError
from archdsl.training.vision import functional

_EXACT, _BILINEAR, _BICUBIC = (functional.InterpolationMode[word] for word in ("NEAREST_EXACT", "BILINEAR", "BICUBIC"))
_TRIES = 10
_MOST_PIXELS = 10**8
_ORDERS = list(permutations(range(4)))


@dataclass(frozen=True)
class Together:
    """Images of one size, uint8 [N, C, H, W], and what is to keep their geometry, if anything is.

    That is masks, int64 [N, 1, H, W], or images, uint8 [N, C, H, W].
    """

    images: Tensor
    joint: Tensor | None = None

    @property
    def size(self) -> tuple[int, int]:
        """The height and width."""
        return self.images.shape[-2], self.images.shape[-1]

    def moved(self, way: Callable[[Tensor, bool], Tensor]) -> Together:
        """Do to both what changes geometry; `way` takes a tensor and whether it holds masks."""
        joint = self.joint
        return Together(way(self.images, False), None if joint is None else way(joint, joint.dtype == torch.int64))


def numbers_needed(change: ImageChange) -> int:
    """Count the random numbers that a change draws for each image."""
    return _CHANGES[type(change)][0]


def carry_out(change: ImageChange, picture: Together, numbers: Tensor, size: tuple[int, int]) -> Together:
    """Change images of one size, with numbers from 0 up to 1, [N, count], for a network's height and width."""
    return _CHANGES[type(change)][1](change, picture, numbers, size)


def resized(picture: Together, size: tuple[int, int], by: Interpolation | None = None) -> Together:
    """Resize to a height and width: bilinear, or bicubic, with antialiasing; masks to the nearest pixel."""
    if picture.size == size:
        return picture
    smooth = _BICUBIC if by == "bicubic" else _BILINEAR

    def way(tensor: Tensor, is_mask: bool) -> Tensor:
        return _in_floats(
            tensor,
            size,
            lambda one: functional.resize(one, list(size), interpolation=_EXACT if is_mask else smooth, antialias=True),
        )

    return picture.moved(way)


def _in_floats(tensor: Tensor, size: tuple[int, int], way: Callable[[Tensor], Tensor]) -> Tensor:
    """Resize bytes to a single column or row as floats: torch 2.13 gives other pixels, or fails, as bytes."""
    if 1 not in size or tensor.dtype != torch.uint8:
        return way(tensor)
    return way(tensor.to(torch.float32)).round().clamp(0, 255).to(torch.uint8)


def _resize(change: Resize, picture: Together, numbers: Tensor, size: tuple[int, int]) -> Together:
    return _covering(picture, (size[0] * change.ratio, size[1] * change.ratio), change.interpolation)


def _covering(picture: Together, size: tuple[float, float], by: Interpolation | None = None) -> Together:
    """Resize, keeping the shape, to the least that covers a height and width."""
    height, width = picture.size
    scale = max(size[0] / height, size[1] / width)
    whole = max(1, round(height * scale)), max(1, round(width * scale))
    if whole[0] * whole[1] > _MOST_PIXELS:
        raise BadSampleError("", f"of {height} x {width} pixels, it would be resized to {whole[0]} x {whole[1]}")
    return resized(picture, whole, by)


def _test_crop(change: TestCrop, picture: Together, numbers: Tensor, size: tuple[int, int]) -> Together:
    share = change.share or USUAL_SHARE
    whole = _covering(picture, (size[0] / share, size[1] / share), change.interpolation)
    top, left = ((have - want) // 2 for have, want in zip(whole.size, size, strict=True))
    return whole.moved(lambda tensor, _: tensor[..., top : top + size[0], left : left + size[1]])


def _random_resized_crop(
    change: RandomResizedCrop, picture: Together, numbers: Tensor, size: tuple[int, int]
) -> Together:
    boxes = [_box(change, picture.size, row) for row in _rows(numbers)]

    def way(tensor: Tensor, is_mask: bool) -> Tensor:
        mode = _EXACT if is_mask else _BILINEAR
        cut = [
            _in_floats(
                one,
                size,
                lambda it, box=box: functional.resized_crop(it, *box, list(size), interpolation=mode, antialias=True),
            )
            for one, box in zip(tensor, boxes, strict=True)
        ]
        return torch.stack(cut)

    return picture.moved(way)


def _box(change: RandomResizedCrop, size: tuple[int, int], row: list[float]) -> tuple[int, int, int, int]:
    """Choose top, left, height and width as torchvision does: ten tries, then the middle."""
    height, width = size
    for area, shape, down, right in zip(*[iter(row)] * 4, strict=True):
        pixels = height * width * _between(change.area, area)
        ratio = exp(log(change.shape[0]) + (log(change.shape[1]) - log(change.shape[0])) * shape)
        wide, high = round(sqrt(pixels * ratio)), round(sqrt(pixels / ratio))
        if 0 < wide <= width and 0 < high <= height:
            return int(down * (height - high + 1)), int(right * (width - wide + 1)), high, wide
    ratio = min(max(width / height, change.shape[0]), change.shape[1])
    high, wide = min(height, max(1, round(width / ratio))), min(width, max(1, round(height * ratio)))
    return (height - high) // 2, (width - wide) // 2, high, wide


def _random_crop(change: RandomCrop, picture: Together, numbers: Tensor, size: tuple[int, int]) -> Together:
    if any(have < want for have, want in zip(picture.size, size, strict=True)):
        picture = _covering(picture, size)
    down, right = (round(change.pad * side) for side in size)
    height, width = (have + 2 * pad for have, pad in zip(picture.size, (down, right), strict=True))
    tops = (numbers[:, 0] * (height - size[0] + 1)).long()
    lefts = (numbers[:, 1] * (width - size[1] + 1)).long()
    return _cut(picture, (down, right), tops, lefts, size)


def _shift(change: ShiftPixels, picture: Together, numbers: Tensor, size: tuple[int, int]) -> Together:
    down, right = (round(change.most * side) for side in picture.size)
    tops = (numbers[:, 0] * (2 * down + 1)).long()
    lefts = (numbers[:, 1] * (2 * right + 1)).long()
    return _cut(picture, (down, right), tops, lefts, picture.size)


def _cut(picture: Together, pad: tuple[int, int], tops: Tensor, lefts: Tensor, size: tuple[int, int]) -> Together:
    """Pad all sides and cut a height and width from each image, at its own place [N]."""
    rows = (tops[:, None] + torch.arange(size[0]))[:, None, :, None]
    columns = (lefts[:, None] + torch.arange(size[1]))[:, None, None, :]

    def way(tensor: Tensor, is_mask: bool) -> Tensor:
        padded = nn.pad(tensor, [pad[1], pad[1], pad[0], pad[0]], value=IGNORED if is_mask else 0)
        images = torch.arange(len(tensor))[:, None, None, None]
        return padded[images, torch.arange(tensor.shape[1])[None, :, None, None], rows, columns]

    return picture.moved(way)


def _mirror(change: Flip | VerticalFlip, picture: Together, numbers: Tensor, size: tuple[int, int]) -> Together:
    axis = -1 if isinstance(change, Flip) else -2
    is_mirrored = (numbers[:, 0] < change.probability)[:, None, None, None]
    return picture.moved(lambda tensor, _: torch.where(is_mirrored, tensor.flip(axis), tensor))


def _rotate(change: Rotate, picture: Together, numbers: Tensor, size: tuple[int, int]) -> Together:
    height, width = picture.size
    angles = [(2 * row[0] - 1) * change.degrees * pi / 180 for row in _rows(numbers)]
    # A grid counts from -1 to 1 over an axis, so a turn of an oblong image needs its aspect ratio.
    aspect = height / width
    turns = [[[cos(a), -sin(a) * aspect, 0.0], [sin(a) / aspect, cos(a), 0.0]] for a in angles]
    theta = torch.tensor(turns, dtype=torch.float64).to(torch.float32).reshape(-1, 2, 3)
    grid = nn.affine_grid(theta, [len(angles), 1, height, width], align_corners=False)

    def way(tensor: Tensor, is_mask: bool) -> Tensor:
        outside = IGNORED if is_mask else 0
        mode = "nearest" if is_mask else "bilinear"
        turned = nn.grid_sample((tensor - outside).to(torch.float32), grid, mode, "zeros", align_corners=False)
        return (turned.round() + outside).to(tensor.dtype)

    return picture.moved(way)


def _color(change: Color, picture: Together, numbers: Tensor, size: tuple[int, int]) -> Together:
    images = [_colored(change, one, row) for one, row in zip(picture.images, _rows(numbers), strict=True)]
    return Together(torch.stack(images), picture.joint)


def _colored(change: Color, image: Tensor, row: list[float]) -> Tensor:
    """Change the colours of one image [C, H, W], in an order that is random too, as torchvision does."""
    ways = (change.brightness, change.contrast, change.saturation, change.hue)
    for way in _ORDERS[int(row[4] * len(_ORDERS))]:
        most = ways[way]
        if not most:
            continue
        factor = _between((max(0.0, 1 - most), 1 + most), row[way])
        match way:
            case 0:
                image = _blended(image, torch.zeros(1), factor)
            case 1:
                # A sum of integers, since that of fractions depends on the number of threads.
                grey = _grey_of(image)
                image = _blended(image, grey.sum(dtype=torch.int64).to(torch.float32) / grey.numel(), factor)
            case 2:
                image = _blended(image, _grey_of(image).to(torch.float32), factor)
            case _:
                image = functional.adjust_hue(image, (2 * row[way] - 1) * most) if len(image) == 3 else image
    return image


def _grey_of(image: Tensor) -> Tensor:
    return functional.rgb_to_grayscale(image, num_output_channels=1) if image.shape[-3] == 3 else image


def _blended(image: Tensor, other: Tensor, factor: float) -> Tensor:
    return (image.to(torch.float32) * factor + other * (1 - factor)).clamp(0, 255).to(torch.uint8)


def _erase(change: Erase, picture: Together, numbers: Tensor, size: tuple[int, int]) -> Together:
    images = picture.images.clone()
    height, width = picture.size
    for image, row in zip(images, _rows(numbers), strict=True):
        if row[0] >= change.probability:
            continue
        pixels = height * width * _between(change.area, row[1])
        ratio = exp((2 * row[2] - 1) * log(3.3))
        high, wide = min(height, round(sqrt(pixels * ratio))), min(width, round(sqrt(pixels / ratio)))
        top, left = int(row[3] * (height - high + 1)), int(row[4] * (width - wide + 1))
        image[:, top : top + high, left : left + wide] = 0
    return Together(images, picture.joint)


def _grey(change: Grey, picture: Together, numbers: Tensor, size: tuple[int, int]) -> Together:
    return Together(_grey_of(picture.images), picture.joint)


def _nothing(change: Normalize, picture: Together, numbers: Tensor, size: tuple[int, int]) -> Together:
    return picture


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * share


def _rows(numbers: Tensor) -> list[list[float]]:
    return cast("list[list[float]]", numbers.tolist())


# By class: how many numbers it draws for an image, and what it does.
_CHANGES: dict[type[ImageChange], tuple[int, Callable[[Any, Together, Tensor, tuple[int, int]], Together]]] = {
    Resize: (0, _resize),
    TestCrop: (0, _test_crop),
    RandomResizedCrop: (4 * _TRIES, _random_resized_crop),
    RandomCrop: (2, _random_crop),
    Flip: (1, _mirror),
    VerticalFlip: (1, _mirror),
    ShiftPixels: (2, _shift),
    Rotate: (1, _rotate),
    Color: (5, _color),
    Erase: (5, _erase),
    Grey: (0, _grey),
    Normalize: (0, _nothing),
}
