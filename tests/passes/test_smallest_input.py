"""The smallest image against published figures."""

from __future__ import annotations

import pytest

from archdsl.api import load_text
from tests.passes.published import bundled, network, published

FIGURES = {name: facts["min_size"][0] for name, facts in published().items() if name in bundled()}
# The published 33 is no shape's limit: these take a single pixel, as torch shows.
TAKES_LESS = {"efficientnet_v2_s": 33, "efficientnet_v2_m": 33, "efficientnet_v2_l": 33}


def test_every_published_convolutional_classifier_is_bundled() -> None:
    others = ("maxvit", "swin", "vit")
    assert set(FIGURES) == {name for name in published() if not name.startswith(others)}


@pytest.mark.parametrize("name", [name for name in FIGURES if name not in TAKES_LESS])
def test_the_smallest_image_is_the_published_one(name: str) -> None:
    assert network(name).smallest_input == FIGURES[name]


@pytest.mark.parametrize("name", TAKES_LESS)
def test_a_published_figure_may_be_larger_than_what_runs(name: str) -> None:
    assert FIGURES[name] == TAKES_LESS[name]
    assert network(name).smallest_input == 1


@pytest.mark.torch
@pytest.mark.parametrize("name", ["efficientnet_v2_s", "squeezenet1_0", "densenet121", "googlenet", "alexnet"])
def test_torch_runs_at_that_size_and_at_none_below(name: str) -> None:
    import torch

    net = network(name)
    smallest = net.smallest_input
    assert smallest is not None
    module = net.module().eval()
    with torch.inference_mode():
        module(torch.zeros(1, 3, smallest, smallest))
        if smallest > 1:
            with pytest.raises(RuntimeError):
                module(torch.zeros(1, 3, smallest - 1, smallest - 1))


def test_weights_that_depend_on_the_image_fix_its_size() -> None:
    text = "model small { input [1, 28, 28]; conv 4; maxpool k=2; flatten; fc 10 }"
    assert load_text(text).smallest_input == 28
    assert load_text(text.replace("flatten", "gap; flatten")).smallest_input == 2


def test_a_smaller_weight_of_one_shape_is_found_below_a_gap() -> None:
    # 14 // 2 = 15 // 2, so that the odd size below the declared one has the same weights
    text = "model small { input [1, 15, 15]; maxpool k=2; flatten; fc 10 }"
    assert load_text(text).smallest_input == 14


def test_training_only_parts_do_not_count() -> None:
    text = "model small { input [1, 32, 32]; conv 4; output aux training { conv 4 k=9 p=0 }; gap }"
    assert load_text(text).smallest_input == 1


def test_a_network_without_images_has_none() -> None:
    assert load_text("model small { input [8]; fc 10 }").smallest_input is None
