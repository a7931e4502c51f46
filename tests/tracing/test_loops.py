"""A `for` whose turns depend on settings."""

from __future__ import annotations

import archdsl
from archdsl import Sweep
from archdsl.text.source import Source

TEXT = "model m(n=3, w=8) { input [3, 4, 4]; for i in 1..n { l{i}: conv w*i; act } }"


def test_turns_are_noted_once_for_any_number_of_them() -> None:
    sweep = Sweep(Source(TEXT, "m.arch"))
    for count in (0, 1, 5, 2):
        for width in (4, 6):
            settings = {"n": count, "w": width}
            assert count == 0 or sweep.costs(settings) == archdsl.load_text(TEXT, n=count, w=width).tables.costs.total
    assert sweep.compiled <= 2


def test_turns_with_one_label_are_refused() -> None:
    sweep = Sweep(Source(TEXT.replace("l{i}", "l{i//2}"), "m.arch"))
    assert [point.error is None for point in sweep.points([{"n": 2}, {"n": 3}, {"n": 1}])] == [True, False, True]
