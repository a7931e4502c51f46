"""Parts of data sets: held in memory, or read from files when asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from archdsl.training.data.dataset import IGNORED, BadSampleError, DataPart, DataSet, Samples, TargetKind
from archdsl.training.images.decode import decode, decode_mask


class MemorySamples:
    """Images of one size, uint8 [N, C, H, W], with targets [N, …]."""

    def __init__(self, images: Tensor, targets: Tensor, noun: str, numbers: Sequence[int]) -> None:
        self.images, self.targets = images, targets
        self._noun, self._numbers = noun, numbers

    def __len__(self) -> int:
        return len(self.images)

    def image(self, index: int) -> Tensor:
        """Return an image, uint8 [C, H, W]."""
        return self.images[index]

    def target(self, index: int) -> Tensor:
        """Return what belongs to an image."""
        return self.targets[index]

    def name(self, index: int) -> str:
        """Return the image's number in the whole data set: `digits 17`."""
        return f"{self._noun} {self._numbers[index]}"

    def chosen(self, rows: Tensor, targets: Tensor) -> MemorySamples:
        """Return some of the images, by int64 [M], with other targets."""
        return MemorySamples(self.images[rows], targets, self._noun, [self._numbers[int(row)] for row in rows])


class FileSamples:
    """Image files with targets [N, …]."""

    def __init__(self, root: Path, names: Sequence[str], targets: Tensor) -> None:
        self.root, self.names, self.targets = root, names, targets

    def __len__(self) -> int:
        return len(self.names)

    def image(self, index: int) -> Tensor:
        """Read an image.

        Errors: BadSampleError
        """
        return decode(self.root / self.names[index], self.names[index])

    def target(self, index: int) -> Tensor:
        """Return what belongs to an image."""
        return self.targets[index]

    def name(self, index: int) -> str:
        """Return the image's file, below the data's folder."""
        return self.names[index]

    def chosen(self, rows: Tensor, targets: Tensor) -> FileSamples:
        """Return some of the files, by int64 [M], with other targets."""
        return FileSamples(self.root, [self.names[int(row)] for row in rows], targets)


class PairSamples:
    """Image files with masks or images that are files too."""

    def __init__(
        self, root: Path, names: Sequence[str], others: Sequence[str], kind: TargetKind, channels: int, is_binary: bool
    ) -> None:
        self.root, self.names, self.others = root, names, others
        self._kind, self._channels, self._is_binary = kind, channels, is_binary

    def __len__(self) -> int:
        return len(self.names)

    def image(self, index: int) -> Tensor:
        """Read an image.

        Errors: BadSampleError
        """
        return decode(self.root / self.names[index], self.names[index])

    def target(self, index: int) -> Tensor:
        """Read what belongs to an image.

        Errors: BadSampleError
        """
        name = self.others[index]
        if self._kind == "image":
            image = decode(self.root / name, name)
            if len(image) > self._channels:
                raise BadSampleError(name, "it is in colour, and the targets looked at first are grey")
            return image.expand(self._channels, -1, -1)
        mask = decode_mask(self.root / name, name)
        if not self._is_binary:
            return mask
        if bool(((mask != 0) & (mask != IGNORED)).any()):
            raise BadSampleError(name, f"it has other values than 0 and {IGNORED}, as the masks looked at first have")
        return mask // IGNORED

    def name(self, index: int) -> str:
        """Return the image's file, below the data's folder."""
        return self.names[index]


def targets_of(samples: Samples) -> Tensor:
    """Return the targets of a part, stacked; only what holds no table of them is read for it.

    Errors: BadSampleError
    """
    if isinstance(samples, MemorySamples | FileSamples):
        return samples.targets
    return torch.stack([samples.target(index) for index in range(len(samples))])


def in_memory(
    name: str,
    classes: tuple[str, ...],
    images: Tensor,
    targets: Tensor,
    parts: dict[DataPart, Sequence[int]],
    notes: Sequence[str],
) -> DataSet:
    """Make a data set of images of one size, uint8 [N, C, H, W], with a class each, of which parts are rows."""
    noun = name.partition(":")[0]
    digest = hashlib.sha256(repr((classes, sorted((part, [*rows]) for part, rows in parts.items()))).encode())
    for tensor in (images, targets):
        digest.update(tensor.numpy().tobytes())
    return DataSet(
        name=name,
        kind="class",
        classes=classes,
        channels=images.shape[1],
        parts={
            part: MemorySamples(images[torch.tensor(rows)], targets[torch.tensor(rows)], noun, rows)
            for part, rows in parts.items()
        },
        notes=tuple(notes),
        digest=digest.hexdigest(),
        listing={part: f"{len(rows)} images" for part, rows in parts.items()},
    )
