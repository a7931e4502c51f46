"""Labels that belong to no one run."""

from __future__ import annotations

import pytest

from archdsl.tracing.levels import are_distinct
from archdsl.tracing.recorder import Untraceable


def test_labels_are_different_and_none_lies_below_another() -> None:
    assert are_distinct(frozenset(["a", "b.c"]), ["d", "b.e", "a2"])
    for settled, others in [(["a"], ["a"]), ([], ["a", "a"]), (["a"], ["a.b"]), (["a.b.c"], ["a"]), ([], ["a.b", "a"])]:
        with pytest.raises(Untraceable):
            are_distinct(frozenset(settled), others)


def test_settled_labels_may_be_a_level_and_its_steps() -> None:
    assert are_distinct(frozenset(["a", "a.b"]), ["c"])
