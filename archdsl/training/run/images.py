"""Files of images, one after another through a network, prepared as those of a data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from archdsl.recipes.images import Grey
from archdsl.recipes.recipe import Recipe
from archdsl.recipes.updates import BatchSize
from archdsl.training.data.dataset import BadSampleError, DataSet
from archdsl.training.data.feed import Feed
from archdsl.training.data.statistics import Statistics
from archdsl.training.images.decode import decode
from archdsl.training.run.evaluation import Prepared
from archdsl.training.tasks.scikit import whole

_BATCH = 16
Given = Tensor | tuple[Tensor, ...] | Mapping[str, Tensor]
"""What a network gives."""


class ImageFiles:
    """Image files as a part of a data set, each with a class that means nothing."""

    def __init__(self, paths: Sequence[Path], channels: int, recipe: Recipe) -> None:
        """Take files for a network of so many channels, whose images `images eval` of a recipe prepares."""
        self._paths = paths
        self._is_grey_only = channels == 1 and not any(isinstance(change, Grey) for change in recipe.eval)
        self._reasons: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._paths)

    def image(self, index: int) -> Tensor:
        """Read an image.

        Errors: BadSampleError, also where it is in colour and the network takes grey ones
        """
        try:
            image = decode(self._paths[index], self.name(index))
            if self._is_grey_only and len(image) != 1:
                raise BadSampleError(self.name(index), "it is in colour, and the network takes grey images")
        except BadSampleError as error:
            self._reasons[index] = error.reason
            raise
        return image

    def target(self, index: int) -> Tensor:
        """Return a class that means nothing."""
        del index
        return torch.tensor(0)

    def name(self, index: int) -> str:
        """Return what an image is called: two files may be the same one, and the feed counts by name."""
        return f"{index} {self._paths[index]}"

    def feed(self, recipe: Recipe, size: tuple[int, int, int], statistics: Statistics) -> Feed:
        """Return what feeds them to a network of the input [C, H, W], as a recipe measures images."""
        # To the feed, they are images of one class: nothing but the images is asked for.
        data = DataSet("files", "class", ("",), size[0], {"train": self, "test": self})
        few = recipe.model_copy(update={"batch_size": BatchSize(images=min(_BATCH, recipe.batch_size.images))})
        return Feed(data, few, size, skip_bad=len(self), statistics=statistics)

    def passed(self, feed: Feed, prepared: Prepared) -> Iterator[tuple[int, Given | str]]:
        """Yield for each file, in their order, what the network gives for it, on the CPU, or why it cannot be read."""
        told = 0
        with torch.inference_mode():
            for batch in feed.evaluate("test"):
                images = prepared.normalise(batch.images.to(prepared.device))
                with prepared.autocast():
                    output = cast("Given", prepared.module(images))
                for row, index in enumerate(whole(batch.indices)):
                    yield from self._unread(range(told, index))
                    yield index, _row(output, row)
                    told = index + 1
        yield from self._unread(range(told, len(self)))

    def _unread(self, places: range) -> Iterator[tuple[int, str]]:
        for index in places:
            yield index, self._reasons[index]


def _row(output: Given, row: int) -> Given:
    """Return what a network gave for one image of a batch."""
    if isinstance(output, Tensor):
        return output[row].float().cpu()
    if isinstance(output, Mapping):
        return {name: value[row].float().cpu() for name, value in output.items()}
    return tuple(value[row].float().cpu() for value in output)
