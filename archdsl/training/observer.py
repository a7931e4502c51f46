"""What a run tells whoever watches it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Start:
    """What is about to run; `step` counts the steps that an earlier session took."""

    network: str
    data: str
    device: str
    parameters: int
    trained_parameters: int
    images: Mapping[str, int]
    """How many images each part has: training, validation, test."""
    epochs: int
    steps_per_epoch: int
    out: Path
    step: int = 0
    best_by: str = "accuracy"
    unused: tuple[str, ...] = ()
    """Outputs beside the main one that have no loss."""
    notes: tuple[str, ...] = ()
    """What is to be known of the data and of what was decided for the user."""
    phases: int = 1
    """How many phases the run has; `epochs` are those of all of them."""


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """One update of the weights; `epoch` and `step` count from 1, `step` over the whole run.

    `loss` is what was minimised, with label smoothing and auxiliary losses.
    """

    epoch: int
    step: int
    lr: float
    loss: float


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training images and the validation that follows it: a row of metrics.csv.

    `step` counts the updates so far and `lr` is the last one's rate. Figures are by name, `loss` first: the plain loss
    of the main output, without label smoothing, then what the data is measured by. Those of training are means over
    changed images, taken while the weights change. `validation` is empty where there are no such images. `seconds`
    covers training and validation; `images_per_second` training only. `phase` counts from 1.
    """

    epoch: int
    step: int
    lr: float
    train: Mapping[str, float]
    validation: Mapping[str, float]
    seconds: float
    images_per_second: float
    is_best: bool = False
    phase: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run.

    `test` are the figures of the best weights on the test images, which had no say in the run; None where the run was
    interrupted or has no test images.
    """

    out: Path
    epochs: tuple[Epoch, ...]
    seconds: float
    best_by: str = "accuracy"
    test: Mapping[str, float] | None = None
    interrupted_by: str = ""
    """The signal that ended the run early."""
    has_ended: bool = False
    """Whether nothing is left to do, in spite of a signal that came as late as that."""
    has_stopped_early: bool = False
    skipped_images: tuple[str, ...] = ()
    scaler_skips: int = 0
    """Steps that fp16's scaler left out."""

    @property
    def best(self) -> Epoch | None:
        """Return the epoch whose weights are the best, by the validation images."""
        return next((epoch for epoch in reversed(self.epochs) if epoch.is_best), None)

    @property
    def is_interrupted(self) -> bool:
        """Whether the run has more to do."""
        return bool(self.interrupted_by) and not self.has_ended


class Observer(Protocol):
    """A watcher of a run. Steps may arrive several at a time, for reading each at once would stall a GPU.

    A run that fails raises and does not call `on_end`.
    """

    def on_start(self, start: Start) -> None: ...

    def on_step(self, step: TrainingStep) -> None: ...

    def on_epoch(self, epoch: Epoch) -> None: ...

    def on_end(self, result: Result) -> None: ...


class Silent:
    """An observer that does nothing; a base for those that want some of the calls."""

    def on_start(self, start: Start) -> None:
        pass

    def on_step(self, step: TrainingStep) -> None:
        pass

    def on_epoch(self, epoch: Epoch) -> None:
        pass

    def on_end(self, result: Result) -> None:
        pass


class Several:
    """Observers that watch a run together."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def on_start(self, start: Start) -> None:
        for observer in self._observers:
            observer.on_start(start)

    def on_step(self, step: TrainingStep) -> None:
        for observer in self._observers:
            observer.on_step(step)

    def on_epoch(self, epoch: Epoch) -> None:
        for observer in self._observers:
            observer.on_epoch(epoch)

    def on_end(self, result: Result) -> None:
        for observer in self._observers:
            observer.on_end(result)
