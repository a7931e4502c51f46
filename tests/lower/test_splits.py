"""`split`: parts and their branches."""

from __future__ import annotations

import archdsl


def test_every_turn_of_a_for_in_a_split_takes_its_own_part() -> None:
    net = archdsl.load_text("model m { input [4, 8, 8]; split [1, 3] concat { for i in 1..2 { { conv i } } } }")
    assert [node.parameters for node in net.costs.nodes if node.op == "conv"] == [1 * 1 * 9, 2 * 3 * 9]
