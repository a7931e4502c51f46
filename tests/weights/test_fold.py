"""Folded networks give what the networks they were made of give in evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from archdsl.api import load, load_text
from archdsl.network import Network

if TYPE_CHECKING:
    import torch

pytestmark = pytest.mark.torch

SMALL = {
    "convolutions": "conv 8 groups=2; batch; relu; dw k=3; batch eps=0.1; conv 6 bias=true; batch; relu",
    "not affine": "conv 8 bias=true; batch affine=false; relu; conv 4; frozen_batch",
    "transposed": "deconv 6 groups=2 k=3 s=2 bias=true; batch; relu; deconv 4; batch",
    "dense": "gap; flatten; fc 8; batch; relu; fc 5 bias=false; batch",
    "blocks": "body: { residual { conv 4; batch; relu; conv 4; batch }; relu } x 3; gap",
    "noise and auxiliary heads": "conv 4; batch; output aux training { conv 3; batch; gap }; dropout 0.5; gap; flatten",
}


def with_statistics(net: Network) -> torch.nn.Module:
    """Build the network as if it had been trained: no norm is the identity."""
    import torch

    torch.manual_seed(0)
    module = net.module().eval()
    for key, tensor in module.state_dict().items():
        if key.endswith("running_mean"):
            tensor.normal_()
        elif key.endswith("running_var"):
            tensor.uniform_(0.5, 2)
        elif tensor.dim() == 1 and tensor.is_floating_point():
            tensor.copy_(torch.rand_like(tensor) + 0.5)
    return module


def largest_difference(net: Network, size: int) -> float:
    """Compare both networks' results, relative to the largest."""
    import torch

    module, evaluated = with_statistics(net), net.for_inference()
    folded = evaluated.module().eval()
    folded.load_state_dict(evaluated.fold_state(module.state_dict()))
    assert evaluated.folds
    images = torch.randn(2, int(net.shapes.inputs[0].numbers()[0]), size, size)
    with torch.inference_mode():
        one, other = module(images), folded(images)
    return float((one - other).abs().max() / one.abs().max())


@pytest.mark.parametrize("body", SMALL.values(), ids=SMALL.keys())
def test_small_networks_agree(body: str) -> None:
    assert largest_difference(load_text(f"model small {{ input [4, 16, 16]; {body} }}"), 16) < 1e-5


@pytest.mark.parametrize(
    "name", ["resnet18", "densenet121", "googlenet", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x0_5"]
)
def test_bundled_networks_agree(name: str) -> None:
    assert largest_difference(load(name, input=[3, 64, 64]), 64) < 1e-5


def test_a_forgotten_epsilon_would_show() -> None:
    import torch

    from archdsl.weights.fold import fold_state

    net = load_text("model small { input [4, 16, 16]; conv 8; batch eps=0.1 }")
    state = with_statistics(net).state_dict()
    (fold,) = net.for_inference().folds
    folded = fold_state(state, [fold], ["0.weight", "0.bias"])
    wrong = state["0.weight"] * (state["1.weight"] / state["1.running_var"].sqrt())[:, None, None, None]
    assert not torch.allclose(folded["0.weight"], wrong, rtol=1e-3)
    assert set(folded) == {"0.weight", "0.bias"}


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("name", ["googlenet", "inception_v3", "repvgg_a0", "resnet18"])
def test_the_state_has_exactly_the_keys_of_the_network_that_takes_it(name: str, fold: bool) -> None:
    import torch

    net = load(name)
    evaluated = net.for_inference(fold)
    with torch.device("meta"):
        folded = evaluated.fold_state(net.module().state_dict())
        evaluated.module().load_state_dict(folded, strict=True, assign=True)


def test_a_state_without_the_norm_is_refused() -> None:
    from archdsl.weights.fold import fold_state

    net = load_text("model small { input [4, 16, 16]; conv 8; batch }")
    state = with_statistics(net).state_dict()
    del state["1.running_var"]
    with pytest.raises(KeyError, match="running_var"):
        fold_state(state, net.for_inference().folds, ["0.weight", "0.bias"])
