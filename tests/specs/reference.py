"""Torchvision's networks, built for comparison with the bundled specs of the same names."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import torch
from torch import nn

from archdsl.specs import bundled_models
from tests.peers import torchvision

models = torchvision.models
BlockParams = models.regnet.BlockParams

# Its default draws a warning that the default will change.
_SETTINGS: dict[str, dict[str, object]] = {
    "googlenet": {"init_weights": True},
    "inception_v3": {"init_weights": True},
}

_known = set(models.list_models(module=models))
NAMES = tuple(name for name, _ in bundled_models() if name in _known)


def reference(name: str, device: str = "cpu", **settings: object) -> nn.Module:
    """Build torchvision's network with its own initial values; on device "meta", without any."""
    block_widths = BlockParams.from_init_params

    def on_cpu(**arguments: Any) -> object:
        # It works the widths out with tensors, and reads them.
        with torch.device("cpu"):
            return block_widths(**arguments)

    with patch.object(BlockParams, "from_init_params", on_cpu), torch.device(device):
        return models.get_model(name, weights=None, **_SETTINGS.get(name, {}), **settings)


def state_of(module: nn.Module) -> list[tuple[str, tuple[int, ...], str, str]]:
    """List a module's state_dict in order: each entry's key, shape and type, and what it is."""
    parameters = dict(module.named_parameters())
    return [
        (key, tuple(tensor.shape), str(tensor.dtype), "parameter" if key in parameters else "buffer")
        for key, tensor in module.state_dict().items()
    ]
