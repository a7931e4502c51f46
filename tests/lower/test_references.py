"""`@label` and `reuse label`."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.ir.verify import verify
from archdsl.text.source import Source
from tests.lower.spec import channels, network, ops


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


@pytest.mark.parametrize(
    ("label", "names"),
    [
        ("residual", ("residual", " residual", '"residual"')),
        ("x", ("x", '"x"')),
        ("reuse", ("reuse", '  "reuse"')),
        ('"up-1"', ('"up-1"', '"up-{3 - 2}"', '\t "up-1"')),
        ('"1"', ('"1"',)),
        ("layer{2}", ("layer2", "layer{1 + 1}", "   layer{2}")),
    ],
)
def test_reuse_takes_every_label_that_a_step_can_have(label: str, names: tuple[str, ...]) -> None:
    for name in names:
        text = f"model m {{ input [3, 8, 8]; {label}: conv 3; act; reuse {name}; @{name.strip()}; reuse {name} x 2 }}"
        net = archdsl.load_text(text)
        assert (net.costs.parameters, net.costs.macs) == (81, 4 * 81 * 64)
        assert archdsl.load_text(net.text()).costs == net.costs
        assert f"reuse {name.strip()} x 2" in archdsl.format(Source(text))


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


@pytest.mark.parametrize("wrong", ["conv 4 k=10 act", "conv 4 k=xs", "conv 4 relu", "conv 4 groups=3", "foo 3"])
@pytest.mark.parametrize("behind", ["", "; act", "; flatten; fc 8", "; output mid; norm"])
def test_a_mistake_in_a_block_is_told_once_however_large_the_images_of_its_reuse(wrong: str, behind: str) -> None:
    block = f"block twin {{ a: {wrong}{behind} }}\n"
    model = "model m { l: input [1, 32, 32]; r: input [1, 16, 16]; @l; twin: twin; @r; reuse twin; norm }"
    found = archdsl.check_text(block + model)
    assert [one.span.text in wrong for one in found] == [True], found


@pytest.mark.parametrize("join", ["add { @a; @b }", "concat { pass; @a }", "mul { pass; { act; @b } }"])
def test_a_labelled_join_reads_the_labels_around_it(join: str) -> None:
    inside = network(f"a: conv 3; act; b: conv 3; c: {join}; act")
    beside = network(f"a: conv 3; act; b: conv 3; {join}; c: pass; act")
    verify(inside.graph)
    assert ops(inside) == ops(beside)
    assert channels(inside) == channels(beside)
