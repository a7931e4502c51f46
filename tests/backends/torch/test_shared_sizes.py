"""A module that is applied to images of several sizes, as the heads of a feature pyramid are."""

from __future__ import annotations

import random

import pytest
import torch
from torch import Tensor, nn

import archdsl
from archdsl.ir.content import content_of

pytestmark = pytest.mark.torch

BLOCKS = """
block unit(c) { residual { conv1: conv c; norm; act; conv2: conv c } shortcut { conv c k=1 }; act }
block gated(c) { mul { conv c; { gap; conv c k=1; sigmoid } } }
"""
# What takes eight channels and gives eight, whatever the size of the image.
STEPS = (
    "conv 8", "conv 8 k=1 bias=true", "dw; act", "unit 8", "gated 8", "norm", "group 4", "act", "layer axis=channels",
    "dropout2d 0.2", "{ unit 8; act }", "split 2 concat { conv 4; pass }", "upsample 2; maxpool 2", "scale", "prelu",
    "residual { unit 8 }", "conv 8 x 3", "adaptive_avgpool 4", "avgpool 2", "deconv 8 k=2 s=2", "se: gated 8", "lrn 3",
)  # fmt: skip


def pyramid(steps: str, height: int = 40, width: int = 24) -> archdsl.Network:
    """Return a network whose head of these steps is applied to three sizes of map."""
    text = f"{BLOCKS}model m {{ input [3, {height}, {width}]; conv 8; head: {{ {steps} }}; output first\n"
    text += "@low; maxpool 2; reuse head; output second\n@low; maxpool 4; conv 8; reuse head; output third }"
    return archdsl.load_text(text.replace("conv 8; head", "low: conv 8; head", 1))


def check(network: archdsl.Network) -> None:
    """Hold the module's results against the shapes, and the head's against each other."""
    module = network.module().eval()
    taken: set[torch.Size] = set()

    def note(_: nn.Module, given: tuple[Tensor, ...], __: object) -> None:
        taken.add(given[0].shape)

    module.get_submodule("head").register_forward_hook(note)
    (shape,) = network.inputs.values()
    with torch.no_grad():
        results = module(torch.randn(2, *shape.numbers()))
    assert {name: tuple(result.shape[1:]) for name, result in results._asdict().items()} == {
        name: shape.numbers() for name, shape in network.outputs.items()
    }
    assert len(taken) == 3
    assert sum(weight.numel() for weight in module.parameters()) == network.costs.parameters
    assert list(module.state_dict()) == [key for key, _ in network.state]
    check_inference(network, module)


def check_inference(network: archdsl.Network, module: nn.Module) -> None:
    (shape,) = network.inputs.values()
    image = torch.randn(2, *shape.numbers())
    other = archdsl.load_text(network.text())
    assert content_of(other.graph, is_bare=True) == content_of(network.graph, is_bare=True)
    again = archdsl.from_networkx(network.flatten()).module().eval()
    again.load_state_dict(module.state_dict())
    with torch.no_grad():
        for found, expected in zip(again(image), module(image), strict=True):
            torch.testing.assert_close(found, expected)


def heads(count: int, seed: int) -> list[str]:
    """Draw the steps of heads, in a fixed random order."""
    draw = random.Random(seed)
    return ["; ".join(draw.sample(STEPS, draw.randint(1, 4))) for _ in range(count)]


@pytest.mark.parametrize("steps", [*STEPS[:9], *heads(8, 3)])
def test_a_head_is_one_module_for_maps_of_several_sizes(steps: str) -> None:
    check(pyramid(steps))


@pytest.mark.slow
@pytest.mark.parametrize("steps", [*STEPS[9:], *heads(60, 4)])
def test_every_head_is_one_module_for_maps_of_several_sizes(steps: str) -> None:
    check(pyramid(steps))


@pytest.mark.parametrize(
    ("steps", "culprit"),
    [("flatten; fc 16", "1"), ("flatten; { act; fc: fc 16 }", "1.fc"), ("u: { flatten; l: fc 9 }", "u.l")],
)
def test_what_depends_on_the_size_is_told(steps: str, culprit: str) -> None:
    with pytest.raises(archdsl.SpecError) as error:
        pyramid(steps)
    found = error.value.diagnostics
    assert {diagnostic.code for diagnostic in found} == {"E213"}
    assert f"`head` took [8, 40, 24] and is handed [8, 20, 12], on which its step `{culprit}` depends" in [
        diagnostic.message for diagnostic in found
    ]


def test_sizes_that_a_head_settles_itself_do_not_matter() -> None:
    check(pyramid("upsample size=[8, 8]; flatten; fc 9; reshape [9, 1, 1]"))
