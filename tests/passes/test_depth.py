"""How deep weights lie: by blocks where networks have them, by steps with weights elsewhere."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.passes.depth import layer_depths


def depths(name: str) -> dict[str, int]:
    """Return the depths by what stands before the tensor's name."""
    return {key.rpartition(".")[0]: depth for key, depth in layer_depths(archdsl.load(name).shapes).items()}


def test_a_residual_block_is_a_layer_and_a_norm_is_none() -> None:
    found = depths("resnet18")
    assert found["fc"] == 0
    assert found["layer4.1.conv1"] == found["layer4.1.bn2"] == 1
    assert found["layer4.0.downsample.0"] == found["layer4.0.conv2"] == 2
    assert found["conv1"] == found["bn1"] == 9


@pytest.mark.parametrize(("name", "layers"), [("vgg11", 11), ("mobilenet_v2", 20), ("densenet121", 63)])
def test_layers_are_steps_or_blocks_also_where_a_call_has_no_shortcut(name: str, layers: int) -> None:
    found = depths(name)
    assert sorted({*found.values()}) == list(range(layers))


def test_what_only_a_training_output_needs_is_counted_from_there() -> None:
    found = depths("googlenet")
    assert (found["aux1.fc2"], found["aux1.fc1"], found["fc"]) == (0, 1, 0)


def test_a_step_on_several_ways_is_as_deep_as_the_longest() -> None:
    text = "model m { input [3, 8, 8]; a: conv 4; b: conv 4; c: conv 4; @a; d: conv 4; add @c; gap; flatten; e: fc 2 }"
    found = {key.partition(".")[0]: depth for key, depth in layer_depths(archdsl.load_text(text).shapes).items()}
    assert found == {"a": 3, "b": 2, "c": 1, "d": 1, "e": 0}
