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
    is_first = True
    for size in shape:
        # The first axis counts outputs, and stays.
        if not is_first and size > 1 and other and other[-1] > 1 and data.draw(st.booleans()) and _is_later(other):
            other[-1] *= size
        else:
            other.append(size)
        is_first = False
        if data.draw(st.booleans()):
            other.append(1)
    is_same_length = len(shape) == len(other) and shape != other
    assert can_reshape(shape, other) == (not is_same_length)
    assert can_reshape(other, shape) == (not is_same_length)


def _is_later(other: Sequence[int]) -> bool:
    """Return whether the last axis is not the first of more than one element."""
    return sum(size > 1 for size in other) > 1


@given(sizes, sizes)
def test_reshaping_needs_equal_elements_and_goes_both_ways(shape: list[int], other: list[int]) -> None:
    assert can_reshape(shape, other) == can_reshape(other, shape)
    assert not can_reshape(shape, other) or prod(shape) == prod(other)


@pytest.mark.parametrize(
    ("shape", "other"),
    [
        ([3, 4], [4, 3]),
        ([2, 3, 4], [3, 2, 4]),
        ([2, 6], [4, 3]),
        ([8, 8], [64]),
        ([2, 3, 4], [6, 4]),
        ([64, 1, 3, 3], [1, 64, 3, 3]),
        ([4, 6, 1], [4, 1, 6]),
    ],
)
def test_what_would_mix_axes_is_no_reshape(shape: Sequence[int], other: Sequence[int]) -> None:
    assert not can_reshape(shape, other)
