"""Repetitions that no longer change are one node."""

from __future__ import annotations

from tests.lower.spec import network


def test_equal_repeats_share_one_body_and_one_node() -> None:
    net = network("b 4 x 50", "block b(c) { conv c; norm; act }")
    assert len(net.graph.nodes) == 2
    assert net.graph.size == 151
    two = network("b 4; act; b 4; act; b 8", "block b(c) { conv c }").graph
    bodies = [node.body for node in two.nodes.values() if node.body is not None]
    assert bodies[0] is bodies[1] is not bodies[2]
