"""Weights that no tensor can hold are a mistake, at the argument that asks for them."""

from __future__ import annotations

import archdsl


def mistakes(body: str) -> list[tuple[str, str]]:
    found = archdsl.check_text(f"model m {{ input [4, 8, 8]; {body} }}")
    return [(diagnostic.code, diagnostic.span.text) for diagnostic in found if diagnostic.severity == "error"]


def test_weights_beyond_a_tensor_are_named_at_the_argument() -> None:
    wide = "gap; flatten; fc 4000000000; fc 4000000000"
    assert mistakes(wide) == [("E109", "4000000000")]


def test_many_weights_in_many_tensors_are_none() -> None:
    assert mistakes("gap; flatten; fc 2000000000; fc 2000000000; fc 2000000000; fc 2000000000; fc 1") == []
