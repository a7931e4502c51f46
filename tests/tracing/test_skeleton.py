"""What values look like without their numbers."""

from __future__ import annotations

import pytest

from archdsl.ops.shape import Shape
from archdsl.tracing.recorder import Recorder, Untraceable, plain
from archdsl.tracing.skeleton import holds_traced, key_of, rebuilt, traced_in


def test_values_that_differ_in_numbers_have_one_key() -> None:
    first, second = Recorder([3]).at(0), Recorder([4]).at(0)
    assert key_of((first, "a")) == key_of((second, "a"))
    assert key_of((first, "a")) != key_of((Recorder([3.0]).at(0), "a"))
    assert key_of((1,)) != key_of((True,)) != key_of((1.0,))


def test_numbers_are_found_and_put_back_in_one_order() -> None:
    recorder = Recorder([3, 4, 5])
    a, b, c = (recorder.at(place) for place in range(3))
    value = {"shape": Shape(a, 2, b), "list": (1, (c, "x"))}
    assert [traced.place for traced in traced_in(value)] == [0, 1, 2]
    assert rebuilt(value, plain) == {"shape": Shape(3, 2, 4), "list": (1, (5, "x"))}
    assert holds_traced(value["list"])
    assert not holds_traced((1, 2))


def test_what_belongs_to_one_run_has_no_skeleton() -> None:
    with pytest.raises(Untraceable):
        rebuilt(object(), plain)
