"""What a loop takes from data: batches of an epoch, from any step, and images to be measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property

import torch
from torch import Tensor

from archdsl.recipes.images import Grey
from archdsl.recipes.recipe import Recipe
from archdsl.training.data.dataset import BadSampleError, DataPart, DataSet
from archdsl.training.data.loading import Batch, Loaded, Loader, Wanted
from archdsl.training.data.order import Draw, balanced, shuffled
from archdsl.training.data.samples import targets_of
from archdsl.training.data.statistics import Statistics, chosen, imagenet, measure
from archdsl.training.data.workers import Workers
from archdsl.training.error import TrainingError


class Feed:
    """Feed a data set to a network of the input size [C, H, W], as a recipe says.

    What happens to an image is a function of the recipe's seed, the epoch and the image's index alone. So batches have
    the same bytes with any number of workers, and from whatever step an epoch is begun.

    `statistics` are those of a run that is gone on with, instead of the data's own. So many as `skip_bad` images that
    cannot be read are left out, without others in their place; `bad` names them.

    Errors: TrainingError; E347 where channels do not fit, E348 where the recipe asks for what the data has not
    """

    def __init__(
        self,
        data: DataSet,
        recipe: Recipe,
        size: tuple[int, int, int],
        *,
        workers: int = 0,
        pin: bool = False,
        skip_bad: int = 0,
        statistics: Statistics | None = None,
    ) -> None:
        _check(data, recipe, size)
        self.data, self.bad = data, list[str]()
        self._recipe, self._size = recipe, size
        self._pin, self._skip_bad, self._known = pin, skip_bad, statistics
        self._loader = Loader(data, recipe.train, recipe.eval, size, recipe.seed.number)
        self._workers = Workers(self._loader, workers, pin=pin) if workers > 0 else None
        self._scales: dict[torch.device, tuple[Tensor, Tensor]] = {}

    @property
    def steps_per_epoch(self) -> int:
        """The batches of an epoch."""
        return -(-len(self.data.parts["train"]) // self._recipe.batch_size.images)

    @property
    def smallest_batch(self) -> int:
        """The images of an epoch's smallest batch; their numbers differ by one at most."""
        return len(self.data.parts["train"]) // self.steps_per_epoch

    @property
    def mean(self) -> tuple[float, ...]:
        """What is taken from each channel, of pixels from 0 to 1."""
        return self._statistics.mean

    @property
    def deviation(self) -> tuple[float, ...]:
        """What each channel is divided by."""
        return self._statistics.deviation

    def train(self, epoch: int, first_step: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, which counts from 1, from a step on, which counts from 0.

        Errors: TrainingError with E344 where images cannot be read
        """
        _ = self._statistics  # they take a pass of their own, which would end this one
        wanted = [Wanted("train", epoch, draw) for draw in self.draws(epoch)[first_step:]]
        for batch in self._load(wanted):
            if batch is None:
                raise TrainingError("no image of a batch can be read", "mend or replace the images", "E344")
            yield batch

    def draws(self, epoch: int) -> list[Draw]:
        """Return which images the batches of an epoch are of."""
        parts = [part.tensor_split(self.steps_per_epoch) for part in self._order(epoch)]
        return [Draw(*pair) for pair in zip(*parts, strict=True)]

    def evaluate(self, part: DataPart) -> Iterator[Batch]:
        """Yield a part's images once, in its own order, as `images eval` makes them.

        Errors: TrainingError with E344 where images cannot be read
        """
        _ = self._statistics  # as above
        return self._measured(part, torch.arange(len(self.data.parts[part])))

    def chosen(self, part: DataPart, epoch: int, draw: Draw) -> Iterator[Batch]:
        """Yield one batch of some images as they are in an epoch; epoch 0 is as they are measured.

        Errors: TrainingError with E344 where images cannot be read
        """
        return (batch for batch in self._load([Wanted(part, epoch, draw)]) if batch is not None)

    def normalise(self, images: Tensor) -> Tensor:
        """Return images as the network takes them, float32, on the device that they are on."""
        if images.device not in self._scales:
            mean, deviation = (
                torch.tensor(values, dtype=torch.float32, device=images.device)[:, None, None]
                for values in (self.mean, self.deviation)
            )
            self._scales[images.device] = (mean * 255, 1 / (deviation * 255))
        mean, scale = self._scales[images.device]
        return images.to(torch.float32).sub_(mean).mul_(scale)

    def class_counts(self) -> tuple[int, ...]:
        """Count the training images of each class; of several classes an image, each; of masks their pixels."""
        match self.data.kind:
            case "class":
                return tuple(int(count) for count in torch.bincount(self._labels, minlength=len(self.data.classes)))
            case "classes":
                return tuple(int(count) for count in self._targets().sum(0))
            case "mask":
                return self._pixel_counts()
            case _:
                return ()

    def _pixel_counts(self) -> tuple[int, ...]:
        samples, size = self.data.parts["train"], len(self.data.classes)
        counts = torch.zeros(size, dtype=torch.int64)
        for index in range(len(samples)):
            # What cannot be read, or has other classes, is told when it is loaded.
            with suppress(BadSampleError):
                mask = samples.target(index)
                counts += torch.bincount(mask[(mask >= 0) & (mask < size)], minlength=size)
        return tuple(int(count) for count in counts)

    def close(self) -> None:
        """End the workers."""
        if self._workers is not None:
            self._workers.close()

    def _order(self, epoch: int) -> Draw:
        seed = self._recipe.seed.number
        if self._recipe.sampler.way == "balanced":
            return balanced(self._labels, seed, epoch)
        return shuffled(len(self.data.parts["train"]), seed, epoch)

    @cached_property
    def _labels(self) -> Tensor:
        labels = self._targets()
        wrong = labels[(labels < 0) | (labels >= len(self.data.classes))]
        if len(wrong):
            raise TrainingError(
                f"an image has class {int(wrong[0])}, and the data's {len(self.data.classes)} classes count from 0",
                code="E349",
            )
        return labels

    def _targets(self) -> Tensor:
        try:
            return targets_of(self.data.parts["train"])
        except BadSampleError as error:
            raise TrainingError(f"`{error.name}` cannot be read: {error.reason}", code="E344") from error

    @cached_property
    def _statistics(self) -> Statistics:
        if self._known is not None:
            return self._known
        channels = self._size[0]
        match self._recipe.normalization.by:
            case "imagenet":
                return imagenet(channels)
            case "none":
                return Statistics((0.0,) * channels, (1.0,) * channels)
            case "data":
                rows = chosen(len(self.data.parts["train"]))
                return measure(batch.images for batch in self._measured("train", rows))

    def _measured(self, part: DataPart, rows: Tensor) -> Iterator[Batch]:
        most = self._recipe.batch_size.images
        batches = [rows[first : first + most] for first in range(0, len(rows), most)]
        wanted = [Wanted(part, 0, Draw(some, some)) for some in batches]
        return (batch for batch in self._load(wanted) if batch is not None)

    def _load(self, wanted: Sequence[Wanted]) -> Iterator[Batch | None]:
        workers = self._workers
        for loaded in map(self._loader.load, wanted) if workers is None else workers.load(wanted):
            self._heed(loaded)
            batch = loaded.batch
            if batch is not None and self._pin and workers is None:
                batch = Batch(*(tensor.pin_memory() for tensor in batch))
            yield batch

    def _heed(self, loaded: Loaded) -> None:
        if loaded.failure is not None:
            raise TrainingError(*loaded.failure)
        for name, reason in loaded.bad:
            if name in self.bad:
                continue
            if len(self.bad) >= self._skip_bad:
                beside = f", and {len(self.bad)} others before it" if self.bad else ""
                raise TrainingError(
                    f"`{name}` cannot be read: {reason}{beside}",
                    "mend or remove it, or allow some such images by --skip-bad N",
                    "E344",
                )
            self.bad.append(name)


def _check(data: DataSet, recipe: Recipe, size: tuple[int, int, int]) -> None:
    channels = size[0]
    if channels not in (1, 3):
        raise TrainingError(
            f"the network's input has {channels} channels, and images have 1 or 3", "give it another --input", "E347"
        )
    for word, changes in (("train", recipe.train), ("eval", recipe.eval)):
        if channels == 1 and data.channels == 3 and not any(isinstance(change, Grey) for change in changes):
            raise TrainingError(
                "the images are in colour, and the network's input has one channel",
                f"write `images {word} {{ grey }}` in the recipe, or give the network an --input of three channels",
                "E347",
            )
    if recipe.sampler.way == "balanced" and data.kind != "class":
        raise TrainingError(
            "`sampler balanced` asks for one class an image, and the data has none", "leave the statement out", "E348"
        )
