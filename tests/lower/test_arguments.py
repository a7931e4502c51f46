"""Arguments: their kinds, and equal ones beside each other."""

from __future__ import annotations

import archdsl
from tests.lower.spec import mistakes


def test_a_value_of_the_wrong_kind_is_found_behind_an_equal_one() -> None:
    assert mistakes("conv 4 bias=true; conv 4 bias=1") == [("E104", "bias=1")]
    assert mistakes("conv 4 k=1; conv 4 k=true") == [("E104", "k=true")]


def test_an_unknown_argument_that_is_given_twice_is_no_crash() -> None:
    for step in ("relu foo=1 foo=2", "gap s=1 s=1", "act a=1 a=1", "flatten x1=2 x1=2", "pass k=1 k=2"):
        found = archdsl.check_text(f"model m {{ input [3, 8, 8]; {step} }}")
        assert {one.code for one in found} <= {"E102", "E106", "E107"}, step
        assert found, step


def said(step: str) -> tuple[str, str]:
    (found,) = archdsl.check_text(f"model m {{ {step} }}")
    assert found.fix is None
    return found.message, found.help


def test_a_text_is_shown_as_one_and_a_list_that_is_too_short_in_words() -> None:
    assert said('input [3, 8, 8]; conv "8"')[0].endswith('is the text "8", but a whole number is needed')
    assert said('input [3, 8, 8]; conv 8 bias="true"')[0].endswith('is the text "true", but true or false is needed')
    for step in ("permute []", "reshape []", "pad []", "pad [1, 2, 3]"):
        assert said(f"input [3, 8, 8]; {step}")[0].endswith("but more items are needed")
    assert said("input []; relu")[0] == "`shape` of `input` is [], but more items are needed"


def test_no_help_writes_an_input_that_is_as_wrong() -> None:
    for sizes in ("[0, 8, 8]", "[3, 8, 8, 0]", "[3.5, 8, 8]"):
        assert said(f"input {sizes}; relu")[1] == ""
    assert said("input [-1, 3, 8, 8]; relu")[1] == "write `input [3, 8, 8]`"


def test_what_is_rounded_to_nothing_has_no_fix() -> None:
    assert said("input [3, 8, 8]; conv 8 k=1/2")[0] == "`kernel` is 1/2, not a whole number"


def test_an_initialisation_of_another_tool_is_not_taken_for_one_of_ours() -> None:
    for name, near in (("he_normal", "kaiming_normal"), ("glorot_uniform", "xavier_uniform"), ("xavier", "xavier_")):
        assert f"what comes nearest is `{near}" in said(f"input [3, 8, 8]; conv 8 init={name}")[1]
