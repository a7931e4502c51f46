"""Interval arithmetic along an axis, against sets of positions."""

from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from archdsl.ops.base import MOST_PHASES, Window
from archdsl.passes.reach import HERE, Reach, chain, of_window, repeated, unite

WINDOWS = st.builds(
    Window, st.integers(1, 5), st.integers(1, 3), st.integers(0, 3), st.integers(1, 1), st.just(1), st.just(())
) | st.builds(Window, st.integers(1, 3), st.just(1), st.integers(0, 2), st.just(1), st.integers(2, 4), st.just(()))


def positions(window: Window, outputs: set[int]) -> set[int]:
    """List the inputs that outputs read, one by one as `Window` defines it."""
    taps = range(window.kernel)
    return {i // window.up * window.stride - window.padding + tap * window.dilation for i in outputs for tap in taps}


@given(st.lists(WINDOWS, min_size=1, max_size=5))
def test_a_chain_of_windows_reads_what_its_positions_read_one_by_one(windows: list[Window]) -> None:
    reach = reduce(chain, map(of_window, windows), HERE)
    assert reach is not None
    assert isinstance(reach, Reach)
    for output in range(-3, 9):
        read = reduce(lambda outputs, window: positions(window, outputs), reversed(windows), {output})
        assert reach.interval(output, output) == (min(read), max(read))


@given(WINDOWS, st.integers(0, 9))
def test_repeating_is_chaining_one_by_one(window: Window, times: int) -> None:
    step = of_window(window)
    assert step is not None
    unrolled = reduce(chain, [step] * times, HERE)
    result = repeated(step, times)
    if result is None:  # too many phases, which the unrolled chain has as well
        assert unrolled is None
        return
    assert unrolled is not None
    assert [result.interval(i, i) for i in range(40)] == [unrolled.interval(i, i) for i in range(40)]


@given(st.lists(WINDOWS, min_size=1, max_size=3), st.lists(WINDOWS, min_size=1, max_size=3))
def test_a_union_holds_both_and_no_more(left: list[Window], right: list[Window]) -> None:
    one, other = (reduce(chain, map(of_window, windows), HERE) for windows in (left, right))
    assert one is not None
    assert other is not None
    both = unite(one, other)
    if one.stride != other.stride:
        assert both is None
        return
    assert both is not None
    for output in range(12):
        a, b = one.interval(output, output), other.interval(output, output)
        assert both.interval(output, output) == (min(a[0], b[0]), max(a[1], b[1]))


def test_a_reach_with_too_many_phases_is_the_whole_axis() -> None:
    assert repeated(of_window(Window(up=2)), MOST_PHASES) is None
    assert of_window(Window(up=MOST_PHASES + 1)) is None


def test_a_long_chain_is_worked_out_in_few_steps() -> None:
    reach = repeated(of_window(Window(3, 1, 1)), 10**9)
    assert reach is not None
    assert reach.size == 2 * 10**9 + 1
