"""How long a forward pass takes on this machine."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from time import perf_counter

import torch
from torch import nn

from archdsl.experiments.single import alone

_WARMING, _FEWEST, _MOST, _LONGEST = 3, 13, 203, 0.5
"""Passes that do not count, passes at least and at most, and the seconds after which only the least are made."""


def time_forward(module: nn.Module, shape: Sequence[int], batch: int, device: torch.device) -> float:
    """Return the median seconds of a forward pass in evaluation mode, on one thread, of a batch of noise."""
    with alone(), torch.inference_mode():
        torch.manual_seed(0)
        images = torch.randn(batch, *shape, device=device)
        module.eval()
        seconds: list[float] = []
        until = perf_counter() + _LONGEST
        while len(seconds) < _FEWEST or (perf_counter() < until and len(seconds) < _MOST):
            began = perf_counter()
            module(images)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            seconds.append(perf_counter() - began)
    return median(seconds[_WARMING:])
