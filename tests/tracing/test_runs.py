"""What all runs of a spec share."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest

from archdsl import Sweep
from archdsl.ops.shape import Shape
from archdsl.tracing.recorder import Untraceable
from archdsl.tracing.runs import structure_of


def test_a_structure_has_no_numbers() -> None:
    first, sizes = structure_of({"": Shape(3, 4, 4)}, {}, frozenset())
    second, others = structure_of({"": Shape(5, 6, 6)}, {}, frozenset())
    assert (first, sizes, others) == (second, (3, 4, 4), (5, 6, 6))
    with pytest.raises(Untraceable):
        structure_of({"": None}, {}, frozenset())


def test_sweeps_in_two_threads_do_not_disturb_each_other() -> None:
    widths = range(8, 40, 4)
    right = [Sweep("resnet18")(width=width) for width in widths]
    found: list[list[Any]] = []

    def work() -> None:
        sweep = Sweep("resnet18")
        found.append([sweep(width=width) for width in widths])

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [right, right]
