"""Steps on what a trunk gave, held against steps on the images themselves, before a run relies on it."""

# lightning leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import cast

import torch
from torch import Tensor, nn

from archdsl.training.data.loading import Batch
from archdsl.training.features import FeatureBatch, Features, Rest, refused, trial_draws
from archdsl.training.learner import Learner
from archdsl.training.plan import RunPlan
from archdsl.training.resources import seed_step
from archdsl.training.tasks.base import ModuleOutput, as_outputs
from archdsl.training.trunk import Cut, bound

Loading = Callable[[Batch | FeatureBatch], tuple[object, Tensor]]
"""Brings a batch to the device, as the network takes it."""
Losing = Callable[[Sequence[Tensor], Tensor], Tensor]
"""Gives the loss of outputs and targets."""


def try_both(
    plan: RunPlan, learner: Learner, features: Features, found: Cut, epoch: int, load: Loading, loss: Losing
) -> None:
    """Take steps with what is kept and without, on copies of the module; nothing of the run changes.

    What a network gives for an image may depend on how many others are computed with it, and on its place among them,
    for libraries add in other orders then. So batches of each size of an epoch are tried.

    Errors: TrainingError with E377 where a bit of outputs, gradients or buffers differs
    """
    whole, other = deepcopy(learner.module), deepcopy(learner.module)
    rest = Rest(bound(found.rest, other))
    for draw in trial_draws(plan.feed, epoch):
        batches = list(plan.feed.chosen("train", epoch, draw))
        if not batches:
            continue
        ways: list[list[Tensor]] = []
        both: Iterable[tuple[nn.Module, nn.Module, Batch | FeatureBatch]] = (
            (whole, whole, batches[0]),
            (other, rest, features.batch(draw)),
        )
        for module, running, batch in both:
            seed_step(plan.device, plan.recipe.seed.number, 0)
            inputs, targets = load(batch)
            with learner.fabric.autocast():
                outputs = as_outputs(cast("ModuleOutput", running(inputs)))
                trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
                # A GPU adds gradients in any order, which is so where nothing is kept too.
                is_exact = plan.device.type == "cpu"
                gradients: Sequence[Tensor] = ()
                if is_exact:
                    total = loss(outputs, targets)
                    gradients = torch.autograd.grad(total, trained, allow_unused=True, materialize_grads=True)
            ways.append([*outputs, *gradients, *module.buffers()])
        if not all(map(torch.equal, *ways)):
            raise refused("what it gives for an image depends on the images beside it, in the last bits")
    features.is_tried = True
