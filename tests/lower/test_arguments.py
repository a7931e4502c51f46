"""Arguments: their kinds, and equal ones beside each other."""

from __future__ import annotations

import archdsl
from tests.lower.spec import mistakes


def test_a_value_of_the_wrong_kind_is_found_behind_an_equal_one() -> None:
    assert mistakes("conv 4 bias=true; conv 4 bias=1") == [("E104", "bias=1")]
    assert mistakes("conv 4 k=1; conv 4 k=true") == [("E104", "k=true")]


def test_an_unknown_argument_that_is_given_twice_is_no_crash() -> None:
    for step in ("relu foo=1 foo=2", "gap s=1 s=1", "act a=1 a=1", "flatten x1=2 x1=2", "pass k=1 k=2"):
        found = archdsl.check_text(f"model m {{ input [3, 8, 8]; {step} }}")
        assert {one.code for one in found} <= {"E102", "E106", "E107"}, step
        assert found, step
