"""What learns in a phase: a module under what is frozen then, its optimiser, its running mean, and its schedule."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor, nn

from archdsl.training.average import Average
from archdsl.training.error import TrainingError
from archdsl.training.features import Features, Held, Rest
from archdsl.training.optimizer import optimizer_of
from archdsl.training.phases import RunPhase
from archdsl.training.plan import RunPlan
from archdsl.training.resources import fabric_of
from archdsl.training.schedule import LearningRate, Stall
from archdsl.training.tasks.base import ModuleOutput
from archdsl.training.trunk import Cut, bound


class Learner:
    """A module with its optimiser and all that goes with it, from the beginning of a phase.

    `first_epoch` and `first_step` are those of the run at which the phase begins: the epoch counts from 1, and the
    steps are those taken before.
    """

    def __init__(
        self, plan: RunPlan, phase: RunPhase, module: nn.Module, first_epoch: int = 1, first_step: int = 0
    ) -> None:
        recipe = phase.recipe
        self.phase, self.first_epoch, self.first_step = phase, first_epoch, first_step
        self.layout = torch.channels_last if recipe.layout.order == "channels_last" else torch.contiguous_format
        self.module = cast("Callable[..., nn.Module]", module.to)(device=plan.device, memory_format=self.layout)
        self.module.train()
        self.average = Average(self.module, recipe.ema.decay) if recipe.ema is not None else None
        self.optimizer = optimizer_of(self.module, recipe, plan.device, phase.factors)
        self.fabric = fabric_of(recipe, plan.device)
        self.cut = phase.cut if plan.means.cache_features and isinstance(phase.cut, Cut) else None
        """Where the network is cut, if what comes before is worked out once."""
        self.features = self._features(plan, self.cut) if self.cut is not None else None
        self.running = self._running(self.module)
        """What takes the images, or what is kept of them."""
        # Compiled last, for the memory layout is part of what is compiled; the module keeps the plain names.
        network: Any = torch.compile(self.running) if recipe.compile.is_on else self.running
        self._forward, self._stepper = self.fabric.setup(network, self.optimizer, move_to_device=False)
        self.scaler: Any = getattr(self.fabric.strategy.precision, "scaler", None)
        # A fused optimiser lets the device itself leave out a step, as fp16's scaler does.
        self.is_gated = self.scaler is None and bool(self.optimizer.defaults.get("fused"))
        self.rate = LearningRate(recipe, plan.feed.steps_per_epoch)
        self.stall = Stall(recipe.early_stop.patience) if recipe.early_stop is not None else None
        self.has_stopped = False
        """Whether the phase has no more to learn, by `early_stop`."""

    @property
    def measured(self) -> nn.Module:
        """The module that is measured and saved as best: the running mean where the recipe keeps one."""
        return self.average.module if self.average is not None else self.module

    def _features(self, plan: RunPlan, found: Cut) -> Features:
        trunk = bound(found.trunk, self.module)
        return Features(plan.feed, trunk, plan.device, self.fabric.autocast, self.layout)

    def _running(self, module: nn.Module) -> nn.Module:
        return Rest(bound(self.cut.rest, module)) if self.cut is not None else module

    @cached_property
    def measured_running(self) -> nn.Module:
        """What of `measured` takes the images, or what is kept of them."""
        return self._running(self.measured)

    def gate(self, is_bad: Tensor) -> None:
        """Leave updates out on the device itself once `is_bad` is 1."""
        if self.is_gated:
            self.optimizer.found_inf = is_bad  # pyright: ignore[reportAttributeAccessIssue] -- the fused kernels look for it

    def lr(self, step: int) -> float:
        """Return the rate of a step of the run, counted from 0."""
        return self.rate.at(step - self.first_step)

    def forward(self, images: Tensor | Held, lr: float) -> ModuleOutput:
        """Begin a step of a rate: no gradients, and the module's outputs."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group.get("factor", 1.0)
        self._stepper.zero_grad(set_to_none=True)
        return cast("ModuleOutput", self._forward(images))

    def learn(self, loss: Tensor, step: int) -> None:
        """Change the weights by a loss; `step` counts from 1 over the whole run."""
        self.fabric.backward(loss)
        clip = self.phase.recipe.clip
        if clip is not None:
            self.fabric.clip_gradients(self._forward, self._stepper, max_norm=clip.length, error_if_nonfinite=False)
        self._stepper.step()
        if self.average is not None:
            self.average.update(self.module, step)

    def has_done(self, epochs: int) -> bool:
        """Return whether the phase is over, after so many epochs of the run."""
        return self.has_stopped or epochs - self.first_epoch + 1 >= self.phase.recipe.epochs.number

    def record(self, train_error: float, validation_error: float) -> None:
        """Take note of an ended epoch's errors, and go on training."""
        self.rate.record(train_error, validation_error)
        stop = self.phase.recipe.early_stop
        if self.stall is not None and stop is not None:
            self.has_stopped = self.stall.record(train_error if stop.on == "train" else validation_error)
        self.module.train()

    def state(self) -> dict[str, object]:
        """Return what a checkpoint keeps of the phase."""
        return {
            "phase": [self.phase.number, self.first_epoch, self.first_step],
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.fabric.strategy.precision.state_dict(),
            "average": dict(self.average.state()) if self.average is not None else {},
            "rate": self.rate.state(),
            "stall": [self.stall.lowest, self.stall.stalled] if self.stall is not None else [],
            "has_stopped": self.has_stopped,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint of this phase kept."""
        self.module.load_state_dict(state["module"])
        try:
            self.optimizer.load_state_dict(state["optimizer"])
        except ValueError:  # a version that read the recipe's `freeze` otherwise began the run
            message = "the checkpoint trains other weights than the recipe says"
            raise TrainingError(message, "start a new run from its weights: `--weights RUN`", "E370") from None
        self.fabric.strategy.precision.load_state_dict(state["scaler"])
        if self.average is not None:
            self.average.module.load_state_dict(state["average"])
        self.rate.restore(state["rate"])
        if self.stall is not None:
            self.stall.lowest, self.stall.stalled = state["stall"]
        self.has_stopped = state["has_stopped"]

    def next(self, plan: RunPlan, epochs: int, steps: int) -> Learner:
        """Begin the next phase after so many epochs and steps of the run.

        Its module is a new one under what is frozen then, with this one's state.
        """
        phase = plan.phases[self.phase.number]
        module = phase.module()
        module.load_state_dict(self.module.state_dict())
        after = Learner(plan, phase, module, epochs + 1, steps)
        if after.average is not None and self.average is not None:
            after.average.take(self.average.state(), phase.network.frozen_keys)
        return after
