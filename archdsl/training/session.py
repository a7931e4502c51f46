"""A run under way: what one step changes, what is measured, and what a checkpoint keeps of it."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from itertools import takewhile
from math import isfinite
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from archdsl.training.data.dataset import DataPart
from archdsl.training.data.loading import Batch
from archdsl.training.error import TrainingError
from archdsl.training.features import FeatureBatch, Held, Rest
from archdsl.training.finite import FirstNotFinite, are_finite, not_finite
from archdsl.training.learner import Learner
from archdsl.training.observer import Epoch, Observer, TrainingStep
from archdsl.training.phases import phase_of
from archdsl.training.plan import RunPlan
from archdsl.training.resources import seed_step
from archdsl.training.tasks.base import as_outputs
from archdsl.training.tasks.measure import Watcher, measure
from archdsl.training.trial import try_both

# Reading a loss waits for the GPU to catch up, so that it is done for many steps at once.
STEPS_PER_READING = 20
_MOST_SKIPS = 50
"""Steps in a row that fp16's scaler may leave out."""


class Pending(NamedTuple):
    """A step whose loss has not been read from the device."""

    step: int
    lr: float
    loss: Tensor
    batch: Batch | FeatureBatch


class Session:
    """A network with its optimiser and all that goes with it, between two steps."""

    def __init__(self, plan: RunPlan, module: nn.Module) -> None:
        """Begin the first phase with its module."""
        self.plan, self.device = plan, plan.device
        self._is_bad = torch.zeros((), device=self.device)
        """1 from the first loss on that is not finite, and no more, for the device leaves updates out at 1 alone."""
        self.learner = self._begun(Learner(plan, plan.phases[0], module))
        self.meter = plan.task.meter()
        self.epoch, self.batches, self.step = 1, 0, 0
        """The epoch under way, counted from 1, its steps that were taken, and those of the whole run."""
        self.epochs: list[Epoch] = []
        self.scaler_skips = 0
        self._pending: list[Pending] = []
        self._skips_in_a_row = 0

    def _begun(self, learner: Learner) -> Learner:
        learner.gate(self._is_bad)
        self._steps_per_reading = STEPS_PER_READING if learner.is_gated or learner.scaler is not None else 1
        return learner

    @property
    def module(self) -> nn.Module:
        """The module that learns."""
        return self.learner.module

    @property
    def measured(self) -> nn.Module:
        """The module that is measured and saved as best: the running mean where the recipe keeps one."""
        return self.learner.measured

    @property
    def best(self) -> Epoch | None:
        """The best epoch so far."""
        return next((epoch for epoch in reversed(self.epochs) if epoch.is_best), None)

    @property
    def is_over(self) -> bool:
        """Whether the run has no more to learn."""
        return self.learner.has_done(self.epoch - 1) and self.learner.phase.number == len(self.plan.phases)

    def enter_phase(self) -> None:
        """Begin the next phase where the one before is over. Requires: the run is not, and no epoch is under way."""
        if self.learner.has_done(self.epoch - 1):
            self.learner = self._begun(self.learner.next(self.plan, self.epoch - 1, self.step))

    # One step.

    def update(self, batch: Batch | FeatureBatch, observer: Observer) -> None:
        """Take one step on a batch.

        Errors: TrainingError with E372 at a loss that is not finite; weights are then those of before that step
        """
        learner = self.learner
        lr = learner.lr(self.step)
        seed_step(self.device, self.plan.recipe.seed.number, self.step)
        images, targets = self.load(batch)
        outputs = as_outputs(learner.forward(images, lr))
        loss = self._loss(outputs, targets)
        self._pending.append(Pending(self.step + 1, lr, loss.detach(), batch))
        if learner.is_gated:
            torch.maximum(self._is_bad, (~torch.isfinite(loss.detach())).float(), out=self._is_bad)
        elif learner.scaler is None and not isfinite(loss.item()):
            self.read(observer)
        learner.learn(loss, self.step + 1)
        self.meter.add(outputs[0], targets)
        self.step, self.batches = self.step + 1, self.batches + 1
        if len(self._pending) >= self._steps_per_reading:
            self.read(observer)

    def batches_left(self) -> Iterator[Batch | FeatureBatch]:
        """Yield the batches that are left of the epoch: images, or what a frozen trunk gives for them.

        Errors: TrainingError with E344 where images cannot be read, with E377 where what is kept is not the same
        """
        features = self.learner.features
        if features is None:
            return self.plan.feed.train(self.epoch, self.batches)
        if self.learner.cut is not None and not features.is_tried:
            try_both(self.plan, self.learner, features, self.learner.cut, self.epoch, self.load, self._loss)
        return features.train(self.epoch, self.batches)

    def load(self, batch: Batch | FeatureBatch) -> tuple[Tensor | Held, Tensor]:
        """Bring a batch to the device; images are normalised there."""
        if isinstance(batch, FeatureBatch):
            return batch.images, batch.targets.to(self.device, non_blocking=True)
        images = self.normalise(batch.images.to(self.device, non_blocking=True))
        return images, batch.targets.to(self.device, non_blocking=True)

    def _loss(self, outputs: Sequence[Tensor], targets: Tensor) -> Tensor:
        task, weight = self.plan.task, self.plan.recipe.auxiliary.weight
        loss = task.loss(outputs[0].float(), targets)
        for place in task.auxiliary:
            loss = loss + weight * task.loss(outputs[place].float(), targets)
        return loss

    def read(self, observer: Observer) -> None:
        """Wait for the losses of the last steps, and tell them.

        Errors: TrainingError with E372 at the first that is not finite
        """
        pending, self._pending = self._pending, []
        if not pending:
            return
        losses = cast("list[float]", torch.stack([one.loss for one in pending]).tolist())
        for one, loss in zip(pending, losses, strict=True):
            if not isfinite(loss):
                if self.learner.scaler is None or self._skips_in_a_row >= _MOST_SKIPS:
                    raise self._not_finite(one, loss)
                self.scaler_skips, self._skips_in_a_row = self.scaler_skips + 1, self._skips_in_a_row + 1
                continue
            self._skips_in_a_row = 0
            observer.on_step(TrainingStep(self.epoch, one.step, one.lr, loss))

    def _not_finite(self, one: Pending, loss: float) -> Exception:
        """Repeat the forward pass of a step, whose weights are still there, and say where it went wrong."""
        seed_step(self.device, self.plan.recipe.seed.number, one.step - 1)
        images, _ = self.load(one.batch)
        running = self.learner.running
        found = FirstNotFinite(running.module if isinstance(running, Rest) else running)
        with self.learner.fabric.autocast():
            found.run(lambda: running(images))
        samples = self.plan.data.parts["train"]
        names = [samples.name(index) for index in cast("list[int]", one.batch.indices.tolist())]
        what = f"the loss of step {one.step}, in epoch {self.epoch}, is {loss}"
        return not_finite(what, self.learner.phase.recipe, found, names)

    # An epoch.

    def measure(
        self, module: nn.Module, part: DataPart, is_over: Callable[[], bool], watch: Watcher | None = None
    ) -> dict[str, float] | None:
        """Measure a module on a part of the data; None where `is_over` asks to end before that is done."""
        batches = takewhile(lambda _: not is_over(), self.plan.feed.evaluate(part))
        figures = measure(
            self.plan.task,
            module.eval(),
            batches,
            self.normalise,
            self.device,
            autocast=cast("Callable[[], AbstractContextManager[object]]", self.learner.fabric.autocast),
            watch=watch,
        )
        return figures if not is_over() else None

    def validate(self, is_over: Callable[[], bool]) -> dict[str, float] | None:
        """Measure what is to be saved on the validation images; None where `is_over` asks to end before."""
        features, module = self.learner.features, self.learner.measured_running.eval()
        if features is None:
            return self.measure(module, "validation", is_over)
        batches = takewhile(lambda _: not is_over(), features.evaluate("validation"))
        autocast = cast("Callable[[], AbstractContextManager[object]]", self.learner.fabric.autocast)
        figures = measure(self.plan.task, module, batches, lambda held: held, self.device, autocast=autocast)
        return figures if not is_over() else None

    def normalise(self, images: Tensor) -> Tensor:
        """Return images on the device as the network takes them, in the layout that the recipe wants."""
        return self.plan.feed.normalise(images).contiguous(memory_format=self.learner.layout)

    def end_epoch(self, validation: Mapping[str, float], seconds: float, training_seconds: float) -> Epoch:
        """Take note of an epoch's figures, and begin the next one.

        Errors: TrainingError with E372 where the validation loss is not finite
        """
        plan, train = self.plan, self.meter.read()
        if validation and not isfinite(validation["loss"]):
            if plan.data.kind == "mask" and not self.polluted():
                what = f"the validation loss after epoch {self.epoch} is {validation['loss']}, which it is too where no"
                help = "look at the masks of the validation part: `archdsl data` counts its classes"
                raise TrainingError(f"{what} pixel of its masks counts, as all are 255", help, "E372")
            raise not_finite(
                f"the validation loss after epoch {self.epoch} is {validation['loss']}", self.learner.phase.recipe
            )
        best = self.best
        is_best = best is None or not validation or plan.task.is_better(validation, best.validation)
        lr, phase = self.learner.lr(self.step - 1), self.learner.phase.number
        images = len(plan.data.parts["train"]) / max(training_seconds, 1e-9)
        epoch = Epoch(self.epoch, self.step, lr, train, dict(validation), seconds, images, is_best, phase)
        self.epochs.append(epoch)
        train_error = plan.task.error(train)
        self.learner.record(train_error, plan.task.error(validation) if validation else train_error)
        self.meter = plan.task.meter()
        self.epoch, self.batches = self.epoch + 1, 0
        return epoch

    # Checkpoints.

    def polluted(self) -> str:
        """Return the key of a weight or buffer that is not finite, and so may not be saved; "" where all are."""
        state = {**self.module.state_dict(), **self.measured.state_dict()}
        if are_finite(state.values()):
            return ""
        return next((key for key, tensor in self.module.state_dict().items() if not are_finite([tensor])), "an average")

    def state(self) -> dict[str, object]:
        """Return all that is needed to go on from here, on the CPU."""
        return {
            **self.learner.state(),
            "meter": self.meter.state(),
            "counts": [self.epoch, self.batches, self.step, self.scaler_skips],
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "bad": list(self.plan.feed.bad),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint kept, in the phase in which it stands."""
        number, first_epoch, first_step = phase_of(state)
        if number > 1:
            phase = self.plan.phases[number - 1]
            self.learner = self._begun(Learner(self.plan, phase, phase.module(), first_epoch, first_step))
        self.learner.restore(state)
        self.meter.restore(state["meter"], self.device)
        self.epoch, self.batches, self.step, self.scaler_skips = state["counts"]
        self.epochs = [Epoch(**epoch) for epoch in state["epochs"]]
        self.plan.feed.bad[:] = state["bad"]
