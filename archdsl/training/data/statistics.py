"""Mean and deviation of training images, for `normalize data`."""

# torch leaves much untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from archdsl.training.error import TrainingError

MOST = 2000
"""Of more images, so many are chosen."""
_DIGITS = 6


@dataclass(frozen=True)
class Statistics:
    """A mean and a deviation for each channel, of pixels from 0 to 1."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


IMAGENET = Statistics((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Of ImageNet's training images. Source: torchvision's models"""


def imagenet(channels: int) -> Statistics:
    """Return ImageNet's figures; for one channel the means of the three."""
    if channels != 1:
        return IMAGENET
    return Statistics(*((round(sum(three) / 3, _DIGITS),) for three in (IMAGENET.mean, IMAGENET.deviation)))


def chosen(count: int) -> Tensor:
    """Choose the images to measure, always the same: int64, all of them or `MOST`."""
    if count <= MOST:
        return torch.arange(count)
    return torch.randperm(count, generator=torch.Generator().manual_seed(0))[:MOST].sort().values


def measure(batches: Iterable[Tensor]) -> Statistics:
    """Measure images, uint8 [N, C, H, W]; exactly, so that the order of batches does not matter.

    A channel that is the same everywhere has deviation 1, since what is divided by it is 0.
    Errors: TrainingError with E344 where there are none
    """
    count, first, second = 0, torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)
    for images in batches:
        values = images.to(torch.int32)
        count += images[:, 0].numel()
        first = first + values.sum((0, 2, 3), dtype=torch.int64)
        second = second + (values * values).sum((0, 2, 3), dtype=torch.int64)
    if not count:
        raise TrainingError("no training image can be read", "mend or replace the images", "E344")
    means: list[float] = []
    deviations: list[float] = []
    for once, twice in zip(first.tolist(), second.tolist(), strict=True):
        means.append(round(once / count / 255, _DIGITS))
        # Integers, which Python keeps whole: a difference of large squares would lose its digits.
        variance = (count * twice - once * once) / count**2
        deviations.append(round(sqrt(variance) / 255, _DIGITS) or 1.0)
    return Statistics(tuple(means), tuple(deviations))
