"""A part of a data set: some of its classes, and some images of each."""

# torch leaves much untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor

from archdsl.training.data.dataset import BadSampleError, DataPart, DataSet, Samples
from archdsl.training.data.samples import FileSamples, MemorySamples, targets_of
from archdsl.training.error import TrainingError


def subset(data: DataSet, classes: Sequence[int] = (), shots: int | None = None, seed: int = 0) -> DataSet:
    """Return some classes of a data set, numbered anew in the order given, and `shots` training images of each.

    Validation and test keep all images of these classes. Which training images are taken is a function of the seed, and
    with more shots the same ones are among them. Without classes all are kept.
    Errors: TrainingError with E348 where images have no single class, or the data lacks a class or so many images
    """
    if not classes and shots is None:
        return data
    if data.kind != "class":
        asks = "classes are chosen" if classes else "shots are counted"
        raise TrainingError(f"{asks} of images with one class each, and {data.name} has none such", code="E348")
    kept = [*classes] or [*range(len(data.classes))]
    _check(data, kept, shots)
    numbers = torch.full((len(data.classes),), -1)
    numbers[torch.tensor(kept)] = torch.arange(len(kept))
    labels: dict[DataPart, Tensor] = {part: numbers[_targets(data, samples)] for part, samples in data.parts.items()}
    rows: dict[DataPart, Tensor] = {part: (label >= 0).nonzero().flatten() for part, label in labels.items()}
    if shots is not None:
        rows["train"] = _shots(data, kept, labels["train"], (shots, seed))
    parts: dict[DataPart, Samples] = {
        part: _chosen(data.parts[part], rows[part], labels[part][rows[part]]) for part in data.parts
    }
    empty = next((part for part, samples in parts.items() if not len(samples)), None)
    if empty is not None:
        raise TrainingError(f"{data.name} has no {empty} image of these classes", code="E348")
    return DataSet(
        name=data.name,
        kind=data.kind,
        classes=tuple(data.classes[number] for number in kept),
        channels=data.channels,
        parts=MappingProxyType(parts),
        notes=(*data.notes, *_notes(data, classes, shots, seed)),
        digest=_digest(data, rows, kept),
        listing=MappingProxyType({part: f"{len(samples)} images" for part, samples in parts.items()}),
    )


def _check(data: DataSet, kept: Sequence[int], shots: int | None) -> None:
    count = len(data.classes)
    wrong = next((number for number in kept if not 0 <= number < count), None)
    if wrong is not None:
        raise TrainingError(f"{data.name} has no class {wrong}", f"its {count} classes count from 0", "E348")
    if len({*kept}) < len(kept):
        raise TrainingError("a class is named twice", "name each once", "E348")
    if len(kept) < 2:
        raise TrainingError("one class has nothing to be told from", "name two or more", "E342")
    if shots is not None and shots < 1:
        raise TrainingError(f"{shots} images of each class are nothing to learn from", "take 1 or more", "E348")


def _targets(data: DataSet, samples: Samples) -> Tensor:
    try:
        targets = targets_of(samples)
    except BadSampleError as error:
        raise TrainingError(f"`{error.name}` cannot be read: {error.reason}", code="E344") from error
    wrong = targets[(targets < 0) | (targets >= len(data.classes))]
    if len(wrong):
        fact = f"an image has class {int(wrong[0])}, and the data's {len(data.classes)} classes count from 0"
        raise TrainingError(fact, code="E349")
    return targets


def _shots(data: DataSet, kept: Sequence[int], labels: Tensor, drawn: tuple[int, int]) -> Tensor:
    """Return the rows of the training images that are taken, in order."""
    shots, seed = drawn
    chosen: list[Tensor] = []
    for number, label in enumerate(kept):
        members = (labels == number).nonzero().flatten()
        if len(members) < shots:
            fact = f"{data.name} has {len(members)} training images of class {label}, and {shots} are asked for"
            raise TrainingError(fact, "take fewer shots", "E348")
        # By the class's own number, so that it gives the same images beside whatever other classes.
        generator = torch.Generator().manual_seed(seed * len(data.classes) + label)
        chosen.append(members[torch.randperm(len(members), generator=generator)[:shots]])
    return torch.cat(chosen).sort().values


def _chosen(samples: Samples, rows: Tensor, targets: Tensor) -> Samples:
    """Return some samples with other targets; what is held in memory, or named, stays so."""
    if isinstance(samples, MemorySamples | FileSamples):
        return samples.chosen(rows, targets)
    return _Chosen(samples, rows.tolist(), targets)


class _Chosen:
    """Some samples of others, with targets of their own."""

    def __init__(self, samples: Samples, rows: Sequence[int], targets: Tensor) -> None:
        self._samples, self._rows, self._targets = samples, rows, targets

    def __len__(self) -> int:
        return len(self._rows)

    def image(self, index: int) -> Tensor:
        return self._samples.image(self._rows[index])

    def target(self, index: int) -> Tensor:
        return self._targets[index]

    def name(self, index: int) -> str:
        return self._samples.name(self._rows[index])


def _digest(data: DataSet, rows: Mapping[DataPart, Tensor], kept: Sequence[int]) -> str:
    told = (data.digest, [*kept], sorted((part, chosen.tolist()) for part, chosen in rows.items()))
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _notes(data: DataSet, classes: Sequence[int], shots: int | None, seed: int) -> list[str]:
    notes = [f"{len(classes)} of the {len(data.classes)} classes"] if classes else []
    return notes if shots is None else [*notes, f"{shots} training images of each class, by seed {seed}"]
