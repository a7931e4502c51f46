"""Blocks: levels of their own, shared by equal calls, with strides and bodies that callers hand over."""

from __future__ import annotations

import pytest

import archdsl
from tests.lower.spec import channels, mistakes, network, paths


def test_blocks_are_levels_unless_inline() -> None:
    declarations = "block a(c) { conv c; act }\ninline block b(c) { norm; conv c }"
    assert paths(network("a 4; b 8", declarations)) == ["0.0", "0.1", "1", "2"]
    assert paths(network("one: a 4; two: b 8", declarations)) == ["one.0", "one.1", "two.0", "two.1"]


def test_a_stride_parameter_acts_on_the_first_repeat_only() -> None:
    block = "block b(c, stride s=1) { conv c s=s }"
    assert [node.output.numbers() for node in network("b 4 s=2 x 3", block).costs.nodes] == [(4, 8, 8)] * 3
    assert [node.output.numbers()[1] for node in network("{ b 4 s=2 } x 2", block).costs.nodes] == [8, 8]


def test_equal_looking_arguments_do_not_share_a_body() -> None:
    found = network("b 2; b true; b false", "block b(v) { if v == true { conv 1 } else { conv 2 } }")
    assert channels(found) == [2, 1, 2]


def test_a_body_sees_the_names_of_its_place() -> None:
    declarations = "block twice(body f, n=7) { f; { f } }\nblock outer(n) { twice { conv n } }"
    assert channels(network("let n = 5; twice { conv n }; outer 3", declarations)) == [5, 5, 3, 3]


@pytest.mark.parametrize(
    "body", ["conv 4; act", "conv 4", "residual { conv in; norm }", "mul { pass; pass }", "act x 3"]
)
def test_a_label_before_a_body_that_was_handed_over_is_that_of_its_braces(body: str) -> None:
    handed = network(f"w {{ {body} }}", "block w(body f) { here: f; there: f x 2; f; conv 8 }")
    written = network(f"w {{ {body} }}", f"block w(body f) {{ here: {{ {body} }}; there: f x 2; f; conv 8 }}")
    assert paths(handed) == paths(written)
    assert [key for key, _ in handed.state] == [key for key, _ in written.state]
    assert any(path.startswith("0.here.") for path in paths(handed))


def test_a_body_that_was_handed_over_is_read_by_its_label() -> None:
    declarations = "block w(body f) { early: f; conv in; concat { pass; @early } }"
    assert channels(network("w { conv 3; act }", declarations))[-1] == 6


def test_a_body_declared_first_takes_no_value_of_the_others() -> None:
    assert channels(network("twice 6 { conv 5 }", "block twice(body f, n) { conv n; f; f }")) == [6, 5, 5]


def test_blocks_do_not_see_the_names_of_their_callers() -> None:
    assert mistakes("let n = 5; b", "block b { conv n }") == [("E101", "n")]


def test_in_is_what_flows_and_cin_what_entered() -> None:
    assert channels(network("b 8", "block b(c) { conv c; conv in + cin; conv cin }")) == [8, 12, 4]
    assert channels(network("conv 8; concat { conv in; { conv 2; conv in*2 } }")) == [8, 8, 2, 4, 12]


def test_in_follows_the_channels_where_they_are_moved() -> None:
    moved = network("conv 8; permute [1, 2, 0]; b 2*in", "block b(c) { permute [2, 0, 1]; conv c; conv cin }")
    assert channels(moved)[-2:] == [16, 8]
    assert mistakes("reshape [4, 4, 4, 16]; permute [3, 1, 2, 0]; reshape [64, 16]; fc in") == [("E225", "in")]


def test_a_mistake_in_a_block_is_told_once_however_often_it_is_called() -> None:
    assert mistakes("b x 5; b; a: b; residual { b }", "block b { cnov 4; act }") == [("E101", "cnov")]


def test_a_mistake_deep_inside_names_the_calls_that_led_to_it() -> None:
    found = archdsl.check_text("block a { conv 4 k=0 }\nblock b { a }\nmodel m { input [3, 8, 8]; b }")
    (only,) = found
    assert [label.message for label in only.labels] == ["in `a`, called here", "in `b`, called here"]
    assert [label.span.text for label in only.labels] == ["a", "b"]
