"""What came of each image of a part: what was predicted, how sure, and how large the loss was."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from archdsl.training.tasks.base import Task
from archdsl.training.tasks.dense import MaskTask, signal_to_noise
from archdsl.training.tasks.scikit import whole


class Outcomes:
    """Take in the outputs of a part, batch by batch: `add` is what `measure` may be given to watch.

    Of each image there are its place in the part, its loss, its target and what was predicted; where these are masks or
    images they are not kept, but the pixels of masks are counted.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self._kept: list[tuple[Tensor, ...]] = []
        self.table: Tensor | None = None
        """Pixels or images by class and predicted class, int64 [classes, classes]; of classes and masks only."""

    def add(self, output: Tensor, target: Tensor, indices: Tensor) -> None:
        """Take in a batch: the main output in float32, its targets, and the images' places in the part."""
        losses = self.task.each(output, target)
        match self.task.kind:
            case "class":
                sure, predicted = output.softmax(1).max(1)
                kept = (predicted, target, sure)
                self._count(target * output.shape[1] + predicted, output.shape[1])
            case "classes":
                kept = (output.sigmoid(), target)
            case "number":
                kept = (output.reshape(target.shape), target)
            case "mask":
                assert isinstance(self.task, MaskTask)
                tables = self.task.confusion(output, target)
                table = tables.sum(0).cpu()
                self.table = table if self.table is None else self.table + table
                right = tables.diagonal(dim1=1, dim2=2).sum(1) / tables.sum((1, 2)).clamp_min(1)
                kept = (right,)
            case "image":
                kept = (signal_to_noise(output, target),)
        self._kept.append((indices, losses.cpu(), *(tensor.cpu() for tensor in kept)))

    def _count(self, pairs: Tensor, classes: int) -> None:
        table = torch.bincount(pairs.cpu(), minlength=classes * classes).view(classes, classes)
        self.table = table if self.table is None else self.table + table

    @cached_property
    def columns(self) -> Sequence[Tensor]:
        """All images' places and losses, and by the kind of data what else there is. To be asked for at the end.

        Predicted class, class and how sure; scores and classes; predicted number and number; share of right pixels;
        PSNR.
        """
        return [torch.cat(column) for column in zip(*self._kept, strict=True)]

    def worst(self, count: int) -> list[tuple[int, str]]:
        """Return the places of the images with the largest losses, and a line on each; of classes only wrong ones."""
        places, losses, *_ = self.columns
        wrong = self._is_wrong
        order = losses.nan_to_num(nan=float("inf")).argsort(descending=True, stable=True)
        chosen = [number for number in whole(order) if bool(wrong[number])][:count]
        return [(int(places[number]), self._line(number)) for number in chosen]

    @property
    def _is_wrong(self) -> Tensor:
        _, losses, *rest = self.columns
        match self.task.kind:
            case "class":
                return rest[0] != rest[1]
            case "classes":
                return ((rest[0] > 0.5) != (rest[1] > 0.5)).any(1)
            case _:
                return losses != 0

    def _line(self, number: int) -> str:
        rest, classes = [column[number] for column in self.columns[2:]], self.task.classes
        match self.task.kind:
            case "class":
                return f"{classes[int(rest[1])]} → {classes[int(rest[0])]} {float(rest[2]):.0%}"
            case "classes":
                wanted, found = (rest[1] > 0.5), (rest[0] > 0.5)
                return f"{_named(classes, wanted)} → {_named(classes, found)}"
            case "number":
                return f"{float(rest[1]):.4g} → {float(rest[0]):.4g}"
            case "mask":
                return f"{float(rest[0]):.1%} right"
            case "image":
                return f"{float(rest[0]):.1f} dB"


def _named(classes: Sequence[str], chosen: Tensor) -> str:
    return ", ".join(name for name, is_in in zip(classes, whole(chosen), strict=True) if is_in) or "none"
