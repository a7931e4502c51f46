"""The running mean of weights that `ema` keeps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy

import torch
from torch import Tensor, nn


class Average:
    """A copy of a module whose weights are the running mean of the module's.

    Buffers, such as running statistics, are taken over as they are, and so is what is frozen. In the first steps the
    mean looks back less far, as (1 + step) / (10 + step) of it is kept at most, so that the first weights, which are
    random, are soon forgotten.
    Source: torch.optim.swa_utils; the rule for the first steps is TensorFlow's ExponentialMovingAverage
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = deepcopy(module).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Take in the weights after a step, counted from 1 over the whole run."""
        decay = min(self.decay, (1 + step) / (10 + step))
        both = zip(self.module.parameters(), module.parameters(), strict=True)
        pairs = [(mean, new.detach()) for mean, new in both if new.requires_grad]
        torch._foreach_lerp_([mean for mean, _ in pairs], [new for _, new in pairs], 1 - decay)  # pyright: ignore[reportPrivateUsage,reportPrivateImportUsage] -- torch's optimisers call it too, and there is no other
        kept = list(self.module.buffers())
        if kept:
            torch._foreach_copy_(kept, list(module.buffers()))  # pyright: ignore[reportPrivateUsage,reportPrivateImportUsage] -- as above

    def take(self, state: Mapping[str, Tensor], frozen: Collection[str] = ()) -> None:
        """Go on from the mean that was kept, but for what is frozen, which stands on the module's own weights."""
        own = self.module.state_dict()
        self.module.load_state_dict({**own, **{key: value for key, value in state.items() if key not in frozen}})

    def state(self) -> Mapping[str, Tensor]:
        """Return what a checkpoint keeps."""
        return self.module.state_dict()
