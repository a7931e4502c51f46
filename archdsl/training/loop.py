"""The run: epochs of steps, a test after each, and files that tell what happened."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import cast

import torch

from archdsl.network import Network
from archdsl.training.data import DataSet, epoch_seed, steps_per_epoch
from archdsl.training.error import TrainingError
from archdsl.training.fit import auxiliary_outputs, check_classes, check_trainable, image_size
from archdsl.training.folder import RunFolder
from archdsl.training.learner import Learner, Update
from archdsl.training.observer import Epoch, Observer, Result, Start, TrainingStep
from archdsl.training.recipe import Recipe

# Reading a loss waits for the GPU to catch up; a CPU has nothing to wait for.
STEPS_PER_READING = {"cpu": 1}
STEPS_PER_READING_ELSEWHERE = 20


def train(
    network: Network,
    recipe: Recipe,
    data: DataSet,
    out: Path,
    observer: Observer,
    *,
    overwrite: bool = False,
) -> Result:
    """Train a network from fresh weights and write the run to a folder.

    Ensures: the same recipe gives the same metrics and weights on a CPU with as many threads; the caller's
    random state is as before; an interrupt from the keyboard ends the run early, with its files written.
    Errors: TrainingError where network and data do not fit, the folder holds a run, or the loss is not finite
    """
    size = image_size(network, data)
    check_classes(network, data)
    auxiliary = auxiliary_outputs(network, data)
    steps = steps_per_epoch(data, recipe.batch_size)
    check_trainable(network, data.train_size // steps)
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(recipe.seed)
        learner = Learner(network.module(), recipe, size, steps, auxiliary)
        folder = RunFolder(out, network, overwrite=overwrite)
        folder.write_inputs(recipe)
        return _Run(learner, data, folder, observer).run()


@dataclass
class _Run:
    learner: Learner
    data: DataSet
    folder: RunFolder
    observer: Observer
    epochs: list[Epoch] = field(default_factory=list[Epoch])

    def run(self) -> Result:
        began = perf_counter()
        self.observer.on_start(self._start())
        is_interrupted = False
        try:
            for number in range(1, self.learner.recipe.epochs + 1):
                self._epoch(number)
        except KeyboardInterrupt:
            is_interrupted = True
            self._save_interrupted()
        except Exception:
            if not self.epochs:
                self.folder.take_back()  # so that another try finds the folder as this one did
            with suppress(TrainingError):  # the first is the cause
                self._draw()
            raise
        self._draw()
        result = Result(self.folder.path, tuple(self.epochs), perf_counter() - began, is_interrupted)
        self.observer.on_end(result)
        return result

    def _epoch(self, number: int) -> None:
        # Dropout, too, follows from the seed and the epoch alone.
        torch.manual_seed(epoch_seed(self.learner.recipe.seed, number))
        began = perf_counter()
        meter = _Meter(number, self.learner, self.observer)
        for batch in self.data.train_batches(self.learner.recipe, number):
            meter.add(self.learner.update(batch))
        meter.read()
        trained = perf_counter()
        score = self.learner.evaluate(self.data.test_batches(self.learner.recipe.batch_size))
        if not isfinite(score.loss):
            raise _not_finite(f"the test loss after epoch {number} is {score.loss}", self.learner)
        self.learner.schedule.record(1 - meter.accuracy)
        self._finish(
            Epoch(
                epoch=number,
                step=self.learner.step,
                lr=meter.lr,
                train_loss=meter.mean_entropy,
                train_accuracy=meter.accuracy,
                test_loss=score.loss,
                test_accuracy=score.accuracy,
                seconds=perf_counter() - began,
                images_per_second=meter.images / (trained - began),
            )
        )

    def _finish(self, epoch: Epoch) -> None:
        best = max((earlier.test_accuracy for earlier in self.epochs), default=-1.0)
        facts = {"epoch": epoch.epoch, "step": epoch.step, "test_accuracy": epoch.test_accuracy}
        self.folder.save("last.safetensors", self.learner.module, facts)
        if epoch.test_accuracy > best:
            self.folder.save("best.safetensors", self.learner.module, facts)
        self.folder.add(epoch)
        self.epochs.append(epoch)
        self.observer.on_epoch(epoch)

    def _save_interrupted(self) -> None:
        """Keep the weights of an unfinished epoch, whose accuracy nobody measured."""
        done = self.epochs[-1] if self.epochs else None
        if done is None or self.learner.step > done.step:
            facts = {"epoch": len(self.epochs), "step": self.learner.step, "interrupted": True}
            self.folder.save("last.safetensors", self.learner.module, facts)

    def _draw(self) -> None:
        if self.epochs:
            self.folder.draw(f"{self.folder.network.name} on {self.data.name}", self.epochs)

    def _start(self) -> Start:
        learner, names = self.learner, self.folder.network.outputs
        return Start(
            network=self.folder.network.name,
            data=self.data.name,
            device=str(learner.device),
            parameters=sum(parameter.numel() for parameter in learner.module.parameters()),
            train_images=self.data.train_size,
            test_images=self.data.test_size,
            epochs=learner.recipe.epochs,
            steps_per_epoch=learner.steps_per_epoch,
            out=self.folder.path,
            unused=tuple(name for place, name in enumerate(names) if place and place not in learner.auxiliary),
        )


class _Meter:
    """Sum up an epoch's steps, reading them from the device a few at a time."""

    def __init__(self, epoch: int, learner: Learner, observer: Observer) -> None:
        self.epoch, self.learner, self.observer = epoch, learner, observer
        self.pending: list[Update] = []
        self.entropy, self.correct, self.images, self.lr = 0.0, 0, 0, 0.0
        self.steps_per_reading = STEPS_PER_READING.get(learner.device.type, STEPS_PER_READING_ELSEWHERE)

    @property
    def mean_entropy(self) -> float:
        return self.entropy / self.images

    @property
    def accuracy(self) -> float:
        return self.correct / self.images

    def add(self, update: Update) -> None:
        self.pending.append(update)
        if len(self.pending) >= self.steps_per_reading:
            self.read()

    def read(self) -> None:
        """Take in the pending steps.

        Errors: TrainingError at the first whose loss is not finite
        """
        if not self.pending:
            return
        losses = cast(list[float], torch.stack([update.loss for update in self.pending]).tolist())
        entropies = cast(list[float], torch.stack([update.entropy for update in self.pending]).tolist())
        correct = cast(list[int], torch.stack([update.correct for update in self.pending]).tolist())
        first = self.learner.step - len(self.pending) + 1
        for step, (update, loss) in enumerate(zip(self.pending, losses, strict=True), first):
            if not isfinite(loss):
                raise _not_finite(f"the loss at epoch {self.epoch}, step {step} is {loss}", self.learner)
            self.lr = update.lr
            self.observer.on_step(TrainingStep(self.epoch, step, update.lr, loss))
        self.entropy += sum(e * update.images for e, update in zip(entropies, self.pending, strict=True))
        self.correct += sum(correct)
        self.images += sum(update.images for update in self.pending)
        self.pending.clear()


def _not_finite(fact: str, learner: Learner) -> TrainingError:
    recipe = learner.recipe
    advice = [f"lower `lr`, now {recipe.lr:g}", f"raise `warmup_epochs`, now {recipe.warmup_epochs:g}"]
    if recipe.amp:
        advice.append("turn `amp` off")
    return TrainingError(fact, " or ".join(advice))
