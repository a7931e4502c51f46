"""Lightning Fabric for a device, and the random numbers of a step."""

from __future__ import annotations

import logging

import torch
from lightning_fabric import Fabric

from archdsl.recipes.recipe import Recipe
from archdsl.training.error import TrainingError

_PRECISIONS = {"float32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


def fabric_of(recipe: Recipe, device: torch.device) -> Fabric:
    """Set up Lightning Fabric for one device.

    Errors: TrainingError with E373 where the device has no such precision
    """
    if recipe.precision.type == "fp16" and device.type != "cuda":
        message = f"`precision fp16` needs CUDA, and the device is {device.type}"
        raise TrainingError(message, "say `--set recipe.precision=bf16`", "E373")
    # What it says of the precision, the recipe has said.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    devices = [device.index or 0] if device.type == "cuda" else 1
    return Fabric(accelerator=device.type, devices=devices, precision=_PRECISIONS[recipe.precision.type])  # pyright: ignore[reportArgumentType] -- one of the words that it takes


def seed_step(device: torch.device, seed: int, step: int) -> None:
    """Fix the random numbers of a step, such as those of dropout, by the run's seed and the step alone.

    So a run that goes on in the middle needs no generator's state. Python's and numpy's generators are left alone.
    """
    number = (seed * 1_000_003 + step + 1) % 2**63
    torch.default_generator.manual_seed(number)  # torch.manual_seed takes 70 times as long
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(number)
    elif device.type == "mps":
        torch.mps.manual_seed(number)
