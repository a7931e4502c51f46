"""Each distinct body once, in an order that its readers may rely on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from archdsl.ir.walk import PerBody, inner_first, outer_first

# What each body calls: only such of a higher number, since no body is inside itself.
CALLS = st.integers(1, 12).flatmap(
    lambda count: st.tuples(
        *(
            st.lists(st.integers(at + 1, count - 1), max_size=4) if at + 1 < count else st.just([])
            for at in range(count)
        )
    )
)
Calls = Sequence[Sequence[int]]


def reached(calls: Calls) -> set[int]:
    found, stack = {0}, [0]
    while stack:
        for inner in calls[stack.pop()]:
            if inner not in found:
                found.add(inner)
                stack.append(inner)
    return found


@given(CALLS)
def test_inner_bodies_come_before_those_that_call_them_and_each_once(calls: Calls) -> None:
    order = list(inner_first(0, calls.__getitem__))
    assert sorted(order) == sorted(reached(calls))
    assert all(order.index(inner) < order.index(body) for body in order for inner in calls[body])


@given(CALLS)
def test_the_text_comes_to_bodies_in_the_order_of_its_calls(calls: Calls) -> None:
    def first_uses(body: int, found: list[int]) -> list[int]:
        if body not in found:
            found.append(body)
            for inner in calls[body]:
                first_uses(inner, found)
        return found

    assert list(outer_first(0, calls.__getitem__)) == first_uses(0, [])


@given(CALLS)
def test_a_body_is_worked_out_once_however_often_it_is_called(calls: Calls) -> None:
    worked: list[int] = []

    def size(body: int, inner: Callable[[int], int]) -> int:
        worked.append(body)
        return 1 + sum(map(inner, calls[body]))

    def written_out(body: int) -> int:
        return 1 + sum(map(written_out, calls[body]))

    sizes = PerBody(size)
    assert sizes(0) == sizes(0) == written_out(0)
    assert sorted(worked) == sorted(reached(calls))
