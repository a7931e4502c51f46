"""A module without initial values: it is as any other but for what would be random, and waits for weights."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

import archdsl

pytestmark = pytest.mark.torch

NETWORKS = ("resnet18", "mobilenet_v3_small", "densenet121", "convnext_tiny")


@pytest.mark.parametrize("name", NETWORKS)
def test_all_but_what_would_be_random_is_as_ever(name: str) -> None:
    network = archdsl.load(name)
    before = torch.get_rng_state()
    module = network.module(init=False)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    first = network.module().state_dict()
    torch.manual_seed(2)
    second = network.module().state_dict()
    found = module.state_dict()
    assert [*found] == [*first]
    for key, tensor in found.items():
        assert (tensor.shape, tensor.dtype) == (first[key].shape, first[key].dtype)
        if torch.equal(first[key], second[key]):
            assert torch.equal(tensor, first[key]), key
        else:
            assert not tensor.any(), key
    assert [p.requires_grad for p in module.parameters()] == [p.requires_grad for p in network.module().parameters()]
    assert module.training


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small"])
def test_with_a_state_dict_it_is_like_any_other(name: str) -> None:
    network = archdsl.load(name)
    drawn, module = network.module().eval(), network.module(init=False).eval()
    module.load_state_dict(drawn.state_dict())
    image = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(module(image), drawn(image))
    assert not module._forward_pre_hooks
    assert not module._load_state_dict_post_hooks


def test_it_computes_nothing_before() -> None:
    network, image = archdsl.load("resnet18"), torch.randn(2, 3, 64, 64)
    module = network.module(init=False)
    for waiting in (module, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        with pytest.raises(RuntimeError, match=r"has no weights yet: `conv1\.weight` and 21 more wait for"):
            waiting(image)
        with torch.no_grad():
            waiting.get_parameter("conv1.weight").fill_(0.1)
        waiting(image)
        assert not waiting._forward_pre_hooks
        assert not waiting._load_state_dict_post_hooks


def test_it_waits_for_what_a_state_dict_lacks() -> None:
    network, image = archdsl.load("resnet18"), torch.randn(2, 3, 64, 64)
    module, state = network.module(init=False), network.module().state_dict()
    module.load_state_dict({key: value for key, value in state.items() if key != "fc.weight"}, strict=False)
    with pytest.raises(RuntimeError, match=r"`fc\.weight` wait"):
        module(image)
    module.load_state_dict(state)
    module(image)


@pytest.mark.parametrize(
    ("init", "value"),
    [
        ("normal(mean=1)", 0.0),
        ("uniform", 0.0),
        ("xavier_normal", 0.0),
        ("kaiming_uniform", 0.0),
        ("orthogonal", 0.0),
        ("trunc_normal(mean=1)", 0.0),
        ("trunc_normal(mean=2, a=1.5, b=3)", 0.0),
        ("trunc_normal(mean=9, a=1, b=2)", 0.0),
        ("constant(3)", 3.0),
        ("ones", 1.0),
    ],
)
def test_what_would_be_random_is_zero(init: str, value: float) -> None:
    text = f"model m {{ input [3, 8, 8]; conv 8 k=3 init={init}; flatten; fc 4 }}"
    weight = archdsl.load_text(text).module(init=False).get_parameter("0.weight")
    assert torch.equal(weight, torch.full_like(weight, value))


def test_a_network_that_draws_nothing_does_not_wait() -> None:
    module = archdsl.load_text("model m { input [3, 8, 8]; batch; relu }").module(init=False)
    assert module(torch.randn(2, 3, 8, 8)).shape == (2, 3, 8, 8)


def test_a_file_that_the_spec_names_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "net.arch"
    path.write_text('model m { input [3, 8, 8]; weights "missing.safetensors"; conv 4; gap; flatten; fc 2 }')
    assert isinstance(archdsl.load(path).module(init=False), nn.Module)


def test_taps_are_made_too() -> None:
    module = archdsl.load("resnet18").module(init=False, taps=["layer1"])
    assert not any(key.startswith("layer2") for key in module.state_dict())


@pytest.mark.parametrize("asked", [{"weights": {}}, {"is_initial": True}, {"anew": "fc"}])
def test_weights_and_none_of_them_are_not_asked_for_together(asked: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="without `init`"):
        archdsl.load("resnet18").module(init=False, **asked)  # pyright: ignore[reportArgumentType] -- any of them
