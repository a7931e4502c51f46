"""What can be said of a data set before a network is trained on it."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass

import torch

from archdsl.training.data.dataset import PARTS, BadSampleError, DataPart, DataSet, Samples
from archdsl.training.data.samples import PairSamples, targets_of


@dataclass(frozen=True)
class DataReport:
    """Counts, sizes, and images that cannot be read or that are in two parts."""

    counts: dict[DataPart, int]
    per_class: dict[DataPart, dict[str, int]]
    """Of one class an image, or several; empty for other targets."""
    values: dict[DataPart, tuple[float, float, float, float]]
    """Of numbers: least, mean, most, and deviation."""
    sizes: dict[tuple[int, int], int]
    """Images by height and width."""
    channels: dict[int, int]
    """Images by channels."""
    bad: tuple[tuple[str, str], ...]
    """Images that cannot be read, and why."""
    shared: tuple[tuple[str, ...], ...]
    """Images whose pixels are the same, in more than one part."""
    repeated: int
    """Images whose pixels another one in their part has."""


def report_on(data: DataSet) -> DataReport:
    """Read every image of a data set once."""
    sizes: Counter[tuple[int, int]] = Counter()
    channels: Counter[int] = Counter()
    bad: list[tuple[str, str]] = []
    places: dict[bytes, list[tuple[DataPart, str]]] = defaultdict(list)
    for part in _parts(data):
        samples = data.parts[part]
        for index in range(len(samples)):
            try:
                image = samples.image(index)
                if isinstance(samples, PairSamples):
                    samples.target(index)
            except BadSampleError as error:
                bad.append((error.name, error.reason))
                continue
            sizes[image.shape[1], image.shape[2]] += 1
            channels[len(image)] += 1
            content = repr(tuple(image.shape)).encode() + image.contiguous().numpy().tobytes()
            places[hashlib.sha256(content).digest()].append((part, samples.name(index)))
    shared = [names for names in places.values() if len({part for part, _ in names}) > 1]
    inside = sum(count - 1 for names in places.values() for count in Counter(part for part, _ in names).values())
    return DataReport(
        counts={part: len(data.parts[part]) for part in _parts(data)},
        per_class={part: _per_class(data, data.parts[part]) for part in _parts(data)} if _is_listed(data) else {},
        values={part: _values(data.parts[part]) for part in _parts(data)} if data.kind == "number" else {},
        sizes=dict(sizes.most_common()),
        channels=dict(channels.most_common()),
        bad=tuple(bad),
        shared=tuple(tuple(f"{part}: {name}" for part, name in names) for names in shared),
        repeated=inside,
    )


def _parts(data: DataSet) -> list[DataPart]:
    return [part for part in PARTS if part in data.parts]


def _is_listed(data: DataSet) -> bool:
    return data.kind in ("class", "classes")


def _per_class(data: DataSet, samples: Samples) -> dict[str, int]:
    targets = targets_of(samples)
    counts = torch.bincount(targets, minlength=len(data.classes)) if data.kind == "class" else targets.sum(0)
    return {name: int(count) for name, count in zip(data.classes, counts, strict=True)}


def _values(samples: Samples) -> tuple[float, float, float, float]:
    values = targets_of(samples).double()
    return float(values.min()), float(values.mean()), float(values.max()), float(values.std(correction=0))
