"""`stages`: strides, and the names that they bind."""

from __future__ import annotations

import pytest

from tests.lower.spec import channels, network


@pytest.mark.parametrize(
    ("stages", "sides"),
    [
        ("stages [2, 2] double c=4 { b c }", [16, 16, 8, 8]),
        ("stages [2, 2] double c=4 stride=[2, 2] { b c }", [8, 8, 4, 4]),
        ("stages [2, 2] c=4 stride=2 { b c }", [8, 8, 4, 4]),
        ("stages [2, 1] c=4 { b c }", [16, 16, 16]),
        ("stages [1, 1] double c=4 { b c s=1; b c }", [16, 16, 16, 16]),
        ("stages [1, 1] double c=4 { b c; b c }", [16, 16, 8, 8]),
        ("stages [0, 2] double c=4 { b c }", [8, 8]),
    ],
)
def test_the_first_block_of_a_stage_takes_its_stride(stages: str, sides: list[int]) -> None:
    nodes = network(stages, "block b(c, stride s=1) { conv c s=s }").costs.nodes
    assert [node.output.numbers()[1] for node in nodes] == sides


def test_stages_bind_stage_index_and_total() -> None:
    net = network("stages [2, 1] w=[1, 3] { conv stage*100 + index*10 + total + w }")
    assert channels(net) == [104, 114, 226]
