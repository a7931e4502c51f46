"""What a name calls, and how arguments find their names."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.semantics.callables import argument_keys, find_callable, positional_keys
from archdsl.semantics.library import Library
from archdsl.semantics.values import DeclaredBlock
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source

BLOCKS = """
block gelu(c) { conv c }
block around(body inner, c, k=3) { inner; conv c k=k }
"""


def test_a_block_of_the_file_goes_before_an_operator_and_the_preludes_too() -> None:
    module = Library(Reporter()).load(Source(BLOCKS), None)
    assert module is not None
    kinds = {name: find_callable(name, module) for name in ("gelu", "cna", "relu", "nothing")}
    assert {name: found and isinstance(found.target, DeclaredBlock) for name, found in kinds.items()} == {
        "gelu": True,
        "cna": True,
        "relu": False,
        "nothing": None,
    }


def test_values_without_names_leave_a_body_to_the_braces_behind_the_call() -> None:
    module = Library(Reporter()).load(Source(BLOCKS), None)
    assert module is not None
    around = find_callable("around", module)
    assert around is not None
    assert argument_keys(around) == ("inner", "c", "k")
    assert positional_keys(around) == ("c", "k", "inner")


@pytest.mark.parametrize(
    ("step", "place", "help"),
    [
        ("relu 3", "3", "remove what is too much"),
        ("gap relu", "relu", "put `;` before `relu`, if it is a step of its own"),
    ],
)
def test_an_argument_too_many_is_named_with_what_it_may_be_instead(step: str, place: str, help: str) -> None:
    found = archdsl.check_text(f"model m {{ input [3, 64, 64]; conv 4; {step} }}")
    assert [(one.code, one.span.text, one.help) for one in found if one.code == "E107"] == [("E107", place, help)]
