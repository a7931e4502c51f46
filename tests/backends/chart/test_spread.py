"""Charts of repeated runs: what they draw, and what has no room in them."""

from __future__ import annotations

import re
from math import inf, nan

import pytest

from archdsl.backends.chart.spread import Band, RangeOf, plot_along, plot_bands, plot_ranges
from archdsl.backends.theme import THEMES

LIGHT = THEMES["light"]


def said(value: float) -> str:
    return "never" if value == inf else "none" if value == -inf else f"{value:g}"


def words(svg: bytes) -> str:
    """Return the texts of a picture, which stand in its comments."""
    return " ".join(re.findall(r"<!-- (.*?) -->", svg.decode()))


def test_bands_have_a_name_each_and_a_panel_for_each_part() -> None:
    runs = [[3.0, 2.0, 1.0], [3.0, 2.5, 1.5]]
    bands = [Band(f"lr={rate}", f"norm={norm}", runs) for norm in "ab" for rate in "xyz"]
    text = words(plot_bands(bands, ("step", "loss"), LIGHT, "svg"))
    assert all(text.count(f"lr={rate}") == 1 for rate in "xyz"), "the legend has each once"
    assert all(f"norm={norm}" in text for norm in "ab")


def test_runs_that_diverged_at_once_or_never_began_are_no_mistake() -> None:
    bands = [Band("a", "", [[inf, inf], [inf]], has_diverged=True), Band("b", "", []), Band("c", "", [[]])]
    assert plot_bands(bands, ("step", "loss"), LIGHT, "svg").startswith(b"<?xml")


def test_ranges_say_what_has_no_place_on_the_axis() -> None:
    rows = [RangeOf("a", [1.0, 2.0]), RangeOf("b", [inf, inf]), RangeOf("c", [3.0, inf]), RangeOf("$d_1$", [-inf])]
    text = words(plot_ranges(rows, "steps", said, LIGHT, "svg"))
    assert "never in 1 of 2" in text
    assert "none" in text
    assert "$d_1$" in text, "names are no formulas"


@pytest.mark.parametrize("values", [[inf, inf], [nan], [1.0, 1.0], [1e-6, 5.0], [-1.0, 2.0]])
def test_any_values_have_a_chart(values: list[float]) -> None:
    for is_log in (False, True):
        assert plot_ranges([RangeOf("a", values)], "steps", said, LIGHT, "svg", is_log=is_log)
        rows = [RangeOf("a", values, x) for x in (1.0, 2.0, 64.0)]
        assert plot_along(rows, ("batch", "loss"), said, LIGHT, "svg", is_log=is_log)


def test_along_an_axis_each_name_has_a_line_and_what_is_beyond_is_told_once() -> None:
    rows = [
        RangeOf(name, [1.0, 2.0] if x < 8 else [inf, 2.0], x) for name in ("batch", "none") for x in (2.0, 4.0, 8.0)
    ]
    text = words(plot_along(rows, ("size", "loss"), said, LIGHT, "svg"))
    assert text.count("never") == 1
    assert text.count("batch") == text.count("none") == 1
    assert all(f" {x} " in f" {text} " for x in (2, 4, 8))
