"""Arguments: their kinds, and equal ones beside each other."""

from __future__ import annotations

from tests.lower.spec import mistakes


def test_a_value_of_the_wrong_kind_is_found_behind_an_equal_one() -> None:
    assert mistakes("conv 4 bias=true; conv 4 bias=1") == [("E104", "bias=1")]
    assert mistakes("conv 4 k=1; conv 4 k=true") == [("E104", "k=true")]
