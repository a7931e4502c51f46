"""What translated expressions compute with, against evaluation's own arithmetic."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from archdsl.semantics.functions import FunctionError, arithmetic
from archdsl.tracing.computing import HELPERS, builtin, computed, counted, held, item
from archdsl.tracing.recorder import Untraceable

NAMES = {"+": "plus", "-": "minus", "*": "times", "/": "over", "//": "floored", "%": "rest", "**": "power"}
NUMBERS: list[Any] = [0, 1, -3, 7, 2**61, 2**70, 0.0, 0.5, -2.5, 1e300, Fraction(1, 3), Fraction(-7, 2), 300]


@pytest.mark.parametrize("sign", NAMES)
def test_arithmetic_is_that_of_evaluation(sign: str) -> None:
    for left, right in product(NUMBERS, NUMBERS):
        for compute in (HELPERS[NAMES[sign]], lambda a, b: computed(sign, a, b)):
            try:
                right_value: Any = arithmetic(sign, left, right)
            except FunctionError:
                with pytest.raises(Untraceable):
                    compute(left, right)
            else:
                value = compute(left, right)
                assert (type(value), value) == (type(right_value), right_value), (left, right)


def test_truth_values_are_no_numbers() -> None:
    for name in (*NAMES.values(), "less"):
        with pytest.raises(Untraceable):
            HELPERS[name](True, 1)
    assert HELPERS["equal"](1, 1.0)
    assert not HELPERS["equal"](1, True)


def test_lists_have_bounds() -> None:
    for mistake in (
        lambda: item((1, 2), 2),
        lambda: item((1,), 0.0),
        lambda: counted(0, 10_000),
        lambda: counted(0, 1.0),
    ):
        with pytest.raises(Untraceable):
            mistake()
    with pytest.raises(Untraceable):
        held((0,) * 10_001)
    assert item((1, 2, 3), (0, -1)) == (1, 3)
    assert counted(3, 1) == ()


@pytest.mark.parametrize("name", ["round", "floor", "ceil", "log", "log2", "exp", "sqrt", "abs"])
def test_quick_functions_are_those_of_the_language(name: str) -> None:
    chosen = random.Random(name)
    for value in [*NUMBERS, *[chosen.uniform(-9, 9) for _ in range(50)], True, "a", (1,)]:
        try:
            right = builtin(name)(value)
        except Untraceable:
            with pytest.raises(Untraceable):
                HELPERS[f"quick_{name}"](value)
        else:
            assert HELPERS[f"quick_{name}"](value) == right
