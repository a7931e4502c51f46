"""Images with a value for each pixel: masks of classes, and images again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from archdsl.recipes.measures import CrossEntropy
from archdsl.training.error import TrainingError
from archdsl.training.tasks.base import Meter, Task, mean, number, share
from archdsl.training.tasks.classes import WeightedTask
from archdsl.training.tasks.fit import IGNORED
from archdsl.training.tasks.quantity import distance

if TYPE_CHECKING:
    from archdsl.training.data.dataset import TargetKind

BRIGHTEST = 255
_LEAST_ERROR = 1e-10
"""Of equal images; 100 dB are as many as are told."""


class MaskTask(WeightedTask):
    """One class a pixel: outputs [N, classes, H, W], targets [N, H, W] in int64, where 255 does not count."""

    kind: ClassVar[TargetKind] = "mask"

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the cross-entropy, a weighted mean over the pixels that count; 0 where there is none."""
        statement = self.statement
        assert isinstance(statement, CrossEntropy)
        weights = self.weights(output.device)
        total = functional.cross_entropy(
            output.float(),
            target,
            weights,
            ignore_index=IGNORED,
            reduction="sum",
            label_smoothing=statement.smoothing,
        )
        counted = target != IGNORED
        weight = counted.sum() if weights is None else weights[target.where(counted, 0)].where(counted, 0.0).sum()
        return total / torch.where(weight > 0, weight, 1)

    def each(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the plain cross-entropy of each image, a mean over its pixels that count."""
        return self.sums(output, target) / (target != IGNORED).sum((1, 2)).clamp_min(1)

    def sums(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the plain cross-entropy of each image, summed over its pixels."""
        losses = functional.cross_entropy(output.float(), target, ignore_index=IGNORED, reduction="none")
        return losses.sum((1, 2))

    def confusion(self, output: Tensor, target: Tensor) -> Tensor:
        """Count the pixels of each image by class and by predicted class, [N, classes, classes] in int64."""
        count = len(self.classes)
        counted = target != IGNORED
        pairs = (target.where(counted, 0) * count + output.argmax(1)).flatten(1)
        table = torch.zeros(len(target), count * count, dtype=torch.int64, device=target.device)
        table.scatter_add_(1, pairs, counted.flatten(1).to(torch.int64))
        return table.view(-1, count, count)

    def meter(self) -> Meter:
        """Return what measures loss, mean IoU and the share of pixels that are right."""
        return _MaskMeter(self)


class _MaskMeter(Meter):
    def __init__(self, task: MaskTask) -> None:
        super().__init__(task)
        self._masks = task
        self._table: Tensor | None = None

    def _measure(self, output: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        table = self._masks.confusion(output, target).sum(0)
        self._table = table if self._table is None else self._table + table
        return (self._masks.sums(output, target),)

    def state(self) -> list[Tensor]:
        """Return all that was taken in, the counts of pixels at the end."""
        return [*super().state(), self._table.cpu()] if self._table is not None else []

    def restore(self, columns: Sequence[Tensor], device: torch.device) -> None:
        """Take in what another meter of the same task had, instead of what this one has."""
        super().restore(columns[:-1], device)
        self._table = columns[-1].to(device) if columns else None

    def _figures(self, columns: Sequence[Tensor]) -> dict[str, float]:
        assert self._table is not None
        table = self._table.cpu().double()
        total, right = number(table.sum()), number(table.diagonal().sum())
        ious = intersections_over_unions(table)
        return {
            "loss": share(number(columns[0].double().sum()), total),
            "miou": number(ious[~ious.isnan()].mean()),
            "accuracy": share(right, total),
        }


def intersections_over_unions(table: Tensor) -> Tensor:
    """Return each class's IoU from a confusion matrix; no number for a class that neither side has.

    Source: sklearn.metrics.jaccard_score
    """
    same = table.diagonal()
    return same / (table.sum(0) + table.sum(1) - same)


class ImageTask(Task):
    """One image an image: outputs [N, C, H, W] from 0 to 1, targets of the same shape from 0 to 255."""

    kind: ClassVar[TargetKind] = "image"

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the mean squared or absolute error, of images from 0 to 1."""
        return self.each(output, target).mean()

    def each(self, output: Tensor, target: Tensor) -> Tensor:
        """Return each image's mean squared or absolute error."""
        _check_channels(output, target)
        return distance(self, output.float(), target.float() / BRIGHTEST).flatten(1).mean(1)

    def meter(self) -> Meter:
        """Return what measures loss and PSNR."""
        return _ImageMeter(self)


def _check_channels(output: Tensor, target: Tensor) -> None:
    if output.shape != target.shape:
        gives, wanted = list(output.shape[1:]), list(target.shape[1:])
        fact = f"the output is {gives}, and the target {wanted}"
        raise TrainingError(fact, f"end the network in {wanted[0]} channels: `conv {wanted[0]} k=1`", "E361")


def signal_to_noise(output: Tensor, target: Tensor) -> Tensor:
    """Return each image's peak signal-to-noise ratio in dB, for a peak of 1 and at most 100.

    Source: -10 log10 of the mean squared error, as in skimage.metrics.peak_signal_noise_ratio
    """
    errors = functional.mse_loss(output.float(), target.float() / BRIGHTEST, reduction="none").flatten(1).mean(1)
    return -10 * errors.clamp_min(_LEAST_ERROR).log10()


class _ImageMeter(Meter):
    def _measure(self, output: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        return self.task.each(output, target), signal_to_noise(output, target)

    def _figures(self, columns: Sequence[Tensor]) -> dict[str, float]:
        losses, ratios = columns
        return {"loss": mean(losses), "psnr": mean(ratios)}
