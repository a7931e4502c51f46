"""A network by depth: layers that add up to it, and stages that are those of its text."""

from __future__ import annotations

import pytest

from archdsl import load, load_text
from archdsl.backends.chart import Profile, profile

NAMES = ("resnet50", "mobilenet_v3_large", "googlenet", "unet", "siamese", "densenet121", "vgg16", "efficientnet_b0")


def profile_of(name: str) -> Profile:
    network = load(name)
    return profile(network.name, network.tables)


@pytest.mark.parametrize("name", NAMES)
def test_layers_add_up_to_the_network_and_stages_to_the_layers(name: str) -> None:
    network, found = load(name), profile_of(name)
    for figure in ("macs", "parameters", "activation_bytes"):
        assert sum(getattr(layer, figure) for layer in found.layers) == getattr(network.costs, figure)
    assert [stage.first for stage in found.stages] == [0, *(stage.last for stage in found.stages[:-1])]
    assert found.stages[-1].last == len(found.layers)
    assert all(stage.size > 0 for stage in found.stages)


def test_stages_are_those_of_the_text() -> None:
    assert [stage.name for stage in profile_of("resnet50").stages] == [
        "conv1", "layer1", "layer2", "layer3", "layer4", "fc",
    ]  # fmt: skip
    assert [stage.name for stage in profile_of("mobilenet_v2").stages][:2] == ["features.0–1", "features.2–3"]


def test_a_network_without_weights_is_one_layer() -> None:
    network = load_text("model net { input [3, 8, 8]; relu; maxpool k=3 }")
    (layer,) = profile("net", network.tables).layers
    assert layer.activation_bytes == network.costs.activation_bytes
