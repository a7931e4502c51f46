"""Arithmetic intensity against figures worked out by hand."""

from __future__ import annotations

import pytest

from archdsl.api import load_text
from tests.passes.published import network


def test_a_convolution_moves_its_weights_input_and_output() -> None:
    net = load_text("model small { input [3, 8, 8]; conv 4 k=1 bias=true }")
    one = net.intensity(batch_size=5).nodes["0"]
    assert one.flops == 2 * 5 * 4 * 3 * 64
    assert one.elementwise == 5 * 4 * 64
    assert one.bytes == 4 * (4 * 3 + 4 + 5 * (3 + 4) * 64)
    assert one.intensity == one.flops / one.bytes


def test_repeats_and_calls_add_up() -> None:
    text = "block unit(c) { conv c; batch; relu }\nmodel small { input [4, 8, 8]; body: { unit 4 x 3 }; gap; flatten }"
    net = load_text(text)
    found = net.intensity(2)
    (step,) = found.inner["body"].inner.values()
    assert step.total.bytes == sum(node.bytes for node in step.nodes.values()) > 0
    assert found.nodes["body"].bytes == 3 * step.total.bytes
    assert found.total.bytes == found.nodes["body"].bytes + found.nodes["gap"].bytes
    assert found.total.flops == 2 * 2 * net.costs.macs


def test_views_move_nothing() -> None:
    net = load_text("model small { input [4, 8, 8]; none; dropout 0.5; permute [2, 0, 1]; flatten }")
    total = net.intensity().total
    assert (total.flops, total.bytes, total.intensity) == (0, 0, 0)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_a_larger_batch_shares_the_weights(name: str) -> None:
    net = network(name)
    single, batch = net.intensity(1).total, net.intensity(64).total
    assert batch.flops == 64 * single.flops
    assert batch.bytes < 64 * single.bytes
    assert batch.intensity > single.intensity


def test_depthwise_networks_compute_less_for_each_byte() -> None:
    assert network("mobilenet_v2").intensity(32).total.intensity < network("resnet18").intensity(32).total.intensity
