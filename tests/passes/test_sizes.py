"""Which sizes a network takes, against compiling it at those sizes."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.passes.sizes import Refusal, Sizes, all_sizes
from archdsl.text.error import SpecError


def sizes_of(name: str) -> Sizes:
    return all_sizes(archdsl.load(name).shapes)


@pytest.mark.parametrize("name", ["unet", "vgg16", "densenet121", "inception_v3"])
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
            assert sizes.tables[index].costs.total == again.tables.costs.total
            assert sizes.tables[index].shapes.outputs == again.shapes.outputs


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
    for shapes in (tables.shapes for tables in sizes.tables):
        assert len(shapes.results) == len(shapes.graph.nodes)


def test_images_keep_their_proportions() -> None:
    sizes = all_sizes(archdsl.load_text("model m { input [3, 32, 48]; conv 4 }").shapes)
    assert sizes.legal[:3] == (2, 4, 6)
    assert sizes.tables[0].shapes.inputs[0].numbers() == (3, 2, 3)
    assert sizes.refused[3] == Refusal()


def test_without_an_image_there_is_one_size() -> None:
    sizes = all_sizes(archdsl.load_text("model m { input [16]; fc 4 }").shapes)
    assert (sizes.legal, sizes.start) == ((0,), 0)
