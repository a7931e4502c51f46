"""Symbolic shapes, evaluated, are numeric shapes."""

from __future__ import annotations

import pytest

from archdsl.api import load_text
from archdsl.ops.shape import Dim, Shape, Size
from archdsl.passes.costs import count_costs
from archdsl.passes.shapes import Shapes, infer_shapes
from archdsl.passes.symbolic import symbolic_shapes
from archdsl.passes.tables import walk
from tests.passes.published import bundled, network

# Those of the families, and steps from the declared size that hourglasses divide.
SIZES = ((97, 128), (224, 224), (256, 320), (299, 299), (331, 320), (352, 384))


def number(size: Size, height: int, width: int) -> int:
    return size.evaluate({"H": height, "W": width}) if isinstance(size, Dim) else size


def compare(symbolic: Shapes, numeric: Shapes, height: int, width: int, seen: set[tuple[int, int]]) -> int:
    """Compare the tables node by node, bodies included, and count the values."""
    if (id(symbolic), id(numeric)) in seen:
        return 0
    seen.add((id(symbolic), id(numeric)))
    count = 0
    for key, outputs in numeric.results.items():
        for name, shape in outputs.items():
            known = symbolic.results[key][name]
            assert known.with_sizes(number(size, height, width) for size in known) == shape
            count += 1
        if key in numeric.inner:
            count += compare(symbolic.inner[key], numeric.inner[key], height, width, seen)
    return count


@pytest.mark.parametrize("name", bundled())
def test_every_value_has_its_numeric_shape_at_every_legal_size(name: str) -> None:
    net = network(name)
    symbolic = symbolic_shapes(net.graph, net.shapes.inputs)
    legal = 0
    declared = next((x.numbers()[1:] for x in net.shapes.inputs if len(x) == 3), (1, 1))
    steps = [(declared[0] + down, declared[1] + across) for down, across in ((0, 0), (32, 64), (64, 0))]
    for height, width in (*SIZES, *steps):
        inputs = [Shape(x.channels, height, width) if len(x) == 3 else x for x in net.shapes.inputs]
        numeric, misfits = infer_shapes(net.graph, inputs)
        if not misfits:
            legal += 1
            assert compare(symbolic, numeric, height, width, set()) >= len(net.graph.nodes)
    assert legal >= 3


def test_sizes_are_written_in_height_and_width() -> None:
    net = load_text("model small { input [3, 224, 160]; conv 8 s=2; maxpool k=3 s=2; conv 4 }")
    (_, height, width) = net.symbolic_shapes.outputs[""]
    assert (str(height), str(width)) == ("(H-1)//4+1", "(W-1)//4+1")


def test_inputs_of_one_size_share_its_symbol_and_others_do_not() -> None:
    text = "model two { a: input [1, 8, 8]; b: input [2, 8, 8]; c: input [1, 4, 8]; d: input [5]; conv 2 }"
    text = text.replace("conv 2", "fc 2; @c; conv 2; @a; concat { pass; @b }")
    symbolic = load_text(text).symbolic_shapes
    assert [str(shape) for shape in symbolic.inputs] == ["[1, H, W]", "[2, H, W]", "[1, H2, W]", "[5]"]


def test_costs_want_numbers() -> None:
    net = network("resnet18")
    assert sum(1 for _ in walk(net.tables))
    with pytest.raises(AssertionError, match="symbolic"):
        count_costs(net.symbolic_shapes)
