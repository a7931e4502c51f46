"""The bundled specs that bear torchvision's names are torchvision's networks: state, costs, results, initial values."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import archdsl
from archdsl.network import Network
from archdsl.passes.state import list_state
from tests.bundled import tiered
from tests.peers import torchvision
from tests.specs.initial import check_initial_values
from tests.specs.reference import NAMES, reference, state_of

pytestmark = pytest.mark.torch

# Heads that only training has; what is published counts the network without them.
HEADED = ("googlenet", "inception_v3")
RESULTS = {"logits": "output", "aux_logits": "aux", "aux_logits1": "aux1", "aux_logits2": "aux2"}

# Images that leave every norm more than one value in a batch of two, and every window its fill, where 64 does not.
SIZES = {"alexnet": 67, "inception_v3": 299}

# Networks whose weights are drawn in a second or so.
SMALL = {
    "alexnet",
    "mnasnet0_5",
    "mobilenet_v3_small",
    "regnet_x_400mf",
    "resnet18",
    "shufflenet_v2_x0_5",
    "squeezenet1_1",
}
# At least one of each form that a family has.
SLOW = {
    "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet", "inception_v3", "mobilenet_v2",
    "regnet_y_400mf", "resnet50", "resnext50_32x4d", "shufflenet_v2_x1_0", "squeezenet1_0", "vgg11", "vgg11_bn",
    "wide_resnet50_2",
}  # fmt: skip
# More weights than a test needs gigabytes for.
HUGE = {"regnet_y_128gf"}

every = pytest.mark.parametrize("name", NAMES)
every_compiled = pytest.mark.parametrize("name", tiered(NAMES, SMALL, SLOW))
every_built = pytest.mark.parametrize("name", tiered((n for n in NAMES if n not in HUGE), SMALL, SLOW))


def test_every_convolutional_classifier_of_torchvision_is_bundled() -> None:
    names = torchvision.models.list_models(module=torchvision.models)
    assert set(NAMES) == {name for name in names if not name.startswith(("maxvit", "swin", "vit"))}
    assert set(NAMES) >= SMALL | SLOW | HUGE


def load_body(name: str, image: Sequence[int] | None = None) -> Network:
    """Compile a network without the heads that only training has."""
    return archdsl.load(name, input=image, aux=False) if name in HEADED else archdsl.load(name, input=image)


@every
def test_the_state_is_torchvisions_in_order(name: str) -> None:
    state = list_state(archdsl.load(name).shapes)
    ours = [(key, tensor.shape, f"torch.{tensor.dtype}", tensor.kind) for key, tensor in state]
    module = reference(name, "meta")
    theirs = state_of(module)
    assert ours == theirs


@every_compiled
def test_the_compiled_module_has_that_state_too(name: str) -> None:
    with torch.device("meta"):
        ours = archdsl.load(name).module().state_dict()
    theirs = reference(name, "meta").state_dict()
    assert [(k, v.shape, v.dtype) for k, v in ours.items()] == [(k, v.shape, v.dtype) for k, v in theirs.items()]


@every
def test_parameters_and_macs_are_those_that_torchvision_publishes(name: str) -> None:
    weights = torchvision.models.get_model_weights(name).DEFAULT  # pyright: ignore[reportAttributeAccessIssue] -- every subclass has one
    size = weights.transforms.keywords["crop_size"]
    costs = load_body(name, [3, size, size]).costs
    # Torchvision counts Inception's head among the parameters, and GoogLeNet's not.
    counted = archdsl.load(name).costs if name == "inception_v3" else costs
    assert counted.parameters == weights.meta["num_params"]
    assert round(costs.macs / 1e9, 3) == weights.meta["_ops"]


@every
def test_macs_are_what_torch_counts(name: str) -> None:
    network = load_body(name)
    (shape,) = network.inputs.values()
    module = reference(name, "meta").eval()
    with FlopCounterMode(display=False) as counter:
        module(torch.empty(1, *shape.numbers(), device="meta"))
    assert network.costs.macs == counter.get_total_flops() // 2
    assert network.costs.flops == counter.get_total_flops()


@pytest.mark.parametrize("name", HEADED)
def test_a_training_head_costs_what_torch_counts_in_training(name: str) -> None:
    network = archdsl.load(name)
    (shape,) = network.inputs.values()
    with FlopCounterMode(display=False) as counter:
        reference(name, "meta").train()(torch.empty(2, *shape.numbers(), device="meta"))
    assert network.costs.macs == counter.get_total_flops() // 2 // 2


def outputs(result: object) -> dict[str, Tensor]:
    """Name a network's results: the logits "output", and heads as the specs call them."""
    if isinstance(result, Tensor):
        return {"output": result}
    fields: Sequence[str] = result._fields  # pyright: ignore[reportAttributeAccessIssue] -- a named tuple
    return {RESULTS.get(field, field): getattr(result, field) for field in fields}


def train(module: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """Run one forward and backward pass with fixed noise; give the results, the gradients and the new state."""
    torch.manual_seed(1)
    results = outputs(module.train()(images))
    sum(result.square().sum() for result in results.values()).backward()  # pyright: ignore[reportAttributeAccessIssue] -- tensors
    gradients = {f"{name}.grad": p.grad for name, p in module.named_parameters() if p.grad is not None}
    return {**results, **gradients, **{key: value.clone() for key, value in module.state_dict().items()}}


@every_built
def test_results_gradients_and_statistics_are_torchvisions_to_the_bit(name: str) -> None:
    torch.manual_seed(0)
    theirs = reference(name, num_classes=10)
    ours = archdsl.load(name, classes=10).module()
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 3, SIZES.get(name, 64), SIZES.get(name, 64))
    expected, found = train(theirs, images), train(ours, images)
    assert expected.keys() == found.keys()
    different = [key for key, value in expected.items() if not torch.equal(value, found[key])]
    if name == "googlenet":
        # Its heads run after the body here, and while it runs there, so that gradients add up in another order.
        assert all(key.endswith(".grad") for key in different)
        different = [key for key in different if (found[key] - expected[key]).norm() > 1e-4 * expected[key].norm()]
    assert not different
    with torch.no_grad():
        assert torch.equal(ours.eval()(images), theirs.eval()(images))


@every_built
def test_initial_values_are_drawn_as_torchvision_draws_them(name: str) -> None:
    check_initial_values(archdsl.load(name, classes=10).module, lambda: reference(name, num_classes=10))
