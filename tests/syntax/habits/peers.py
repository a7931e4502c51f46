"""A network beside the torch module that it is to be the same as."""

from __future__ import annotations

import torch
from torch import nn

import archdsl


def assert_same(spec: str, theirs: nn.Module, image: torch.Tensor, *, tolerance: float = 1e-5) -> None:
    """Compare tensors, in order, and outputs in evaluation, given the same weights; both modes shape alike."""
    ours = archdsl.load_text(spec).module()
    own, other = ours.state_dict(), theirs.state_dict()
    assert [value.shape for value in own.values()] == [value.shape for value in other.values()], spec
    weights = [torch.rand_like(value) + 0.1 if value.is_floating_point() else value for value in other.values()]
    ours.load_state_dict(dict(zip(own, weights, strict=True)))
    theirs.load_state_dict(dict(zip(other, weights, strict=True)))
    ours.eval()
    theirs.eval()
    with torch.no_grad():
        made, meant = ours(image), theirs(image)
    assert made.shape == meant.shape, spec
    torch.testing.assert_close(made, meant, rtol=1e-4, atol=tolerance, msg=lambda text: f"{spec}\n{text}")
