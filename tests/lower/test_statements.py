"""Statements that are no step: `defaults`, and outputs."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

import archdsl
from tests.lower.spec import channels, mistakes, network, ops

CONTEXT: Mapping[str, tuple[str, str, list[str]]] = {
    "the prelude's": ("norm; act", "", ["batch", "relu"]),
    "the file's": ("norm; act", "defaults { norm=group(2) }", ["group", "relu"]),
    "the body's, from there on": ("act; defaults { act=silu }; act", "", ["relu", "silu"]),
    "a level's own": ("{ defaults { act=silu }; act }; act", "", ["silu", "relu"]),
    "an order goes into blocks": ("b act=gelu; act", "block b { act; c }\nblock c { act }", ["gelu", "gelu", "relu"]),
    "an order goes before a wish": ("b act=gelu", "block b { defaults { act=silu }; act }", ["gelu"]),
    "a wish of a block": ("b; act", "block b { defaults { act=silu }; act }", ["silu", "relu"]),
    "the inner order": ("b act=gelu", "block b { c act=elu }\nblock c { act }", ["elu"]),
    "a block as value": ("b unit=c", "block b(block unit=relu) { unit }\nblock c { tanh }", ["tanh"]),
    "a default": ("b", "block b(block unit=relu) { unit }", ["relu"]),
}


@pytest.mark.parametrize(("body", "declarations", "expected"), CONTEXT.values(), ids=CONTEXT.keys())
def test_the_context_says_what_norm_and_act_are(body: str, declarations: str, expected: list[str]) -> None:
    assert ops(network(body, declarations)) == expected


def test_a_default_that_nothing_reads_is_named() -> None:
    (found,) = archdsl.check_text("defaults { nrom=group(8) }\nmodel m { input [3, 8, 8]; conv 8; norm }")
    assert (found.code, found.span.text) == ("E101", "nrom")
    assert "`norm`" in found.help


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("conv 8; output a; conv 2", {"output": (2, 16, 16), "a": (8, 16, 16)}),
        ("conv 8; output a; conv 2; output b", {"a": (8, 16, 16), "b": (2, 16, 16)}),
        ("conv 8; output a { gap; flatten }; conv 2", {"output": (2, 16, 16), "a": (8,)}),
        ("conv 8; output a training { gap }; conv 2; output b", {"b": (2, 16, 16), "a": (8, 1, 1)}),
        ("conv 8; output a training; conv 2", {"output": (2, 16, 16), "a": (8, 16, 16)}),
        ("conv 8; output a; conv 2; output b; let w = in", {"a": (8, 16, 16), "b": (2, 16, 16)}),
        ("conv 8; output a; assert in == 8; defaults { act=gelu }; let w = 3", {"a": (8, 16, 16)}),
        ("conv 8; output a; pass", {"output": (8, 16, 16), "a": (8, 16, 16)}),
        ("conv 8; output a; output b when in == 8 { gap }", {"a": (8, 16, 16), "b": (8, 1, 1)}),
        ("conv 8; output a; output b when in == 9 { gap }", {"a": (8, 16, 16)}),
        ("conv 8; output b when in == 8", {"b": (8, 16, 16)}),
        ("conv 8; output b when in == 9", {"output": (8, 16, 16)}),
        ("conv 8; output b training when in == 8 { gap }; conv 2", {"output": (2, 16, 16), "b": (8, 1, 1)}),
        ("conv 8; output b training when in == 9 { gap }; conv 2", {"output": (2, 16, 16)}),
        ("for i in 1..2 { conv 8*i; output o{i} }", {"o1": (8, 16, 16), "o2": (16, 16, 16)}),
        ("for i in 1..2 { conv i; output o{i} when i == 2 }", {"o2": (2, 16, 16)}),
        ("for i in 1..2 { conv i; if i > 1 { output o{i} } }", {"o2": (2, 16, 16)}),
        ("for i in 1..2 { conv i; if i > 1 { act } else { output o{i} } }", {"output": (2, 16, 16), "o1": (1, 16, 16)}),
        ("for i in 1..2 { conv i; if i < 2 { act } else { output o{i} } }", {"o2": (2, 16, 16)}),
        ("for i in 1..2 { conv i; if i > 1 { output last } }", {"output": (2, 16, 16), "last": (2, 16, 16)}),
        ("conv 8; for i in 1..0 { output o{i} }", {"output": (8, 16, 16)}),
        ("for i in 1..2 { conv i; output o{i} }; act", {"output": (2, 16, 16), "o1": (1, 16, 16), "o2": (2, 16, 16)}),
        ("for i in [1] { conv i; output o }", {"output": (1, 16, 16), "o": (1, 16, 16)}),
        ("for i in [1] { conv i; output o{gap} }", {"output": (1, 16, 16), "o": (1, 1, 1)}),
    ],
)
def test_outputs_have_their_names_and_order(body: str, expected: dict[str, tuple[int, ...]]) -> None:
    found = {name: shape.numbers() for name, shape in network(body).outputs.items()}
    assert found == expected
    assert list(found) == list(expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("conv 8; output a when in", [("E104", "in")]),
        ("conv 8; output a when wide", [("E101", "wide")]),
        ("conv 8; output a when in == 9 { conv 2 strides=2 }; act", [("E102", "strides")]),
    ],
)
def test_what_is_wrong_with_an_outputs_condition_is_told(body: str, expected: list[tuple[str, str]]) -> None:
    assert mistakes(body) == expected


def test_the_main_output_of_a_body_is_no_training_output() -> None:
    block = "block b { conv 8; output aux training { conv 3 }; conv 2; output late }"
    net = network("b; conv in", block)
    assert channels(net) == [8, 3, 2, 2]
    assert not any(output.is_training_only for output in net.graph.outputs[:1])
