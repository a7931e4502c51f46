"""The optimiser that a recipe names, over the weights that it trains."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from archdsl.recipes.recipe import Recipe
from archdsl.recipes.updates import AdamW, RmsProp, Sgd, WeightDecay


def optimizer_of(
    module: nn.Module, recipe: Recipe, device: torch.device, factors: Mapping[str, float] | None = None
) -> torch.optim.Optimizer:
    """Build an optimiser over the parameters that learn; what is frozen has no state in it.

    `factors` are of the rate, by parameters' names; a group whose `factor` is not 1 bears it.
    On CUDA it is fused where torch can, which also lets the device leave a step out.
    """
    groups = parameter_groups(module, recipe.weight_decay, factors)
    fused = {"fused": True} if device.type == "cuda" else {}
    match recipe.optimizer:
        case Sgd(lr=lr, momentum=momentum, nesterov=nesterov):
            return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=nesterov, **fused)
        case AdamW(lr=lr, beta1=beta1, beta2=beta2, eps=eps):
            return torch.optim.AdamW(groups, lr=lr, betas=(beta1, beta2), eps=eps, **fused)
        case RmsProp(lr=lr, momentum=momentum, decay=decay, eps=eps):
            return torch.optim.RMSprop(groups, lr=lr, momentum=momentum, alpha=decay, eps=eps)


def parameter_groups(
    module: nn.Module, decay: WeightDecay, factors: Mapping[str, float] | None = None
) -> list[dict[str, Any]]:
    """Part the parameters that are trained by the factor of their rate, and by whether weight decay reaches them."""
    members: dict[tuple[float, bool], list[nn.Parameter]] = {}
    trained = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
    if not decay.norms:  # weights before vectors, as runs have it whose checkpoints know groups by their order
        trained.sort(key=lambda item: item[1].ndim <= 1)
    for name, parameter in trained:
        is_spared = not decay.norms and parameter.ndim <= 1
        members.setdefault(((factors or {}).get(name, 1.0), is_spared), []).append(parameter)
    groups: list[dict[str, Any]] = []
    for (factor, is_spared), parameters in members.items():
        own = {"factor": factor} if factor != 1 else {}
        groups.append({"params": parameters, "weight_decay": 0.0 if is_spared else decay.rate, **own})
    return groups
