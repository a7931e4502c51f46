"""What is said of rules of name maps that hold for no weight."""

from __future__ import annotations

import pytest

from archdsl.api import check_text

MODEL = "model m { input [3, 8, 8]; conv1: conv 8; act; layer1: { a: dw; act; b: conv 8; act }; gap; fc: fc 5 }"


def found(rules: str, *models: str, top: str = "") -> list[tuple[str, str, str]]:
    text = "\n".join([top, f"keys theirs {{ {rules} }}", *(models or (MODEL,))])
    return [(d.code, d.span.text, d.help) for d in check_text(text) if d.code == "W418" or d.code < "W"]


@pytest.mark.parametrize(
    "rules",
    [
        '"conv1" = "stem"; "layer{i}.a" = "x.{i}"; "fc.bias" = "b"; "" = "model"',
        'drop "anything"; adapt "conv1"; adapt "layer{i}"',
        '"fc" = "conv1"; "conv1" = "fc"',
    ],
)
def test_rules_that_hold_are_passed_over(rules: str) -> None:
    assert found(rules) == []


@pytest.mark.parametrize(
    ("rules", "marked", "help"),
    [
        ('"convl" = "stem"', '"convl"', "the nearest is `conv1`"),
        ('"layer{i}.bb" = "stem"', '"layer{i}.bb"', "the nearest is `layer1.b`"),
        ('"con" = "stem"', '"con"', "remove it, or write a key's beginning in whole segments"),
        ('"fc" = "head"; "fc.bias" = "b"', '"fc.bias"', "put it before that rule, or remove it"),
        ('"" = "model"; "fc" = "b"', '"fc"', "put it before that rule, or remove it"),
        ('adapt "fc"', '"fc"', "remove it, or write a key's beginning in whole segments"),
        ('adapt "layer1.a"', '"layer1.a"', "the nearest is `layer1.b`"),
        ('"conv1" = "x"; "layer1.b" = "x"', '"layer1.b"', "give them different names: a file's weight goes to one key"),
        ('"fc" = "conv1"', '"fc"', "give them different names: a file's weight goes to one key"),
    ],
)
def test_a_rule_that_holds_for_nothing_is_a_warning_at_it(rules: str, marked: str, help: str) -> None:
    assert found(rules) == [("W418", marked, help)]


def test_arithmetic_that_fails_for_a_key_of_the_network_is_an_error_of_the_check() -> None:
    assert [row[:2] for row in found('"layer{i}" = "{1 / (i - 1)}"')] == [("E116", "1 / (i - 1)")]


def test_a_rule_may_hold_for_another_model_of_the_file() -> None:
    other = "model n { input [3, 8, 8]; stem: conv 8 }"
    assert found('"stem" = "conv1"', MODEL, other) == []
    assert [row[0] for row in found('"stem" = "x"; "sten" = "y"', MODEL, other)] == ["W418"]


def test_a_model_that_needs_arguments_may_be_what_a_rule_is_for() -> None:
    assert found('"stem" = "conv1"', MODEL, "model n(c) { input [3, 8, 8]; stem: conv c }") == []


def test_a_map_may_be_allowed_to_hold_for_nothing() -> None:
    assert found('"convl" = "stem"', top="allow W418") == []
