"""Strings that are put together, and values where nothing flows."""

from __future__ import annotations

import pytest

from archdsl.ir.trouble import Trouble
from archdsl.semantics.flowing import MAX_TEXT
from tests.semantics.values import value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"cell_{1 + 1}"', "cell_2"),
        ('"{3}-{1/2}"', "3-1/2"),
        ('"a" + "b" + "c"', "abc"),
        ('"a" + "{1}" == "a1"', True),
        ('["l{i}" for i in 0..2]', ("l0", "l1", "l2")),
        ('"plain"', "plain"),
        ('"{"', "{"),
    ],
)
def test_strings_are_put_together(text: str, expected: object) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "code", "place", "help"),
    [
        ('"a" + 1', "E104", '"a"', 'braces put a number into a text: `"cell_{i}"`'),
        ("@a", "E128", "@a", ""),
        ("[@a, @b][0]", "E128", "@a", ""),
        ('"{nope}"', "E101", "nope", ""),
        (f'"{"a" * 390}" + "{"b" * 390}" + "{"c" * 390}"', "E116", "", ""),
    ],
)
def test_what_is_no_string_and_no_value_is_told_at_it(text: str, code: str, place: str, help: str) -> None:
    with pytest.raises(Trouble) as told:
        value(text)
    assert told.value.code == code
    assert place in told.value.span.text
    assert help in told.value.help
    assert MAX_TEXT < 3 * 390
