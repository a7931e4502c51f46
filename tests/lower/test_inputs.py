"""Inputs of a model."""

from __future__ import annotations

import archdsl


def test_several_inputs_are_told_apart() -> None:
    text = "model m { left: input [3, 8, 8]; right: input [1, 8, 8]; conv 3; add { pass; @left } }"
    net = archdsl.load_text(text)
    assert {name: shape.numbers() for name, shape in net.inputs.items()} == {"left": (3, 8, 8), "right": (1, 8, 8)}
    assert net.costs.parameters == 27


def test_a_model_without_input_is_told_so_once() -> None:
    found = archdsl.check_text("model m { conv 4; norm; { act }; residual { conv 4 }; fc 5 }")
    assert [(diagnostic.code, diagnostic.span.text) for diagnostic in found] == [("E121", "conv 4")]
