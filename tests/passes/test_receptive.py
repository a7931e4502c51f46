"""Receptive fields against published figures and against measured ones."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from archdsl.api import load_text
from archdsl.network import Network
from archdsl.passes.receptive import receptive_fields
from tests.passes.published import bundled, network, published

FIGURES = {name: facts["receptive_field"] for name, facts in published().items() if "receptive_field" in facts}


def test_every_published_field_is_of_a_bundled_network() -> None:
    assert len(FIGURES) == 18
    assert set(FIGURES) <= set(bundled())


@pytest.mark.parametrize("name", FIGURES)
def test_the_field_at_the_last_feature_map_is_the_published_one(name: str) -> None:
    found = network(name).receptive_field
    size, stride = FIGURES[name]["size"], FIGURES[name]["stride"]
    assert found.size == (size, size)
    assert found.stride == (stride, stride)


BLOCKS = """
block unit(c) { residual { conv c k=1; conv c k=5 } shortcut { conv c k=1 } }
block half(c) { conv c k=4 s=2; upsample factor=3; conv c k=3 s=2 }
block turned(c) { conv c k=[3, 1]; permute [0, 2, 1] }
"""
SMALL = {
    "strides": "conv 4 k=7 s=2; conv 4; avgpool k=2; conv 4 k=3 d=2; conv 4 k=1",
    "axes": "conv 4 k=[3, 5] s=[1, 2]; conv 4 k=[1, 3] d=[1, 3]",
    "repeats": "conv 4; a: { conv 4; conv 4 } x 3; avgpool k=3 s=2; a2: { conv 4 k=5 } x 2",
    "repeated blocks": "unit 3 x 4; half 4 x 2; unit 4 x 3; turned 4 x 3",
    "residual": "conv 4; residual { conv 4 k=5; conv 4 k=3 }; conv 4 s=2; residual { conv 4 }",
    "branches": "conv 4; concat { conv 2 k=1; { conv 2 k=1; conv 2 k=5 }; avgpool k=3 s=1 }; conv 4 s=2",
    "transposed": "conv 4 s=2; deconv 4 k=4 s=2 p=1; conv 2",
    "transposed with gaps": "conv 4 s=2; deconv 4 k=3 s=2 p=1 output_padding=1; conv 2; deconv 2 k=2 s=2",
    "transposed and dilated": "conv 4 s=2; deconv 4 k=3 s=2 p=2 d=3 output_padding=1; conv 2",
    "nearest": "conv 4 s=2; conv 4; upsample factor=2; conv 4",
    "bilinear": "conv 4 s=2; upsample factor=2 mode=bilinear; conv 4",
    "bilinear by three": "conv 4 s=3; upsample factor=3 mode=bilinear; conv 4",
    "bicubic": "conv 4 s=2; upsample factor=2 mode=bicubic; avgpool k=2",
    "hourglass": "conv 4; concat { pass; { conv 4 s=2; conv 4 s=2; conv 4; upsample factor=4 } }; conv 4",
    "pixels": "conv 4 s=2; pixel_shuffle factor=2; conv 4; pixel_unshuffle factor=2; conv 4",
    "same": "conv 4 k=4 padding=same; conv 4 k=3 s=2 padding=same",
    "padded": "pad size=[1, 2, 3, 0]; conv 4 k=3 p=0; conv 4 s=2",
    "channels last": "conv 4; permute [1, 2, 0]; fc 6; permute [2, 0, 1]; conv 4 k=[3, 1]",
    "transposed image": "conv 4 k=[5, 1]; permute [0, 2, 1]; conv 4 k=[3, 1]; conv 4 s=[2, 1]; permute [0, 2, 1]",
}


def measured(net: Network, row: int, column: int) -> list[tuple[int, int]]:
    """Find which rows and columns of the input move one output element, by back-propagation in float64."""
    module = net.module().double().eval()
    generator = torch.Generator().manual_seed(0)
    for parameter in module.parameters():  # nothing cancels where all weights are positive
        parameter.data.uniform_(0.5, 1.5, generator=generator)
    image = torch.ones(1, *net.shapes.inputs[0].numbers(), dtype=torch.float64, requires_grad=True)
    module(image)[0, :, row, column].sum().backward()
    assert image.grad is not None
    seen = image.grad[0].abs().sum(0) > 0
    ends = [seen.any(dim).nonzero().flatten() for dim in (1, 0)]
    return [(int(line[0]), int(line[-1])) for line in ends]


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("body", SMALL.values(), ids=SMALL.keys())
def test_fields_are_those_that_back_propagation_measures(body: str) -> None:
    net = load_text(f"{BLOCKS} model small {{ input [2, 72, 72]; {body} }}")
    seen = receptive_fields(net.shapes).results[net.graph.main.node][net.graph.main.output]
    (view,) = seen.views.values()
    assert seen.axes is not None
    _, height, width = net.shapes.outputs[""].numbers()
    for step in range(4):
        place = (height // 2 + step, width // 2 - step)
        along = (place[axis - 1] for axis in seen.axes)
        expected = [reach.interval(i, i) for reach, i in zip(view, along, strict=True) if reach is not None]
        assert measured(net, *place) == expected


def test_the_figures_are_in_input_pixels() -> None:
    net = load_text("model small { input [2, 72, 72]; conv 4 k=7 s=2; maxpool k=2; conv 4 }")
    found = net.receptive_field
    assert found.size == (17, 17)
    assert found.stride == (4, 4)
    assert found.centre == (Fraction(1), Fraction(1))
    assert found.is_bounded


def test_a_gate_that_pools_sees_the_whole_image_and_is_no_head() -> None:
    net = load_text(
        "model gated { input [2, 64, 64]; conv 4; body: { mul { pass; { gap; conv 4 k=1; sigmoid } } }; conv 4; gap }"
    )
    fields = dict(receptive_fields(net.shapes).walk())
    assert net.receptive_field.size == (None, None)
    before = next(path for path in fields if path.endswith("conv"))
    assert fields[before]["input"].size == (3, 3)


def test_a_dense_layer_sees_the_axis_it_acts_on() -> None:
    net = load_text("model mixer { input [2, 32, 32]; conv 4 k=3; fc 8 }")
    assert net.receptive_field.size == (3, None)


def test_a_vector_made_of_one_position_keeps_its_field() -> None:
    net = load_text("model lenet { input [1, 12, 12]; conv 4 k=5 p=0; maxpool k=2; conv 8 k=4 p=0; flatten; fc 10 }")
    outputs = receptive_fields(net.shapes).outputs
    assert outputs[""]["input"].size == (12, 12)


def test_every_input_has_its_own_field() -> None:
    text = """
    model two {
      left: input [1, 32, 32]; right: input [1, 32, 32]
      a: conv 4 k=7; @left; conv 4 k=3
      concat { pass; @a }
    }
    """
    (fields,) = receptive_fields(load_text(text).shapes).outputs.values()
    assert {name: field.size for name, field in fields.items()} == {"left": (3, 3), "right": (7, 7)}


def test_paths_are_those_of_the_written_out_network() -> None:
    net = network("resnet18")
    paths = dict(receptive_fields(net.shapes).walk())
    assert paths["layer1.1.conv2"]["input"].size == (43, 43)
    assert paths["layer4"]["input"].size == (435, 435)
