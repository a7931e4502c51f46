"""Data sets: what training asks of one, and one whose images fit in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from archdsl.training.augment import augment
from archdsl.training.recipe import Recipe


class Batch(NamedTuple):
    """Normalised images [N, C, H, W], float32, and their classes [N], int64."""

    images: Tensor
    labels: Tensor


class DataSet(Protocol):
    """Images with classes, split once and for all into training and test."""

    @property
    def name(self) -> str: ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def shape(self) -> tuple[int, int, int]:
        """The images' own [C, H, W]."""
        ...

    @property
    def train_size(self) -> int: ...

    @property
    def test_size(self) -> int: ...

    def train_batches(self, recipe: Recipe, epoch: int) -> Iterator[Batch]:
        """Yield every training image once, in `steps_per_epoch` batches.

        Order and random changes depend on the recipe's seed and the epoch alone, whatever ran before.
        """
        ...

    def test_batches(self, batch_size: int) -> Iterator[Batch]:
        """Yield every test image once, unchanged, in a fixed order."""
        ...


def steps_per_epoch(data: DataSet, batch_size: int) -> int:
    """Count the batches of an epoch."""
    return -(-data.train_size // batch_size)


def epoch_seed(seed: int, epoch: int) -> int:
    """Return a seed for one epoch of one run; epochs of runs with nearby seeds share none."""
    return (seed * 1_000_003 + epoch) % 2**63


@dataclass(frozen=True, eq=False)
class ArrayDataSet:
    """A data set held in memory: images [N, C, H, W] in float32 from 0 to 1, labels [N] in int64."""

    name: str
    classes: tuple[str, ...]
    train: Batch
    test: Batch

    @property
    def shape(self) -> tuple[int, int, int]:
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    @property
    def train_size(self) -> int:
        return len(self.train.labels)

    @property
    def test_size(self) -> int:
        return len(self.test.labels)

    def train_batches(self, recipe: Recipe, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(epoch_seed(recipe.seed, epoch))
        order = torch.randperm(self.train_size, generator=generator)
        # Even parts: batch norm cannot train on the single image that a short last batch may hold.
        for chosen in order.tensor_split(steps_per_epoch(self, recipe.batch_size)):
            images = augment(self.train.images[chosen], recipe.augment, generator)
            yield Batch(self._normalise(images), self.train.labels[chosen])

    def test_batches(self, batch_size: int) -> Iterator[Batch]:
        for first in range(0, self.test_size, batch_size):
            chosen = slice(first, first + batch_size)
            yield Batch(self._normalise(self.test.images[chosen]), self.test.labels[chosen])

    @cached_property
    def _statistics(self) -> tuple[Tensor, Tensor]:
        deviation, mean = torch.std_mean(self.train.images, dim=(0, 2, 3), keepdim=True)
        return mean, deviation.clamp_min(1e-6)

    def _normalise(self, images: Tensor) -> Tensor:
        """Return each channel mean 0 and deviation 1 over the training images; the test images have no say."""
        mean, deviation = self._statistics
        return (images - mean) / deviation


def fit(images: Tensor, size: tuple[int, int, int]) -> Tensor:
    """Adapt images [N, C, H, W] to a network's [C, H, W]: one channel is repeated, other sizes resized."""
    channels, height, width = size
    if images.shape[-2:] != (height, width):
        images = functional.interpolate(images, (height, width), mode="bilinear", antialias=True)
    return images.expand(-1, channels, -1, -1)
