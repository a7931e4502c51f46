"""Levels whose channels stand elsewhere than first: what steps make of them, and what is said of mistakes."""

from __future__ import annotations

import archdsl
from tests.lower.spec import channels, mistakes, network, ops

LAST = "conv 8; permute [1, 2, 0]; "


def test_split_cuts_the_axis_that_it_names() -> None:
    halves = network(LAST + "split 2 axis=last concat axis=last { fc 3; fc 5 }")
    assert halves.outputs["output"] == (16, 16, 8)
    assert [node.output[2] for node in halves.costs.nodes if node.op == "slice"] == [4, 4]
    rows = network("conv 8; adaptive_avgpool 16; permute [1, 2, 0]; split [4, 12] axis=0 concat axis=0 { fc 3; fc 3 }")
    assert [node.output[0] for node in rows.costs.nodes if node.op == "slice"] == [4, 12]
    assert channels(network(LAST + "split 2 axis=channels concat axis=channels { fc in; fc 2*in }"))[-1] == 12


def test_split_takes_no_other_setting_and_no_other_axis() -> None:
    assert mistakes("conv 8; split 2 start=1 concat { pass; pass }") == [("E102", "start")]
    assert mistakes("conv 8; split 2 axis=3 concat { pass; pass }") == [("E217", "axis=3")]
    assert mistakes("conv 8; split 2 axis=lats concat { pass; pass }") == [("E101", "lats")]
    assert mistakes("conv 9; split 2 axis=channels concat { pass; pass }") == [("E214", "2")]


def test_a_residual_behind_permute_asks_whether_the_channels_change() -> None:
    plain = network(LAST + "residual { fc in } shortcut { fc in }")
    assert ops(plain).count("fc") == 1
    wider = network(LAST + "residual { fc 2*in } shortcut { fc 2*in }")
    assert ops(wider).count("fc") == 2
    assert mistakes(LAST + "residual { fc 2*in }") == [("E220", "residual")]


def test_what_does_not_fit_is_told_of_the_axis_that_a_step_takes() -> None:
    (found,) = archdsl.check_text(
        "model m { input [4, 16, 16]; conv 8; permute [1, 2, 0]; split 5 concat { pass; pass } }"
    )
    assert found.message == "H places along axis 0 of [H, W, 8] do not split into 5 equal parts"
    assert [label.message for label in found.labels] == ["[8, 16, 16] becomes [16, 16, 8] here"]
