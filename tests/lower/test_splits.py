"""`split`: parts and their branches."""

from __future__ import annotations

import pytest

import archdsl
from tests.lower.spec import channels, mistakes, network, paths


def test_every_turn_of_a_for_in_a_split_takes_its_own_part() -> None:
    net = archdsl.load_text("model m { input [4, 8, 8]; split [1, 3] concat { for i in 1..2 { { conv i } } } }")
    assert [node.parameters for node in net.costs.nodes if node.op == "conv"] == [1 * 1 * 9, 2 * 3 * 9]


@pytest.mark.parametrize("parts", ["1", "[4]", "1 axis=0"])
def test_a_split_into_one_part_hands_on_what_flows(parts: str) -> None:
    net = network(f"split {parts} concat {{ conv 8 }}; split 1 add {{ act }}")
    assert paths(net) == ["conv", "concat", "act"]
    assert channels(net) == [8, 8, 8]


def test_an_axis_that_is_not_there_has_no_one_part() -> None:
    assert mistakes("split 1 axis=7 concat { conv 8 }") == [("E217", "axis=7")]
