"""In which order an epoch sees the training images: a function of the seed and the epoch."""

# torch leaves much untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from archdsl.training.images.randomness import epoch_seed


class Draw(NamedTuple):
    """Images of an epoch or a batch, int64 [N]."""

    indices: Tensor
    keys: Tensor
    """What random numbers are drawn by: the index, and another number for an image that comes again."""


def shuffled(count: int, seed: int, epoch: int) -> Draw:
    """Return every image once."""
    order = torch.randperm(count, generator=_generator(seed, epoch))
    return Draw(order, order)


def balanced(labels: Tensor, seed: int, epoch: int) -> Draw:
    """Return as many images as there are, all classes equally often, to one image.

    No image of a class comes again before all of them came. `labels` is int64 [N].
    """
    generator = _generator(seed, epoch)
    classes, counts = labels.unique(return_counts=True)
    each, more = divmod(len(labels), len(classes))
    lucky = {*torch.randperm(len(classes), generator=generator)[:more].tolist()}
    indices: list[Tensor] = []
    keys: list[Tensor] = []
    by_class = labels.argsort(stable=True).split(counts.tolist())
    for place, (members, count) in enumerate(zip(by_class, counts.tolist(), strict=True)):
        wanted = each + (place in lucky)
        for turn in range(-(-wanted // count)):
            order = members[torch.randperm(count, generator=generator)][: wanted - turn * count]
            indices.append(order)
            keys.append(order + turn * len(labels))
    order = torch.randperm(len(labels), generator=generator)
    return Draw(torch.cat(indices)[order], torch.cat(keys)[order])


def _generator(seed: int, epoch: int) -> torch.Generator:
    return torch.Generator().manual_seed(epoch_seed(seed, epoch))
