"""Formulas and conditions are found for what is written in a block, and none is found for what follows from nothing."""

from __future__ import annotations

from itertools import product

import pytest

from archdsl.backends.torch.formulas import condition, formula, refusals

ROWS = [(a, b) for a, b in product((1, 3, 4, 8, 15, 32, 48), (1, 2, 5, 16))]
KNOWN = {"a": [a for a, _ in ROWS], "b": [b for _, b in ROWS]}


def values(text: str) -> list[int]:
    return [eval(text, {"max": max}, {"a": a, "b": b}) for a, b in ROWS]


@pytest.mark.parametrize(
    "text",
    ["4 * a", "a + b", "2 * a - b", "a + 3 * b + 1", "a * b", "a // 4", "max(1, a // 4)", "a // 2 if a % 2 else 0"],
)
def test_a_formula_of_the_parameters_is_found(text: str) -> None:
    found = formula(values(text), KNOWN, is_tried=True)
    assert found is not None
    assert values(found.text) == values(text)


def test_what_goes_together_by_chance_has_no_long_formula() -> None:
    assert formula([7, 9], {"a": [3, 4], "b": [1, 5]}, is_tried=False) is None
    assert formula([a * a + 1 for a, _ in ROWS], KNOWN, is_tried=True) is None


@pytest.mark.parametrize("text", ["a != b", "a != 4 * b", "b != 1", "b != 1 or a != b", "a == b and b != 1", "a > b"])
def test_a_condition_on_the_parameters_is_found(text: str) -> None:
    found = condition([bool(value) for value in values(text)], KNOWN)
    assert found is not None
    assert values(found.text) == values(text)


@pytest.mark.parametrize("text", ["a < 1", "a % 4 != 0", "a > b", "a == b", "a > 12", "b % 2 == 0 and a != b"])
def test_conditions_refuse_what_makes_no_instance_and_nothing_else(text: str) -> None:
    bad = [bool(value) for value in values(text)]
    found = [fact.text for fact in refusals(bad, KNOWN, [12])]
    assert [any(values(text)[i] for text in found) for i in range(len(ROWS))] == bad
