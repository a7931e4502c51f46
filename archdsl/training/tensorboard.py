"""A run's figures for TensorBoard, where that is installed."""

# torch leaves its writer untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from archdsl.training.observer import Epoch, Result, Silent, Start, TrainingStep
from archdsl.training.run.record import TENSORBOARD


def is_installed() -> bool:
    """Return whether TensorBoard is installed."""
    return find_spec("tensorboard") is not None


class TensorBoard(Silent):
    """Write losses, rates and figures below a run's folder, once its first epoch has ended."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._writer: Any = None
        self._steps: list[TrainingStep] = []

    def on_start(self, start: Start) -> None:
        self._run = start.out

    def on_step(self, step: TrainingStep) -> None:
        self._steps.append(step)

    def on_epoch(self, epoch: Epoch) -> None:
        # Not before: until then the folder may be another run's.
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._run / TENSORBOARD))
        for step in self._steps:
            self._writer.add_scalar("loss/step", step.loss, step.step)
            self._writer.add_scalar("lr", step.lr, step.step)
        self._steps.clear()
        for part, figures in (("training", epoch.train), ("validation", epoch.validation)):
            for name, value in figures.items():
                self._writer.add_scalar(f"{name}/{part}", value, epoch.step)
        self._writer.flush()

    def on_end(self, result: Result) -> None:
        if self._writer is not None:
            self._writer.close()
