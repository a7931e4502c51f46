"""Settings from outside, and default arguments."""

from __future__ import annotations

import archdsl
from tests.lower.spec import channels, network, ops


def test_default_arguments_and_settings_reach_operators() -> None:
    body = "conv 4; conv 4 bias=false"
    assert [n.parameters for n in network(body, "defaults { conv bias=true k=1 }").costs.nodes] == [20, 16]
    assert [n.parameters for n in network(body, **{"conv.bias": True, "conv.k": 1}).costs.nodes] == [20, 16]
    assert ops(network("b", "block b { defaults { act=silu }; act }", act="gelu")) == ["gelu"]
    assert channels(archdsl.load_text("model m { input [4, 8, 8]; conv in }", input=[5, 8, 8])) == [5]
