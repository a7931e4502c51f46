"""Expressions that read traced numbers."""

from __future__ import annotations

from archdsl.semantics.values import Partial
from archdsl.tracing.expressions import (
    TracedText,
    _is_same,  # pyright: ignore[reportPrivateUsage]
    are_numbers,
)
from archdsl.tracing.recorder import Recorder


def test_a_text_knows_what_it_is_put_together_of() -> None:
    number = Recorder([7]).at(0)
    text = TracedText(["a", number])
    assert text == "a7"
    assert text.pieces[1] is number


def test_lists_of_numbers_have_no_truth_values_in_them() -> None:
    assert are_numbers((1, (0.5, ()), 2))
    assert not are_numbers((1, (True,)))
    assert not are_numbers(("a",))


def test_values_are_the_same_where_all_in_them_is() -> None:
    assert _is_same((1, ("a",)), (1, ("a",)))
    for other in [(1.0, ("a",)), (True, ("a",)), (1, ("a", 2)), 1]:
        assert not _is_same((1, ("a",)), other)
    one, two = (Partial("conv", None, (("bias", value),)) for value in (True, 1))  # pyright: ignore[reportArgumentType]
    assert not _is_same(one, two)
