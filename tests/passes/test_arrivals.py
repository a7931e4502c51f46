"""Which convolutions see the image, and which linear maps a flat feature map, through levels and repeats."""

import pytest

from archdsl import load, load_text
from archdsl.passes.arrivals import find_arrivals


def arrivals(body: str) -> tuple[set[str], dict[str, list[int]]]:
    found = find_arrivals(load_text(f"model m {{ input [3, 8, 8]; {body} }}").shapes)
    return {*found.entrance}, {key: list(shape.numbers()) for key, shape in found.flattened.items()}


@pytest.mark.parametrize(
    ("body", "entrance"),
    [
        ("a: conv 4; b: conv 4", {"a.weight"}),
        ("maxpool k=2; n: batch; relu; a: conv 4", {"a.weight"}),
        ("s: { a: conv 4; b: conv 4 }; c: conv 3", {"s.a.weight"}),
        ("add { a: conv 4; { b: conv 4; c: conv 4 } }", {"add.a.weight", "add.b.weight"}),
        ("concat { pass; a: conv 4 }; b: conv 4", {"concat.a.weight"}),
        ("residual { a: conv in; norm; act; b: conv in }; c: conv 5", {"a.weight"}),
    ],
)
def test_what_sees_the_image(body: str, entrance: set[str]) -> None:
    found = arrivals(body)[0]
    assert {key.rpartition(".")[0].rpartition(".")[2] for key in found} == {
        key.rpartition(".")[0].rpartition(".")[2] for key in entrance
    }


def test_what_sees_a_flat_map() -> None:
    assert arrivals("conv 4; flatten; f: fc 5; g: fc 6")[1] == {"f.weight": [4, 8, 8]}
    assert arrivals("conv 4; flatten; h: { dropout 0.5; relu; f: fc 5 }")[1] == {"h.f.weight": [4, 8, 8]}
    assert arrivals("conv 4; gap; flatten; f: fc 5")[1] == {"f.weight": [4, 1, 1]}
    assert arrivals("conv 4; permute [1, 2, 0]; f: fc 5")[1] == {}


def test_bundled_networks() -> None:
    vgg = find_arrivals(load("vgg11").shapes)
    assert vgg.entrance == {"features.0.weight"}
    assert {key: shape.numbers() for key, shape in vgg.flattened.items()} == {"classifier.0.weight": (512, 7, 7)}
    assert find_arrivals(load("resnet50").shapes).entrance == {"conv1.weight"}
    assert find_arrivals(load("densenet121").shapes).entrance == {"features.conv0.weight"}
