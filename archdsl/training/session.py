"""A run under way: what one step changes, what is measured, and what a checkpoint keeps of it."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from itertools import takewhile
from math import isfinite
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from archdsl.training.average import Average
from archdsl.training.data.dataset import DataPart
from archdsl.training.data.loading import Batch
from archdsl.training.error import TrainingError
from archdsl.training.finite import FirstNotFinite, are_finite, not_finite
from archdsl.training.freezing import Frozen
from archdsl.training.observer import Epoch, Observer, TrainingStep
from archdsl.training.optimizer import optimizer_of
from archdsl.training.plan import RunPlan
from archdsl.training.resources import fabric_of, seed_step
from archdsl.training.schedule import LearningRate, Stall
from archdsl.training.tasks.base import ModuleOutput, as_outputs
from archdsl.training.tasks.measure import Watcher, measure

# Reading a loss waits for the GPU to catch up, so that it is done for many steps at once.
STEPS_PER_READING = 20
_MOST_SKIPS = 50
"""Steps in a row that fp16's scaler may leave out."""


class Pending(NamedTuple):
    """A step whose loss has not been read from the device."""

    step: int
    lr: float
    loss: Tensor
    batch: Batch


class Session:
    """A network with its optimiser and all that goes with it, between two steps."""

    def __init__(self, plan: RunPlan, module: nn.Module) -> None:
        recipe = plan.recipe
        self.plan, self.device = plan, plan.device
        self.layout = torch.channels_last if recipe.layout.order == "channels_last" else torch.contiguous_format
        self.module = cast("Callable[..., nn.Module]", module.to)(device=self.device, memory_format=self.layout)
        self.frozen = Frozen(self.module, plan.network, recipe.freeze)
        self.frozen.train(self.module)
        self.average = Average(self.module, recipe.ema.decay) if recipe.ema is not None else None
        self.optimizer = optimizer_of(self.module, recipe, self.device)
        self.fabric = fabric_of(recipe, self.device)
        # Compiled last, for the memory layout is part of what is compiled; the module keeps the plain names.
        network: Any = torch.compile(self.module) if recipe.compile.is_on else self.module
        self._forward, self._stepper = self.fabric.setup(network, self.optimizer, move_to_device=False)
        self._scaler: Any = getattr(self.fabric.strategy.precision, "scaler", None)
        # A fused optimiser lets the device itself leave out a step, as fp16's scaler does.
        self.is_gated = self._scaler is None and bool(self.optimizer.defaults.get("fused"))
        self._steps_per_reading = STEPS_PER_READING if self.is_gated or self._scaler is not None else 1
        self._is_bad = torch.zeros((), device=self.device)
        """1 from the first loss on that is not finite, and no more, for the device leaves updates out at 1 alone."""
        if self.is_gated:
            self.optimizer.found_inf = self._is_bad  # pyright: ignore[reportAttributeAccessIssue] -- the fused kernels look for it
        self.rate = LearningRate(recipe, plan.feed.steps_per_epoch)
        self.stall = Stall(recipe.early_stop.patience) if recipe.early_stop is not None else None
        self.meter = plan.task.meter()
        self.epoch, self.batches, self.step = 1, 0, 0
        """The epoch under way, counted from 1, its steps that were taken, and those of the whole run."""
        self.epochs: list[Epoch] = []
        self.has_stopped = False
        """Whether the run has no more to learn, by `early_stop`."""
        self.scaler_skips = 0
        self._pending: list[Pending] = []
        self._skips_in_a_row = 0

    @property
    def measured(self) -> nn.Module:
        """The module that is measured and saved as best: the running mean where the recipe keeps one."""
        return self.average.module if self.average is not None else self.module

    @property
    def best(self) -> Epoch | None:
        """The best epoch so far."""
        return next((epoch for epoch in reversed(self.epochs) if epoch.is_best), None)

    # One step.

    def update(self, batch: Batch, observer: Observer) -> None:
        """Take one step on a batch.

        Errors: TrainingError with E372 at a loss that is not finite; weights are then those of before that step
        """
        recipe = self.plan.recipe
        lr = self.rate.at(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        seed_step(self.device, recipe.seed.number, self.step)
        images, targets = self.load(batch)
        self._stepper.zero_grad(set_to_none=True)
        outputs = as_outputs(cast("ModuleOutput", self._forward(images)))
        loss = self._loss(outputs, targets)
        self._pending.append(Pending(self.step + 1, lr, loss.detach(), batch))
        if self.is_gated:
            torch.maximum(self._is_bad, (~torch.isfinite(loss.detach())).float(), out=self._is_bad)
        elif self._scaler is None and not isfinite(loss.item()):
            self.read(observer)
        self.fabric.backward(loss)
        if recipe.clip is not None:
            clip = recipe.clip.length
            self.fabric.clip_gradients(self._forward, self._stepper, max_norm=clip, error_if_nonfinite=False)
        self._stepper.step()
        self.meter.add(outputs[0], targets)
        self.step, self.batches = self.step + 1, self.batches + 1
        if self.average is not None:
            self.average.update(self.module, self.step)
        if len(self._pending) >= self._steps_per_reading:
            self.read(observer)

    def load(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Bring a batch to the device; images are normalised there."""
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
                if self._scaler is None or self._skips_in_a_row >= _MOST_SKIPS:
                    raise self._not_finite(one, loss)
                self.scaler_skips, self._skips_in_a_row = self.scaler_skips + 1, self._skips_in_a_row + 1
                continue
            self._skips_in_a_row = 0
            observer.on_step(TrainingStep(self.epoch, one.step, one.lr, loss))

    def _not_finite(self, one: Pending, loss: float) -> Exception:
        """Repeat the forward pass of a step, whose weights are still there, and say where it went wrong."""
        seed_step(self.device, self.plan.recipe.seed.number, one.step - 1)
        images, _ = self.load(one.batch)
        found = FirstNotFinite(self.module)
        with self.fabric.autocast():
            found.run(lambda: self.module(images))
        samples = self.plan.data.parts["train"]
        names = [samples.name(index) for index in cast("list[int]", one.batch.indices.tolist())]
        what = f"the loss of step {one.step}, in epoch {self.epoch}, is {loss}"
        return not_finite(what, self.plan.recipe, found, names)

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
            autocast=cast("Callable[[], AbstractContextManager[object]]", self.fabric.autocast),
            watch=watch,
        )
        return figures if not is_over() else None

    def normalise(self, images: Tensor) -> Tensor:
        """Return images on the device as the network takes them, in the layout that the recipe wants."""
        return self.plan.feed.normalise(images).contiguous(memory_format=self.layout)

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
            raise not_finite(f"the validation loss after epoch {self.epoch} is {validation['loss']}", plan.recipe)
        best = self.best
        is_best = best is None or not validation or plan.task.is_better(validation, best.validation)
        lr = self.rate.at(self.step - 1)
        images = len(plan.data.parts["train"]) / max(training_seconds, 1e-9)
        epoch = Epoch(self.epoch, self.step, lr, train, dict(validation), seconds, images, is_best)
        self.epochs.append(epoch)
        errors = plan.task.error(train), plan.task.error(validation) if validation else plan.task.error(train)
        self.rate.record(*errors)
        if self.stall is not None and plan.recipe.early_stop is not None:
            self.has_stopped = self.stall.record(errors[0] if plan.recipe.early_stop.on == "train" else errors[1])
        self.meter = plan.task.meter()
        self.epoch, self.batches = self.epoch + 1, 0
        self.frozen.train(self.module)
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
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.fabric.strategy.precision.state_dict(),
            "average": dict(self.average.state()) if self.average is not None else {},
            "rate": self.rate.state(),
            "stall": [self.stall.lowest, self.stall.stalled] if self.stall is not None else [],
            "meter": self.meter.state(),
            "counts": [self.epoch, self.batches, self.step, self.scaler_skips],
            "has_stopped": self.has_stopped,
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "bad": list(self.plan.feed.bad),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint kept."""
        self.module.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.fabric.strategy.precision.load_state_dict(state["scaler"])
        if self.average is not None:
            self.average.module.load_state_dict(state["average"])
        self.rate.restore(state["rate"])
        if self.stall is not None:
            self.stall.lowest, self.stall.stalled = state["stall"]
        self.meter.restore(state["meter"], self.device)
        self.epoch, self.batches, self.step, self.scaler_skips = state["counts"]
        self.has_stopped = state["has_stopped"]
        self.epochs = [Epoch(**epoch) for epoch in state["epochs"]]
        self.plan.feed.bad[:] = state["bad"]
