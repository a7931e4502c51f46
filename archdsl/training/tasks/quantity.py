"""Images with a number each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor
from torch.nn import functional

from archdsl.recipes.measures import AbsoluteError
from archdsl.training.tasks.base import Meter, Task, mean
from archdsl.training.tasks.scikit import mean_absolute_error, r2

if TYPE_CHECKING:
    from archdsl.training.data.dataset import TargetKind


class NumberTask(Task):
    """One number an image: outputs [N, 1] or [N], targets [N] in float32."""

    kind: ClassVar[TargetKind] = "number"

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the mean squared or absolute error."""
        return self.each(output, target).mean()

    def each(self, output: Tensor, target: Tensor) -> Tensor:
        """Return each image's squared or absolute error."""
        return distance(self, output.float().reshape(target.shape), target.float())

    def meter(self) -> Meter:
        """Return what measures loss, R² and the mean absolute error."""
        return _NumberMeter(self)


def distance(task: Task, output: Tensor, target: Tensor) -> Tensor:
    """Return squared differences, or absolute ones where the recipe says so."""
    if isinstance(task.statement, AbsoluteError):
        return functional.l1_loss(output, target, reduction="none")
    return functional.mse_loss(output, target, reduction="none")


class _NumberMeter(Meter):
    def _measure(self, output: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        return self.task.each(output, target), output.reshape(target.shape), target

    def _figures(self, columns: Sequence[Tensor]) -> dict[str, float]:
        losses, predicted, targets = columns
        return {
            "loss": mean(losses),
            "r2": r2(targets, predicted),
            "mae": mean_absolute_error(targets, predicted),
        }
