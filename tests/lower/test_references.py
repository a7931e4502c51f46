"""`@label` and `reuse label`."""

from __future__ import annotations

import archdsl
from tests.lower.spec import channels, network


def test_references_take_up_labelled_results() -> None:
    net = network("a: conv 8; b: conv 2; concat { pass; @a }; entry: pass; conv 3; @entry; act")
    assert channels(net)[-1] == 10
    net = network("e: { conv 8; output mid; conv 3 }; conv 2; concat { pass; @e.mid; @e }")
    assert channels(net)[-1] == 13


def test_reuse_counts_weights_once_and_work_twice() -> None:
    once, twice = network("s: conv 4"), network("s: conv 4; reuse s")
    assert twice.costs.parameters == once.costs.parameters
    assert twice.costs.macs == 2 * once.costs.macs
    assert [key for key, _ in twice.state] == ["s.weight"]


def test_references_interpolate_as_labels_do() -> None:
    text = "model m { input [3, 8, 8]; for i in 1..3 { layer{i}: conv 2*i }; @layer{1 + 1} }"
    assert archdsl.load_text(text).outputs["output"] == (4, 8, 8)


def test_evaluation_cannot_read_what_exists_in_training_alone() -> None:
    block = "block b(c) { conv c; output aux training { gap; flatten; fc 3 }; norm }\n"
    (found,) = archdsl.check_text(block + "model m { input [3, 8, 8]; one: b 8; @one.aux; fc 5 }")
    assert (found.code, found.span.text) == ("E113", "@one.aux")
    assert not archdsl.check_text(
        block + "model m { input [3, 8, 8]; one: b 8; output late training { @one.aux; fc 5 } }"
    )
