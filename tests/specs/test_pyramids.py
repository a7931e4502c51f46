"""Feature pyramids and what stands on them are torchvision's, whatever the image's size."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import archdsl
from archdsl.passes.state import list_state
from tests.peers import torchvision
from tests.specs.initial import check_initial_values
from tests.specs.reference import state_of

pytestmark = pytest.mark.torch

RETINANET = "retinanet_resnet50_fpn"
PYRAMIDS = ("fpn_resnet18", "fpn_resnet50", "fpn_resnet101")
NAMES = (*PYRAMIDS, RETINANET)
LEVELS = {"p2": "0", "p3": "1", "p4": "2", "p5": "3", "p6": "pool"}
"""Our names of a pyramid's outputs, and torchvision's."""

every = pytest.mark.parametrize("name", NAMES)
every_built = pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n == "fpn_resnet18" else pytest.mark.slow) for n in NAMES]
)


def reference(name: str, device: str = "cpu") -> Any:
    """Build torchvision's network with norms and weights that all learn; on device "meta", without values."""
    models = torchvision.models
    with torch.device(device):
        if name == RETINANET:
            return models.get_model(name, weights=None, weights_backbone=None)
        backbones = models.detection.backbone_utils  # pyright: ignore[reportAttributeAccessIssue] -- loaded with it
        return backbones.resnet_fpn_backbone(
            backbone_name=name.removeprefix("fpn_"), weights=None, norm_layer=nn.BatchNorm2d, trainable_layers=5
        )


def results(name: str, module: Any, images: Tensor) -> dict[str, Tensor]:
    """Run torchvision's network as far as ours goes."""
    if name != RETINANET:
        found = module(images)
        return {ours: found[theirs] for ours, theirs in LEVELS.items()}
    return module.head(list(module.backbone(images).values()))


def joined(name: str, found: tuple[Tensor, ...]) -> dict[str, Tensor]:
    """Return our results as torchvision has them: its heads list the anchors of all levels, place by place."""
    named: dict[str, Tensor] = found._asdict()  # pyright: ignore[reportAttributeAccessIssue] -- a named tuple
    if name != RETINANET:
        return named
    levels: dict[str, list[Tensor]] = {"cls_logits": [], "bbox_regression": []}
    for key, value in named.items():
        batch, channels, height, width = value.shape
        split = value.view(batch, 9, channels // 9, height, width).permute(0, 3, 4, 1, 2)
        levels[key[:-1]].append(split.reshape(batch, -1, channels // 9))
    return {key: torch.cat(values, dim=1) for key, values in levels.items()}


@every
def test_the_state_is_torchvisions_in_order(name: str) -> None:
    module = reference(name, "meta")
    theirs = state_of(module)
    network = archdsl.load(name)
    state = list_state(network.shapes)
    assert [(key, tensor.shape, f"torch.{tensor.dtype}", tensor.kind) for key, tensor in state] == theirs
    with torch.device("meta"):
        assert list(network.module().state_dict()) == list(module.state_dict())


@every
@pytest.mark.parametrize("size", [(224, 224), (65, 97), (256, 33)])
def test_macs_are_what_torch_counts_at_any_size(name: str, size: tuple[int, int]) -> None:
    network = archdsl.load(name, input=[3, *size])
    with FlopCounterMode(display=False) as counter:
        results(name, reference(name, "meta").eval(), torch.empty(1, 3, *size, device="meta"))
    assert network.costs.macs == counter.get_total_flops() // 2


@every_built
def test_results_and_statistics_are_torchvisions_to_the_bit_at_any_size_and_gradients_but_for_the_order(
    name: str,
) -> None:
    """One module, compiled for the default size, takes them all."""
    torch.manual_seed(0)
    theirs, ours = reference(name), archdsl.load(name).module()
    ours.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        for size in ((96, 64), (65, 97), (70, 224)):
            image = torch.randn(1, 3, *size)
            expected, found = results(name, theirs.eval(), image), joined(name, ours.eval()(image))
            assert expected.keys() == found.keys()
            assert all(torch.equal(value, found[key]) for key, value in expected.items())
    images = torch.randn(2, 3, 65, 97)
    expected, found = results(name, theirs.train(), images), joined(name, ours.train()(images))
    for values in (expected, found):
        torch.stack([value.square().mean() for value in values.values()]).sum().backward()
    for (key, parameter), other in zip(theirs.named_parameters(), ours.parameters(), strict=True):
        assert parameter.grad is not None
        assert other.grad is not None
        assert parameter.grad.any(), key
        # What several levels send to one weight adds up in another order.
        assert (other.grad - parameter.grad).norm() <= 1e-5 * parameter.grad.norm(), key
    state = ours.state_dict()
    assert not [key for key, value in theirs.state_dict().items() if not torch.equal(value, state[key])]


@every_built
def test_initial_values_are_drawn_as_torchvision_draws_them(name: str) -> None:
    check_initial_values(archdsl.load(name).module, lambda: reference(name))


def test_the_pyramids_outputs_have_strides_4_to_64() -> None:
    network = archdsl.load("fpn_resnet50", input=[3, 256, 512])
    strides = {f"p{i}": 2**i for i in range(2, 7)}
    assert network.outputs == {name: (256, 256 // s, 512 // s) for name, s in strides.items()}
    symbolic = network.symbolic_shapes
    shown = {output.name: str(symbolic.of(output.value)) for output in network.graph.outputs}
    assert shown == {name: f"[256, H/{s}, W/{s}]" for name, s in strides.items()}


def test_retinanet_gives_classes_and_boxes_of_nine_anchors_at_five_strides() -> None:
    network = archdsl.load(RETINANET, input=[3, 256, 512], classes=3)
    channels = {"cls_logits": 9 * 3, "bbox_regression": 9 * 4}
    assert network.outputs == {
        f"{name}{level}": (count, 256 // 2**level, 512 // 2**level)
        for name, count in channels.items()
        for level in range(3, 8)
    }
    heads = [node for node in network.costs.nodes if "_head" in node.path and node.op == "conv"]
    assert len(heads) == 2 * 5 * 5
    assert sum(node.parameters > 0 for node in heads) == 2 * 5


@pytest.mark.slow
def test_retinanets_norms_are_frozen_as_those_of_torchvisions_published_weights() -> None:
    detection = torchvision.models.detection  # pyright: ignore[reportAttributeAccessIssue] -- loaded with it
    frozen = torchvision.ops.misc.FrozenBatchNorm2d
    body = torchvision.models.resnet50(weights=None, norm_layer=frozen)
    extra = torchvision.ops.feature_pyramid_network.LastLevelP6P7(256, 256)
    torch.manual_seed(0)
    extractor = detection.backbone_utils._resnet_fpn_extractor(body, 5, [2, 3, 4], extra)
    theirs = detection.RetinaNet(extractor, 91).eval()
    # What it does once it has loaded them.
    detection._utils.overwrite_eps(theirs, 0.0)
    ours = archdsl.load(RETINANET, norm="frozen_batch(eps=0)").module().eval()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    image = torch.randn(1, 3, 65, 97)
    with torch.no_grad():
        expected, found = results(RETINANET, theirs, image), joined(RETINANET, ours(image))
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value)


def test_retinanets_costs_are_those_that_torchvision_publishes() -> None:
    meta = torchvision.models.get_model_weights(RETINANET).DEFAULT.meta  # pyright: ignore[reportAttributeAccessIssue] -- every subclass has one
    costs = archdsl.load(RETINANET).costs
    assert round(costs.macs / 1e9, 2) == meta["_ops"]
    # The norms of the published weights are frozen, and count as no parameters.
    norms = sum(node.parameters for node in costs.nodes if node.op == "batch")
    assert costs.parameters - norms == meta["num_params"]
