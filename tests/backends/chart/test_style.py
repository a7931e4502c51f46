"""What stands at the axes of a chart."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.backends.chart.style import binary, si


@given(st.floats(1, 1e14))
def test_amounts_are_short_and_right_to_a_part_in_a_thousand(value: float) -> None:
    text = si(value)
    number, prefix = re.fullmatch(r"([\d.e+]+)([kMGT]?)", text).groups()  # pyright: ignore[reportOptionalMemberAccess]
    assert float(number) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[prefix] == pytest.approx(value, rel=1e-3)
    assert len(text) <= 7
    assert binary(2**20 * 1.5) == "1.5 MiB"
