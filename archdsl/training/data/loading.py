"""One batch: its images read, changed and put together, in this process or in a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor

from archdsl.recipes.images import ImageChange
from archdsl.training.data.dataset import IGNORED, BadSampleError, DataPart, DataSet, Samples
from archdsl.training.data.order import Draw
from archdsl.training.data.python import PythonSamples
from archdsl.training.data.samples import MemorySamples
from archdsl.training.error import TrainingError
from archdsl.training.images.changes import Together, carry_out, numbers_needed, resized
from archdsl.training.images.randomness import keyed, uniform


class Batch(NamedTuple):
    """Images of the network's size with their targets, on the CPU."""

    images: Tensor
    """uint8 [N, C, H, W], not normalised."""
    targets: Tensor
    """Stacked; masks and images have the network's height and width too."""
    indices: Tensor
    """int64 [N], within the part."""


class Wanted(NamedTuple):
    """A batch to load."""

    part: DataPart
    epoch: int
    """From 1; 0 for the images as they are measured, by `images eval`."""
    draw: Draw


class Loaded(NamedTuple):
    """What loading gave. Failures are data too, for a worker's exceptions arrive as tracebacks."""

    batch: Batch | None
    bad: tuple[tuple[str, str], ...] = ()
    """Images that could not be read, and why; the batch has the others, and is None where there are none."""
    failure: tuple[str, str, str] | None = None
    """The message, help and code of a TrainingError."""


class Loader:
    """Load batches: what a worker is given. It can be pickled, and holds no state."""

    def __init__(
        self,
        data: DataSet,
        train: Sequence[ImageChange],
        measured: Sequence[ImageChange],
        size: tuple[int, int, int],
        seed: int,
    ) -> None:
        self._parts: Mapping[DataPart, Samples] = dict(data.parts)
        self._has_pairs = data.kind in ("mask", "image")
        self._train, self._measured = tuple(train), tuple(measured)
        self._size, self._seed = size, seed
        self._class_count = len(data.classes)
        self._kind = data.kind

    def load(self, wanted: Wanted) -> Loaded:
        """Load a batch, also where images of it cannot be read."""
        try:
            return self._load(wanted)
        except TrainingError as error:
            return Loaded(None, failure=(error.message, error.help, error.code))

    def _load(self, wanted: Wanted) -> Loaded:
        samples = self._parts[wanted.part]
        changes = self._train if wanted.epoch else self._measured
        keys = wanted.draw.keys
        numbers = [
            uniform(self._seed, wanted.epoch, keys, place, count) if count else keys[:, None]
            for place, count in enumerate(map(numbers_needed, changes))
        ]
        if isinstance(samples, MemorySamples):
            indices = wanted.draw.indices
            picture = self._changed(Together(samples.images[indices]), changes, numbers, lambda: samples.name(0))
            return Loaded(Batch(picture.images, samples.targets[indices], indices))
        return self._one_by_one(samples, wanted, changes, numbers)

    def _one_by_one(
        self, samples: Samples, wanted: Wanted, changes: Sequence[ImageChange], numbers: Sequence[Tensor]
    ) -> Loaded:
        images: list[Tensor] = []
        targets: list[Tensor] = []
        read: list[int] = []
        bad: list[tuple[str, str]] = []
        for row, index in enumerate(map(int, wanted.draw.indices)):
            own = [number[row : row + 1] for number in numbers]
            try:
                image, target = self._one(samples, wanted, row, changes, own)
            except BadSampleError as error:
                bad.append((error.name or samples.name(index), error.reason))
                continue
            if targets and target.shape != targets[0].shape:
                (mine, others) = ([*one.shape] for one in (target, targets[0]))
                raise TrainingError(
                    f"`{samples.name(index)}` has a target of the shape {mine}, and others have {others}", "", "E349"
                )
            images.append(image)
            targets.append(target)
            read.append(index)
        if not read:
            return Loaded(None, tuple(bad))
        return Loaded(Batch(torch.stack(images), torch.stack(targets), torch.tensor(read)), tuple(bad))

    def _one(
        self, samples: Samples, wanted: Wanted, row: int, changes: Sequence[ImageChange], numbers: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        index, key = int(wanted.draw.indices[row]), int(wanted.draw.keys[row])
        name = samples.name(index)
        # A user's own items may be random; ours are not. What is measured does not depend on the seed of a run.
        is_own = isinstance(samples, PythonSamples)
        with keyed(self._seed if wanted.epoch else 0, wanted.epoch, key) if is_own else nullcontext():
            image, target = samples.image(index), samples.target(index)
        joint = self._joint(name, image, self._checked(name, target))
        picture = self._changed(Together(image[None], joint), changes, numbers, lambda: name)
        moved = picture.joint
        return picture.images[0], target if moved is None else moved[0, 0] if self._kind == "mask" else moved[0]

    def _joint(self, name: str, image: Tensor, target: Tensor) -> Tensor | None:
        """Return the target [1, C, H, W] where it keeps the image's geometry."""
        if not self._has_pairs:
            return None
        if target.shape[-2:] != image.shape[-2:]:
            (height, width), (high, wide) = image.shape[-2:], target.shape[-2:]
            raise BadSampleError(name, f"it is {height} x {width} pixels, and its target {high} x {wide}")
        return target[None, None] if target.dim() == 2 else target[None]

    def _checked(self, name: str, target: Tensor) -> Tensor:
        """Return a target whose classes are those of the data.

        Errors: TrainingError with E349
        """
        if self._kind not in ("class", "mask"):
            return target
        counted = target[target != IGNORED] if self._kind == "mask" else target.reshape(1)
        wrong = counted[(counted < 0) | (counted >= self._class_count)]
        if len(wrong):
            raise TrainingError(
                f"`{name}` has class {int(wrong[0])}, and the data's {self._class_count} classes count from 0",
                "",
                "E349",
            )
        return target

    def _changed(
        self, picture: Together, changes: Sequence[ImageChange], numbers: Sequence[Tensor], name: Callable[[], str]
    ) -> Together:
        """Change images of one size, and make them the network's size and number of channels."""
        channels, *size = self._size
        for change, own in zip(changes, numbers, strict=True):
            picture = carry_out(change, picture, own, (size[0], size[1]))
        picture = resized(picture, (size[0], size[1]))
        have = picture.images.shape[1]
        if have == channels:
            return picture
        if have != 1:
            raise TrainingError(
                f"`{name()}` has {have} channels, and the network's input has {channels}",
                "write `images train { grey }` and `images eval { grey }` in the recipe" if channels == 1 else "",
                "E347",
            )
        return Together(picture.images.expand(-1, channels, -1, -1), picture.joint)
