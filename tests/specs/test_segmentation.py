"""The segmentation networks of torchvision's names are torchvision's, whatever the image's size."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import archdsl
from archdsl.passes.state import list_state
from tests.bundled import tiered
from tests.peers import torchvision
from tests.specs.initial import check_initial_values
from tests.specs.reference import state_of

pytestmark = pytest.mark.torch

models = torchvision.models
NAMES = sorted(models.list_models(module=models.segmentation))
WITHOUT_AUX = {"lraspp_mobilenet_v3_large"}
SMALL = {"lraspp_mobilenet_v3_large"}
every = pytest.mark.parametrize("name", NAMES)
every_built = pytest.mark.parametrize("name", tiered(NAMES, SMALL, NAMES))


def reference(name: str, device: str = "cpu", *, aux: bool = True, **settings: object) -> nn.Module:
    """Build torchvision's network with its own initial values; on device "meta", without any."""
    if name not in WITHOUT_AUX:
        settings["aux_loss"] = aux
    with torch.device(device):
        return models.get_model(name, weights=None, weights_backbone=None, **settings)


@every
def test_the_state_is_torchvisions_in_order(name: str) -> None:
    module = reference(name, "meta")
    theirs = state_of(module)
    network = archdsl.load(name)
    state = list_state(network.shapes)
    assert [(key, tensor.shape, f"torch.{tensor.dtype}", tensor.kind) for key, tensor in state] == theirs
    with torch.device("meta"):
        compiled = network.module().state_dict()
    assert [(k, v.shape, v.dtype) for k, v in compiled.items()] == [
        (k, v.shape, v.dtype) for k, v in module.state_dict().items()
    ]


@every
def test_parameters_and_macs_are_those_that_torchvision_publishes(name: str) -> None:
    weights = models.get_model_weights(name).DEFAULT  # pyright: ignore[reportAttributeAccessIssue] -- every subclass has one
    network = archdsl.load(name)
    assert network.inputs == {"image": (3, 520, 520)}
    assert list(network.outputs) == (["out"] if name in WITHOUT_AUX else ["out", "aux"])
    assert set(network.outputs.values()) == {(21, 520, 520)}
    assert network.costs.parameters == weights.meta["num_params"]
    assert round(network.costs.macs / 1e9, 3) == weights.meta["_ops"]


@every
@pytest.mark.parametrize("size", [(224, 224), (65, 97), (33, 40)])
def test_macs_are_what_torch_counts_at_any_size(name: str, size: tuple[int, int]) -> None:
    network = archdsl.load(name, input=[3, *size])
    assert set(network.outputs.values()) == {(21, *size)}
    with FlopCounterMode(display=False) as counter:
        reference(name, "meta").eval()(torch.empty(1, 3, *size, device="meta"))
    assert network.costs.macs == counter.get_total_flops() // 2


def outputs(result: Tensor | tuple[Tensor, ...] | dict[str, Tensor]) -> dict[str, Tensor]:
    """Name a network's results as torchvision does."""
    if isinstance(result, Tensor):
        return {"out": result}
    return result if isinstance(result, dict) else dict(zip(("out", "aux"), result, strict=True))


def train(module: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """Run one forward and backward pass with fixed noise; give the results, the gradients and the new state."""
    torch.manual_seed(1)
    results = outputs(module.train()(images))
    torch.stack([result.square().mean() for result in results.values()]).sum().backward()
    gradients = {f"{name}.grad": p.grad for name, p in module.named_parameters() if p.grad is not None}
    return {**results, **gradients, **{key: value.clone() for key, value in module.state_dict().items()}}


@every_built
def test_results_gradients_and_statistics_are_torchvisions_to_the_bit_at_any_size(name: str) -> None:
    """One module, compiled for images of 520 x 520, takes them all."""
    torch.manual_seed(0)
    theirs, ours = reference(name, num_classes=5), archdsl.load(name, classes=5).module()
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 3, 65, 97)
    expected, found = train(theirs, images), train(ours, images)
    assert expected.keys() == found.keys()
    assert sum(key.endswith(".grad") for key in expected) == len(list(theirs.parameters()))
    assert not [key for key, value in expected.items() if not torch.equal(value, found[key])]
    for size in ((224, 224), (50, 33)):
        image = torch.randn(1, 3, *size)
        with torch.no_grad():
            expected, found = outputs(theirs.eval()(image)), outputs(ours.eval()(image))
        assert expected.keys() == found.keys()
        assert all(torch.equal(value, found[key]) for key, value in expected.items())


@every_built
def test_initial_values_are_drawn_as_torchvision_draws_them(name: str) -> None:
    check_initial_values(archdsl.load(name, classes=5).module, lambda: reference(name, num_classes=5))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WITHOUT_AUX])
def test_the_auxiliary_classifier_is_a_setting(name: str) -> None:
    network = archdsl.load(name, aux=False)
    assert list(network.outputs) == ["out"]
    assert [key for key, _ in network.state] == list(reference(name, "meta", aux=False).state_dict())
