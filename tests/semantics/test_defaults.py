"""Defaults make a context: the prelude's, then a file's, then a block's."""

from __future__ import annotations

import pytest

import archdsl


def operators(text: str) -> list[str]:
    return [node.op for node in archdsl.load_text(text).costs.nodes]


def test_a_files_own_defaults_hold_over_those_of_the_prelude() -> None:
    model = "model m { input [3, 8, 8]; act }"
    assert operators(model) == ["relu"]
    assert operators(f"defaults {{ act=gelu }}\n{model}") == ["gelu"]


def test_a_bodys_defaults_hold_from_where_they_stand_to_its_end() -> None:
    text = "model m { input [3, 8, 8]; act; { defaults { act=gelu }; act }; act }"
    assert operators(text) == ["relu", "gelu", "relu"]


@pytest.mark.parametrize(
    ("given", "code", "place"),
    [("act=3", "E104", "act=3"), ("act=nothing", "E101", "nothing"), ("cnov bias=true", "E101", "cnov")],
)
def test_a_default_that_means_nothing_is_one_mistake_at_its_place(given: str, code: str, place: str) -> None:
    found = archdsl.check_text(f"defaults {{ {given} }}\nmodel m {{ input [3, 8, 8]; conv 4; act }}")
    assert [(one.code, one.span.text) for one in found] == [(code, place)]
