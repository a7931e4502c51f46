"""Which shapes can stand for others."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.weights.shape import can_reshape

sizes = st.lists(st.integers(1, 4), max_size=5)


@given(sizes, st.data())
def test_merging_neighbours_and_axes_of_one_is_a_reshape(shape: list[int], data: st.DataObject) -> None:
    other: list[int] = []
    for size in shape:
        if other and data.draw(st.booleans()):
            other[-1] *= size
        else:
            other.append(size)
        if data.draw(st.booleans()):
            other.append(1)
    assert can_reshape(shape, other)
    assert can_reshape(other, shape)


@given(sizes, sizes)
def test_reshaping_needs_equal_elements_and_goes_both_ways(shape: list[int], other: list[int]) -> None:
    assert can_reshape(shape, other) == can_reshape(other, shape)
    assert not can_reshape(shape, other) or prod(shape) == prod(other)


@pytest.mark.parametrize(("shape", "other"), [([3, 4], [4, 3]), ([2, 3, 4], [3, 2, 4]), ([2, 6], [4, 3])])
def test_what_would_mix_axes_is_no_reshape(shape: Sequence[int], other: Sequence[int]) -> None:
    assert not can_reshape(shape, other)
