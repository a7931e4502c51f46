"""The optimiser that a recipe names, over the weights that it trains."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from archdsl.recipes.recipe import Recipe
from archdsl.recipes.updates import AdamW, RmsProp, Sgd, WeightDecay


def optimizer_of(module: nn.Module, recipe: Recipe, device: torch.device) -> torch.optim.Optimizer:
    """Build an optimiser. On CUDA it is fused where torch can, which also lets the device leave a step out."""
    groups = parameter_groups(module, recipe.weight_decay)
    fused = {"fused": True} if device.type == "cuda" else {}
    match recipe.optimizer:
        case Sgd(lr=lr, momentum=momentum, nesterov=nesterov):
            return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=nesterov, **fused)
        case AdamW(lr=lr, beta1=beta1, beta2=beta2, eps=eps):
            return torch.optim.AdamW(groups, lr=lr, betas=(beta1, beta2), eps=eps, **fused)
        case RmsProp(lr=lr, momentum=momentum, decay=decay, eps=eps):
            return torch.optim.RMSprop(groups, lr=lr, momentum=momentum, alpha=decay, eps=eps)


def parameter_groups(module: nn.Module, decay: WeightDecay) -> list[dict[str, Any]]:
    """Part the parameters that are trained by whether weight decay reaches them."""
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if decay.norms:
        return [{"params": trained, "weight_decay": decay.rate}]
    weights = [parameter for parameter in trained if parameter.ndim > 1]
    vectors = [parameter for parameter in trained if parameter.ndim <= 1]
    groups = [(weights, decay.rate), (vectors, 0.0)]
    return [{"params": members, "weight_decay": rate} for members, rate in groups if members]
