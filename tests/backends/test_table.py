"""Tables in the columns that there are."""

from __future__ import annotations

from archdsl.backends.table import Column, crop, lay_out


def test_columns_give_way_from_the_right_and_then_as_a_whole() -> None:
    path = Column("path", ["a" * 30], can_shrink=True, is_path=True)
    note, figure = Column("note", ["b" * 30], can_shrink=True), Column("n", ["7"], is_right=True)
    assert lay_out([(path, note, figure), (path, figure)], 65)[1].split() == ["a" * 30, "b" * 30, "7"]
    assert lay_out([(path, note, figure), (path, figure)], 50)[1].split() == ["a" * 30, "b" * 14 + "…", "7"]
    assert lay_out([(path, note, figure), (path, figure)], 33)[1].split() == ["…" + "a" * 13, "b" * 13 + "…", "7"]
    assert lay_out([(path, note, figure), (path, figure)], 32)[1].split() == ["…" + "a" * 28, "7"]


def test_a_path_is_cropped_between_its_segments() -> None:
    assert crop("features.4.conv", 10, at_start=True) == "….4.conv"
    assert crop("features.4.conv", 15, at_start=True) == "features.4.conv"
    assert crop("averylongname", 6, at_start=True) == "…gname"
