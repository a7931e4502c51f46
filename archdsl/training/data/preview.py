"""Training images as a network will see them, on one sheet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch

from archdsl.recipes.recipe import Recipe
from archdsl.training.data.dataset import DataSet, Samples
from archdsl.training.data.feed import Feed
from archdsl.training.data.order import Draw
from archdsl.training.data.report import DataReport
from archdsl.training.data.samples import targets_of
from archdsl.training.images.sheet import contact_sheet

_USUAL_SIDE = 224
_ON_SHEET = 48
_COLUMNS = 8


def usual_size(data: DataSet, report: DataReport) -> tuple[int, int, int]:
    """Return a size [C, H, W] to show images in: their own where all have one that is small, else 224 x 224."""
    side = next(iter(report.sizes), (_USUAL_SIDE, _USUAL_SIDE))
    height, width = side if len(report.sizes) == 1 and max(side) <= _USUAL_SIDE else (_USUAL_SIDE, _USUAL_SIDE)
    return data.channels, height, width


def sheet_of(data: DataSet, recipe: Recipe, size: tuple[int, int, int], bad: Sequence[str]) -> bytes:
    """Draw training images as a network of the input size will see them in the first epoch, before normalising.

    Where images have one class, all classes are shown in turn.
    """
    feed = Feed(data, recipe, size, skip_bad=len(bad))
    samples = data.parts["train"]
    usable = [index for index in range(len(samples)) if samples.name(index) not in {*bad}]
    rows = torch.tensor(_in_turn(data, usable)[:_ON_SHEET])
    batch = next(feed.chosen("train", 1, Draw(rows, rows)))
    captions = [_caption(data, samples, int(index)) for index in batch.indices]
    return contact_sheet([*batch.images], captions, _COLUMNS)


def _in_turn(data: DataSet, indices: Sequence[int]) -> list[int]:
    if data.kind != "class":
        step = max(1, len(indices) // _ON_SHEET)
        return [*indices[::step]]
    seen: Counter[int] = Counter()
    keys: dict[int, tuple[int, int]] = {}
    labels = targets_of(data.parts["train"])
    for index in indices:
        label = int(labels[index])
        keys[index] = (seen[label], label)
        seen[label] += 1
    return sorted(indices, key=lambda index: keys[index])


def _caption(data: DataSet, samples: Samples, index: int) -> str:
    match data.kind:
        case "class":
            return data.classes[int(samples.target(index))]
        case "classes":
            return " ".join(name for name, there in zip(data.classes, samples.target(index), strict=True) if there)
        case "number":
            return f"{float(samples.target(index)):g}"
        case "mask" | "image":
            return Path(samples.name(index)).name
