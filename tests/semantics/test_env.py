"""What evaluation may cost is bounded, and names mean what the place they stand in says."""

from __future__ import annotations

import pytest

from archdsl.ir.trouble import Trouble
from archdsl.ops.shape import Shape
from archdsl.semantics.context import Context
from archdsl.semantics.env import MAX_APPLICATIONS, MAX_ITEMS, MAX_LIST_DEPTH, Budget, Env
from archdsl.semantics.functions import MAX_LENGTH
from archdsl.semantics.library import Library
from archdsl.semantics.values import UNKNOWN, Setting
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source, Span

HERE = Span(0, 0)


def test_a_list_counts_with_those_inside_it_which_may_be_one_list() -> None:
    inner = (0,) * 100
    fits = MAX_LENGTH // 101
    Budget().hold((inner,) * fits, HERE)
    with pytest.raises(Trouble) as caught:
        Budget().hold((inner,) * (fits + 1), HERE)
    assert caught.value.code == "E116"


def test_lists_nest_to_a_bound() -> None:
    nested: tuple[Setting, ...] = ()
    for _ in range(MAX_LIST_DEPTH - 1):
        nested = (nested,)
    Budget().hold(nested, HERE)
    with pytest.raises(Trouble):
        Budget().hold(((nested,),), HERE)


def test_the_work_of_all_that_is_evaluated_is_bounded_and_ends_the_check() -> None:
    budget = Budget()
    budget.items, budget.applications = MAX_ITEMS, MAX_APPLICATIONS
    for use in (lambda: budget.hold((1,), HERE), lambda: budget.apply(HERE)):
        with pytest.raises(Trouble) as caught:
            use()
        assert (caught.value.code, caught.value.is_fatal) == ("E109", True)


def test_names_are_bound_in_a_copy_and_a_lost_shape_is_unknown() -> None:
    module = Library(Reporter()).load(Source("let a = 1"), None)
    assert module is not None
    env = Env(module, Context(), Budget(), {"a": 1}, Shape(3, 8, 8))
    assert (env.bind(b=2).names, env.names) == ({"a": 1, "b": 2}, {"a": 1})
    assert env.at(object(), Shape(4, 8, 8)).shape == Shape(4, 8, 8)
    assert env.at(object(), None).shape is UNKNOWN
    assert env.at(None, None).shape is None
