"""Which sizes a network takes, against compiling it at those sizes."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.ir.graph import Value
from archdsl.passes.tables import Tables
from archdsl.text.error import SpecError
from archdsl.tracing.sized import FIGURES, SizedGraph, SizedRow
from archdsl.tracing.sizes import Refusal, Sizes, all_sizes


def assert_equal(body: SizedGraph, row: SizedRow, tables: Tables) -> None:
    """Hold every number of a row, and of those inside, against the tables of a network that was compiled so."""
    for node in body.graph.topological():
        for output, shape in tables.shapes.results[node.id].items():
            assert row.numbers[body.places[Value(node.id, output)]] == tuple(shape)
        first = body.costs[node.id]
        found = dict(zip(FIGURES, row.numbers[first : first + len(FIGURES)], strict=True))
        assert found == {figure: getattr(tables.costs.nodes[node.id], figure) for figure in FIGURES}
        if node.body is not None:
            inner = tables.inner(node)
            function, _ = body.functions.of(node.body, inner.shapes.inputs)
            assert_equal(function, row.inner[body.calls[node.id]], inner)


def sizes_of(name: str) -> Sizes:
    return all_sizes(archdsl.load(name).shapes)


@pytest.mark.parametrize(
    "name", ["unet", "vgg16", "densenet121", "inception_v3", "retinanet_resnet50_fpn", "shufflenet_v2_x1_0"]
)
def test_a_size_is_legal_where_the_network_compiles_at_it(name: str) -> None:
    network = archdsl.load(name)
    sizes = all_sizes(network.shapes)
    (image, *_) = network.inputs.values()
    channels, height, _ = image.numbers()
    for size in {1, 7, 20, 31, 32, 33, 44, 75, 100, 188, height - 1, height, height + 1}:
        try:
            again = archdsl.load(name, input=(channels, size, size))
        except SpecError as error:
            codes = [diagnostic.code for diagnostic in error.diagnostics]
            assert sizes.refused[size].code == codes[0], (size, codes)
        else:
            index = sizes.legal.index(size)
            assert_equal(sizes.body, sizes.rows[index], again.tables)


def test_every_size_tried_is_legal_or_refused_and_never_both() -> None:
    for name in ("unet", "resnet50", "digits"):
        sizes = sizes_of(name)
        assert sorted([*sizes.legal, *sizes.refused]) == list(range(1, max([*sizes.legal, *sizes.refused]) + 1))
        assert sizes.legal[sizes.start] == sizes.declared


def test_a_refusal_names_the_node_whose_rule_is_broken() -> None:
    text = "model m { input [3, 8, 8]; stem: conv 4; tail { down: { maxpool k=2 s=2; deep: conv 8 k=3 p=0 } } }"
    sizes = all_sizes(archdsl.load_text(text.replace("tail {", "tail: {")).shapes)
    assert sizes.refused[4] == Refusal("E211", "tail.down.deep")
    assert 4 not in sizes.legal
    assert sizes.legal[0] == 6


def test_a_failed_size_leaves_nothing_behind_for_the_next() -> None:
    sizes = sizes_of("unet")
    assert {len(row.numbers) for row in sizes.rows} == {len(sizes.rows[0].numbers)}
    assert {len(row.inner) for row in sizes.rows} == {len(sizes.body.calls)}


def test_images_keep_their_proportions() -> None:
    sizes = all_sizes(archdsl.load_text("model m { input [3, 32, 48]; conv 4 }").shapes)
    assert sizes.legal[:3] == (2, 4, 6)
    (image,) = sizes.body.graph.inputs
    assert sizes.rows[0].numbers[sizes.body.places[Value(image.id)]] == (3, 2, 3)
    assert sizes.refused[3] == Refusal()


def test_without_an_image_there_is_one_size() -> None:
    sizes = all_sizes(archdsl.load_text("model m { input [16]; fc 4 }").shapes)
    assert (sizes.legal, sizes.start) == ((0,), 0)
