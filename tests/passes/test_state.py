"""The order of state_dict keys; tests/specs compares whole networks with torchvision."""

from __future__ import annotations

import pytest

from archdsl.api import load_text
from archdsl.passes.state import list_adaptable, list_shared
from tests.passes.published import network

TEXTS = {
    "own parameters first": "conv 4; block: { a: conv 4; scale; b: conv 4; batch }; fc 3",
    "nested levels": "stem: { conv 4; batch }; body: { a: { conv 4; batch }; conv 4 } x 3; gap; flatten; fc: fc 3",
    "reused": "a: conv 3; batch; reuse a; fc 3",
    "buffers after parameters": "conv 4; batch affine=false; frozen_batch; prelu shared=false; group 2",
}


@pytest.mark.torch
@pytest.mark.parametrize("body", TEXTS.values(), ids=TEXTS.keys())
def test_keys_and_shapes_are_those_of_the_built_module_in_order(body: str) -> None:
    net = load_text(f"model small {{ input [3, 16, 16]; {body} }}")
    theirs = [(key, tuple(value.shape), str(value.dtype)) for key, value in net.module().state_dict().items()]
    assert [(key, tensor.shape, f"torch.{tensor.dtype}") for key, tensor in net.state] == theirs


def test_a_parameter_of_a_level_comes_before_the_modules_of_that_level() -> None:
    net = load_text("model small { input [3, 16, 16]; body: { a: conv 3; s: scale; b: conv 3 } }")
    assert [key for key, _ in net.state] == ["body.s", "body.a.weight", "body.b.weight"]


def test_a_reused_module_is_listed_once() -> None:
    net = load_text("model small { input [3, 16, 16]; a: conv 3; reuse a; reuse a }")
    assert [key for key, _ in net.state] == ["a.weight"]


@pytest.mark.parametrize("name", ["resnet50", "convnext_tiny", "densenet121"])
def test_the_state_holds_as_many_elements_as_the_costs_count(name: str) -> None:
    net = network(name)
    by_kind = {kind: sum(t.elements for _, t in net.state if t.kind == kind) for kind in ("parameter", "buffer")}
    assert by_kind == {"parameter": net.costs.parameters, "buffer": net.costs.buffers}
    assert len({key for key, _ in net.state}) == len(net.state)


def test_what_is_applied_again_is_listed_with_all_that_it_holds() -> None:
    net = load_text("model small { input [3, 8, 8]; s: { a: { c: conv 3; reuse c }; reuse a; d: conv 3 }; t: conv 3 }")
    assert list_shared(net.shapes) == {"s.a.c.weight"}
    assert list_adaptable(net.shapes) == {"s.a.c.weight", "s.d.weight", "t.weight"}


def test_only_plain_convolutions_of_one_group_can_be_adapted() -> None:
    net = load_text("model m { input [4, 8, 8]; a: conv 4; b: conv 4 groups=2; c: deconv 4; d: dw; flatten; e: fc 3 }")
    assert list_adaptable(net.shapes) == {"a.weight"}
