"""What a run tells whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Start:
    """What is about to run."""

    network: str
    data: str
    device: str
    parameters: int
    train_images: int
    test_images: int
    epochs: int
    steps_per_epoch: int
    out: Path
    unused: tuple[str, ...] = ()
    """Outputs beside the main one that have no loss."""


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
    """One pass over the training images and the test that follows it: a row of metrics.csv.

    `step` counts the updates so far and `lr` is the last one's rate. Both losses are the plain cross-entropy
    of the main output. The training figures are means over augmented images, taken while the weights change.
    `seconds` covers training and test; `images_per_second` training only. Accuracies are from 0 to 1.
    """

    epoch: int
    step: int
    lr: float
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    seconds: float
    images_per_second: float


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run.

    `test_accuracy` is the last epoch's and is the figure to quote: the best one was picked by looking at the
    test images, which flatters it. Both are None where no epoch ended.
    """

    out: Path
    epochs: tuple[Epoch, ...]
    seconds: float
    is_interrupted: bool = False

    @property
    def test_accuracy(self) -> float | None:
        return self.epochs[-1].test_accuracy if self.epochs else None

    @property
    def best(self) -> Epoch | None:
        """Return the first epoch of the highest test accuracy."""
        return max(self.epochs, key=lambda epoch: epoch.test_accuracy, default=None)


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
