"""Fold batch norms' numbers into the weights before them, as `archdsl.passes.fold` plans it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch

from archdsl.passes.fold import Fold


def fold_state(
    state: Mapping[str, torch.Tensor], folds: Iterable[Fold], keys: Iterable[str]
) -> dict[str, torch.Tensor]:
    """Return the state of the network with these keys: new weights and biases where norms were folded, else as it is.

    Computed in float64 and returned in each weight's own type. Raises KeyError where the state lacks what is needed.
    """
    folded: dict[str, torch.Tensor] = {}
    for fold in folds:
        folded[f"{fold.target}.weight"], folded[f"{fold.target}.bias"] = _combine(fold, state)
    return {key: folded[key] if key in folded else state[key] for key in keys}


def _combine(fold: Fold, state: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    weight = state[f"{fold.target}.weight"]
    mean, variance = (state[f"{fold.norm}.running_{name}"].double() for name in ("mean", "var"))
    scale = (variance + fold.eps).rsqrt()
    shift = torch.zeros_like(scale)
    if fold.is_affine:
        scale = scale * state[f"{fold.norm}.weight"].double()
        shift = state[f"{fold.norm}.bias"].double()
    bias = state[f"{fold.target}.bias"].double() if fold.has_bias else torch.zeros_like(scale)
    scaled = _scale_outputs(weight.double(), scale, fold.groups)
    return scaled.to(weight.dtype), ((bias - mean) * scale + shift).to(weight.dtype)


def _scale_outputs(weight: torch.Tensor, scale: torch.Tensor, groups: int | None) -> torch.Tensor:
    """Multiply along the output channels: the first axis, or the second of a transposed convolution."""
    if groups is None:
        return weight * scale.reshape(-1, *(1,) * (weight.dim() - 1))
    by_group = weight.reshape(groups, -1, *weight.shape[1:])
    return (by_group * scale.reshape(groups, 1, -1, 1, 1)).reshape(weight.shape)
