"""The first module whose output is not finite is found, and for which images."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from archdsl.training.finite import FirstNotFinite, are_finite, not_finite
from tests.training.small import module, recipe

pytestmark = pytest.mark.torch


class Bad(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x.clone()
        y[1] = torch.inf
        return y


def test_the_first_module_and_its_images_are_named() -> None:
    net = nn.Sequential(module()[0], nn.Sequential(nn.ReLU(), Bad()), nn.ReLU(), nn.Flatten())
    found = FirstNotFinite(net)
    found.run(lambda: net(torch.randn(3, 1, 8, 8)))
    assert (found.path, found.images) == ("1.1", [1])
    told = not_finite("the loss is nan", recipe(), found, ["a", "b", "c"])
    assert told.message == "the loss is nan; the first output that is not finite is that of `1.1`, for `b`"
    assert not any(inner._forward_hooks for inner in net.modules())


def test_finite_outputs_are_said_to_be_so() -> None:
    net = module()
    found = FirstNotFinite(net)
    found.run(lambda: net(torch.randn(3, 1, 8, 8)))
    assert found.path is None
    assert "all modules give finite numbers" in not_finite("the loss is nan", recipe(), found).message


def test_whole_numbers_are_finite() -> None:
    assert are_finite([torch.tensor(3), torch.ones(2)])
    assert not are_finite([torch.tensor(3), torch.tensor([1, torch.nan])])
    assert are_finite([])
