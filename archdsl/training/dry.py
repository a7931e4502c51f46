"""Trying a run out: a few steps that are thrown away, and what the whole would take."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from time import perf_counter

import torch

from archdsl.ir.freezing import Freezing
from archdsl.ir.start import InputAdaption
from archdsl.network import Network
from archdsl.recipes.recipe import Recipe
from archdsl.training.beginning import new_module
from archdsl.training.data.dataset import DataSet
from archdsl.training.means import Means
from archdsl.training.memory import out_of_memory
from archdsl.training.observer import Silent
from archdsl.training.plan import plan_run
from archdsl.training.run.weights import starting_weights
from archdsl.training.session import Session


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would take. Times are in seconds, memory in bytes."""

    loss: float
    seconds_per_step: float
    steps_per_epoch: int
    epochs: int
    estimated_memory: int
    """Of a training step in float32, by the compiler."""
    used_memory: int | None
    """Of the device; None where it does not tell."""
    images: Mapping[str, int]

    @property
    def seconds(self) -> float:
        """Of all training steps, without validation."""
        return self.seconds_per_step * self.steps_per_epoch * self.epochs


def try_out(
    network: Network,
    recipe: Recipe,
    data: DataSet,
    means: Means,
    weights: str | Path | None = None,
    origin: str | None = None,
    adapt: InputAdaption | None = None,
    anew: Sequence[Freezing] = (),
) -> Estimate:
    """Take two steps, from weights that are given or fresh ones, time the second, and keep nothing.

    Errors: TrainingError; WeightsError where the weights cannot be used
    """
    plan = plan_run(network, recipe, data, means, start=starting_weights(weights, origin, network, adapt, anew))
    plan = replace(plan, means=replace(means, cache_features=False))  # working features out takes a pass
    try:
        with torch.random.fork_rng(range(torch.cuda.device_count())):
            session = Session(plan, new_module(plan).module)
            heard = _Loss()
            seconds = 0.0
            for batch in islice(plan.feed.train(1), 2):
                began = perf_counter()
                session.update(batch, heard)
                session.read(heard)
                seconds = perf_counter() - began
    except torch.OutOfMemoryError as error:
        raise out_of_memory(plan, error) from None
    finally:
        plan.feed.close()
    batch = min(recipe.batch_size.images, len(data.parts["train"]))
    is_cuda = plan.device.type == "cuda"
    return Estimate(
        loss=heard.loss,
        seconds_per_step=seconds,
        steps_per_epoch=plan.feed.steps_per_epoch,
        epochs=recipe.total_epochs,
        estimated_memory=max(phase.network.memory(batch).training for phase in plan.phases),
        used_memory=torch.cuda.max_memory_allocated(plan.device) if is_cuda else None,
        images={part: len(samples) for part, samples in data.parts.items()},
    )


class _Loss(Silent):
    def __init__(self) -> None:
        self.loss = 0.0

    def on_step(self, step: object) -> None:
        self.loss = getattr(step, "loss", 0.0)
