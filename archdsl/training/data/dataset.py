"""What training asks of data. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

DataPart: TypeAlias = Literal["train", "validation", "test"]
TargetKind: TypeAlias = Literal["class", "classes", "number", "mask", "image"]
"""What belongs to an image: one class, any number of classes, a number, a class for each pixel, or an image."""

PARTS: tuple[DataPart, ...] = ("train", "validation", "test")
IGNORED = 255
"""The class of a mask's pixels that do not count."""


class Samples(Protocol):
    """One part of a data set."""

    def __len__(self) -> int: ...

    def image(self, index: int) -> Tensor:
        """Return an image, uint8 [C, H, W] with C 1 or 3.

        Errors: BadSampleError where it cannot be read
        """
        ...

    def target(self, index: int) -> Tensor:
        """Return what belongs to an image.

        A class is int64 [], classes are float32 [K], a number is float32 [], a mask int64 [H, W], an image uint8
        [C, H, W].
        """
        ...

    def name(self, index: int) -> str:
        """Return what an image is called: its file below the data's folder, or such as `digits 17`."""
        ...


class BadSampleError(Exception):
    """An image, or what belongs to it, that cannot be read."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason


@dataclass(frozen=True, eq=False)
class DataSet:
    """Images with what belongs to them, in up to three parts; `train` is always there."""

    name: str
    """As the user gave it: `imagefolder:pets`."""
    kind: TargetKind
    classes: tuple[str, ...]
    """Empty for numbers and images."""
    channels: int
    """Of most images: 1 or 3."""
    parts: Mapping[DataPart, Samples]
    notes: tuple[str, ...] = ()
    """What the user should know, a sentence each: how parts were made, and which files were left aside."""
    digest: str = ""
    """SHA-256 of names, labels and byte sizes, and of contents too where all are under 1 GiB together."""
    listing: Mapping[str, str] = field(default_factory=lambda: MappingProxyType(dict[str, str]()))
    """What is shown where two digests differ: counts by part and class, classes, and sizes."""
