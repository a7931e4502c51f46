"""What a frozen trunk gives for the images of a run, worked out once and kept."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from math import prod
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from archdsl.recipes.recipe import Recipe
from archdsl.training.data.dataset import DataPart, DataSet
from archdsl.training.data.feed import Feed
from archdsl.training.data.order import Draw
from archdsl.training.error import TrainingError
from archdsl.training.phases import RunPhase

_SHARE = 0.5
"""Of the memory that is free, what is kept may take."""
_HELP = "leave out --cache-features"


class Held:
    """What the rest of a network reads of a batch, as one thing that a precision passes by as it is."""

    def __init__(self, values: Sequence[Tensor]) -> None:
        self.values = tuple(values)

    def to(self, device: torch.device, non_blocking: bool = False) -> Held:
        """Return the same on a device."""
        return Held([value.to(device, non_blocking=non_blocking) for value in self.values])


class FeatureBatch(NamedTuple):
    """A batch whose images have gone through the trunk."""

    images: Held
    targets: Tensor
    indices: Tensor
    """int64 [N], within the part."""


class Rest(nn.Module):
    """What reads the trunk's values, as a module of one argument."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, held: Held) -> Any:
        """Return what the network returns for the images that the values are of."""
        return self.module(*held.values)


class Features:
    """The trunk's values for a phase, in the order of axes in memory in which it gives them, on the device."""

    def __init__(self, feed: Feed, trunk: nn.Module, device: torch.device, context: Any, layout: Any) -> None:
        """Work nothing out yet; `context` makes what sets the precision while the trunk runs."""
        self._feed, self._trunk, self._device, self._context, self._layout = feed, trunk, device, context, layout
        self._stored: list[Tensor] = []
        self._axes: list[list[int]] = []
        self._targets = torch.empty(0)
        self._has = torch.zeros(len(feed.data.parts["train"]), dtype=torch.bool)
        self.is_tried = False
        """Whether steps on what is kept were held against steps on images."""
        self._measured: dict[DataPart, list[FeatureBatch]] = {}

    def train(self, epoch: int, first_step: int = 0) -> Iterator[FeatureBatch]:
        """Yield the batches of an epoch as `Feed.train` does.

        Errors: TrainingError with E344 where images cannot be read
        """
        for draw in self._feed.draws(epoch)[first_step:]:
            yield self.batch(draw)

    def evaluate(self, part: DataPart) -> Iterator[FeatureBatch]:
        """Yield a part's images as `Feed.evaluate` does, in the same batches.

        Errors: TrainingError with E344 where images cannot be read
        """
        if part not in self._measured:
            found = [FeatureBatch(Held(self._run(b.images)), b.targets, b.indices) for b in self._feed.evaluate(part)]
            self._measured[part] = found
        for batch in self._measured[part]:
            # Copies, should the rest write over what it reads.
            yield batch._replace(images=Held([value.clone() for value in batch.images.values]))

    def batch(self, draw: Draw) -> FeatureBatch:
        """Return the batch of a draw, without images that cannot be read.

        Errors: TrainingError with E344 where none is left
        """
        if not len(self._targets):
            self._fill()
        indices = draw.indices[self._has[draw.indices]]
        if not len(indices):
            raise TrainingError("no image of a batch can be read", "mend or replace the images", "E344")
        return FeatureBatch(self._rows(indices), self._targets[indices], indices)

    def _fill(self) -> None:
        _ = self._feed.mean  # which takes a pass of its own
        count = len(self._has)
        targets: Tensor | None = None
        for rows in torch.arange(count).tensor_split(self._feed.steps_per_epoch):
            # No change of the images is random, so that they are in any epoch as in this one.
            for batch in self._feed.chosen("train", 1, Draw(rows, rows)):
                values = self._run(batch.images)
                if targets is None:
                    targets = torch.empty((count, *batch.targets.shape[1:]), dtype=batch.targets.dtype)
                    self._stored = [self._room(value, count) for value in values]
                targets[batch.indices] = batch.targets
                self._has[batch.indices] = True
                for store, axes, value in zip(self._stored, self._axes, values, strict=True):
                    store[batch.indices.to(self._device)] = value.permute(axes)
        if targets is None:
            raise TrainingError("no training image can be read", "mend or replace the images", "E344")
        self._targets = targets

    def _room(self, value: Tensor, count: int) -> Tensor:
        strides = value.stride()
        axes = sorted(range(value.dim()), key=lambda axis: (axis != 0, -strides[axis], axis))
        self._axes.append(axes)
        sizes = [value.shape[axis] for axis in axes[1:]]
        return torch.empty((count, *sizes), dtype=value.dtype, device=self._device)

    def _rows(self, indices: Tensor) -> Held:
        rows = indices.to(self._device)
        found: list[Tensor] = []
        for store, axes in zip(self._stored, self._axes, strict=True):
            back = sorted(range(len(axes)), key=axes.__getitem__)
            found.append(store.index_select(0, rows).permute(back))
        return Held(found)

    def _run(self, images: Tensor) -> tuple[Tensor, ...]:
        with torch.no_grad(), self._context():
            loaded = self._feed.normalise(images.to(self._device)).contiguous(memory_format=self._layout)
            found = cast("Tensor | Sequence[Tensor]", self._trunk(loaded))
        return (found,) if isinstance(found, Tensor) else tuple(found)


def check_kept(phases: Sequence[RunPhase], recipe: Recipe, data: DataSet, device: torch.device) -> None:
    """Check that what a trunk gives can be kept in at least one phase, and that there is room where it can.

    Errors: TrainingError with E377
    """
    drawn = next((change for change in recipe.train if change.is_random), None)
    if drawn is not None:
        help = f"{_HELP}, or take a recipe of your own in which `images train` has no changes at random"
        raise refused(f"`{drawn.keyword}` of `images train` makes other images in each epoch", help)
    if recipe.compile.is_on:
        raise refused("`compile` joins steps of the whole network, and may round otherwise")
    reasons = [found for phase in phases if isinstance(found := phase.cut, str)]
    if len(reasons) == len(phases):
        raise refused(reasons[0])
    free = _free_memory(device)
    for phase in phases:
        if isinstance(phase.cut, str):
            continue
        each = sum(4 * prod(shape.numbers()) for shape in phase.cut.values)
        needed = each * sum(len(samples) for part, samples in data.parts.items() if part != "test")
        if free is not None and needed > _SHARE * free:
            gib = 2**30
            raise refused(f"it is {needed / gib:.1f} GiB for all images, and {free / gib:.1f} GiB of memory are free")


def refused(reason: str, help: str = _HELP) -> TrainingError:
    """Return the error of a run whose features cannot be kept."""
    return TrainingError(f"what the frozen part gives cannot be kept: {reason}", help, "E377")


def _free_memory(device: torch.device) -> int | None:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not on every system
        return None


def trial_draws(feed: Feed, epoch: int) -> Sequence[Draw]:
    """Return batches of an epoch that stand for all: two of each size, at whose every place an image is computed."""
    draws = feed.draws(epoch)
    sizes = dict.fromkeys(len(draw.indices) for draw in draws)
    return [draw for size in sizes for draw in islice((d for d in draws if len(d.indices) == size), 2)]
