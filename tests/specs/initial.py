"""Whether two networks draw their first values alike: the same moments, tensor by tensor."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

SEEDS = 3
MOST_SAMPLES = 20_000


def sample(tensor: Tensor) -> Tensor:
    """Return values from all over a tensor, few enough to be quick."""
    values = tensor.detach().flatten()
    return values[:: -(-len(values) // MOST_SAMPLES)].double()


def moments(values: Tensor) -> tuple[float, float, float]:
    """Return the mean, the spread and the kurtosis."""
    mean, spread = values.mean(), values.std(correction=0)
    kurtosis = ((values - mean) / spread).pow(4).mean()
    return mean.item(), spread.item(), kurtosis.item()


def check_initial_values(ours: Callable[[], nn.Module], reference: Callable[[], nn.Module]) -> None:
    """Demand that the networks that two functions build have tensors of the same names, drawn alike."""
    drawn: list[tuple[dict[str, Tensor], dict[str, Tensor]]] = []
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        theirs = {key: sample(tensor) for key, tensor in reference().state_dict().items()}
        drawn.append((theirs, {key: sample(tensor) for key, tensor in ours().state_dict().items()}))
    for key in drawn[0][0]:
        expected, found = (torch.cat([states[side][key] for states in drawn]) for side in (0, 1))
        if expected.min() == expected.max():
            assert torch.equal(expected, found), key
            continue
        mean, spread, kurtosis = moments(expected)
        # Six standard errors of the difference of two such estimates; for the kurtosis, a normal distribution's.
        error = 6 / math.sqrt(len(expected))
        assert moments(found) == (
            pytest.approx(mean, abs=error * spread * math.sqrt(2)),
            pytest.approx(spread, rel=error),
            pytest.approx(kurtosis, abs=error * math.sqrt(48)),
        ), key
