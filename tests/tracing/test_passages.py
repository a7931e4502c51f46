"""Parts as functions of numbers, and the ways through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from archdsl.ops.shape import Shape
from archdsl.tracing.passages import Drawn, Opening, SpecPart, Structure, Structures
from archdsl.tracing.recorder import Recorder, Untraceable


def part_of(runs: list[Any]) -> SpecPart:
    def lower(recorder: Recorder, leaves: Sequence[Any]) -> Drawn:
        runs.append(recorder)
        (number,) = leaves
        if number < 0:
            raise Untraceable("a mistake")
        size = number * 2 if number > 4 else number + 1
        return Drawn(Structure(()), (size,), None, (), (number,))

    return SpecPart(lower, Structures())


def test_each_way_is_gone_once() -> None:
    runs: list[Any] = []
    part = part_of(runs)
    assert [part(number).sizes for number in (1, 2, 9, 3, 7, 1)] == [(2,), (3,), (18,), (4,), (14,), (2,)]
    assert (len(runs), part(9).effort) == (2, 9)


def test_a_mistake_is_known_the_next_time() -> None:
    runs: list[Any] = []
    part = part_of(runs)
    for _ in range(3):
        with pytest.raises(Untraceable):
            part(-1)
    assert len(runs) == 1


def test_an_opening_is_filled_with_other_numbers() -> None:
    opening = Opening.of(Shape(3, 4, 5))
    assert opening.numbers == 3
    assert opening.filled(iter([6, 7, 8])) == Shape(6, 7, 8)
