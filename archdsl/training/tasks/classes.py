"""Images with one class each, or with several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import isnan, nan
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from archdsl.recipes.measures import BinaryCrossEntropy, CrossEntropy
from archdsl.training.tasks.base import Meter, Task, mean
from archdsl.training.tasks.scikit import average_precisions, class_scores

if TYPE_CHECKING:
    from archdsl.training.data.dataset import TargetKind

_FIRST = 5


class WeightedTask(Task):
    """A task whose loss may weigh the classes."""

    def weights(self, device: torch.device) -> Tensor | None:
        """Return the weight of each class in the loss, [classes] in float32; None where all are equal.

        It is the images of a mean class over a class's own, 0 where it has none.
        Raises ValueError where the recipe asks for it and nobody counted the images.
        """
        if not isinstance(self.statement, CrossEntropy) or self.statement.classes == "equal":
            return None
        if device not in self._weights:
            self._weights[device] = _balanced(self.counts, len(self.classes)).to(device)
        return self._weights[device]

    @cached_property
    def _weights(self) -> dict[torch.device, Tensor]:
        """The weights by the device that they are on: copying them at each step would wait for it."""
        return {}


def _balanced(counts: Sequence[int], classes: int) -> Tensor:
    if len(counts) != classes:
        raise ValueError("balanced class weights need the number of training images of each class")
    found = torch.tensor(counts, dtype=torch.float64)
    return torch.where(found > 0, found.sum() / (classes * found), 0.0).float()


class ClassTask(WeightedTask):
    """One class an image: outputs [N, classes], targets [N] in int64."""

    kind: ClassVar[TargetKind] = "class"

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the cross-entropy, weighted and smoothed as the recipe says."""
        statement = self.statement
        assert isinstance(statement, CrossEntropy)
        weights = self.weights(output.device)
        return functional.cross_entropy(output.float(), target, weights, label_smoothing=statement.smoothing)

    def each(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the plain cross-entropy of each image."""
        return functional.cross_entropy(output.float(), target, reduction="none")

    def meter(self) -> Meter:
        """Return what measures loss, accuracies and F1."""
        return _ClassMeter(self)


class _ClassMeter(Meter):
    def _measure(self, output: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        kept = (self.task.each(output, target), target, output.argmax(1))
        if "top5" not in self.task.figures:
            return kept
        return (*kept, (output.topk(_FIRST).indices == target[:, None]).any(1))

    def _figures(self, columns: Sequence[Tensor]) -> dict[str, float]:
        losses, targets, predicted, *first = columns
        # Of the classes that occur, as targets or as predictions: the balanced accuracy is the mean over the former.
        scores = class_scores(targets, predicted)
        return {
            "loss": mean(losses),
            "accuracy": mean(targets == predicted),
            "balanced_accuracy": mean(scores.recall[scores.counts > 0]),
            "f1": mean(scores.f1),
            **({"top5": mean(first[0])} if first else {}),
        }


class LabelsTask(Task):
    """Any number of classes an image: outputs [N, classes], targets of the same shape, 0 or 1 in float32."""

    kind: ClassVar[TargetKind] = "classes"

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the binary cross-entropy, smoothed as the recipe says, a mean over images and classes."""
        statement = self.statement
        assert isinstance(statement, BinaryCrossEntropy)
        smoothed = target.float() * (1 - statement.smoothing) + statement.smoothing / 2
        return functional.binary_cross_entropy_with_logits(output.float(), smoothed)

    def each(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the plain binary cross-entropy of each image, a mean over its classes."""
        losses = functional.binary_cross_entropy_with_logits(output.float(), target.float(), reduction="none")
        return losses.mean(1)

    def meter(self) -> Meter:
        """Return what measures loss, mean average precision and F1."""
        return _LabelsMeter(self)


class _LabelsMeter(Meter):
    """Keep the scores, since an average precision looks at all of them at once."""

    def _measure(self, output: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        return self.task.each(output, target), output, target

    def _figures(self, columns: Sequence[Tensor]) -> dict[str, float]:
        losses, scores, targets = columns
        precisions = [value for value in average_precisions(scores, targets) if not isnan(value)]
        return {
            "loss": mean(losses),
            "mean_average_precision": sum(precisions) / len(precisions) if precisions else nan,
            "f1": mean(class_scores(targets > 0.5, scores > 0).f1),
        }
