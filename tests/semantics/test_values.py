"""Values are told apart and described as a spec has them, not as Python does."""

from __future__ import annotations

from fractions import Fraction

import pytest

from archdsl.semantics.values import Setting, describe, identity, kind_of
from tests.semantics.values import value


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (1, 1.0), (0, False), (Fraction(1, 2), 0.5), ((1, 2), (1, 2.0)), (((1,),), ((True,),))],
)
def test_values_that_python_holds_equal_are_told_apart(one: Setting, other: Setting) -> None:
    assert one == other
    assert identity(one) != identity(other)
    assert hash(identity(one)) is not None


@pytest.mark.parametrize(
    ("text", "shown", "kind"),
    [
        ("[1, true, 0.5]", "[1, true, 0.5]", "a list"),
        ("group(32, eps=0.1)", "group(eps=0.1, groups=32)", "an operator"),
        ("unit(4)", "unit(c=4)", "a block"),
        ("1/3", "1/3", "a fraction"),
        ("kaiming_normal(mode=fan_out)", "kaiming_normal(mode=fan_out)", "an initialisation"),
        ("same", "same", "a word"),
    ],
)
def test_values_are_described_as_a_spec_writes_them(text: str, shown: str, kind: str) -> None:
    found = value(text)
    assert describe(found).startswith(shown.removesuffix(")"))
    assert kind_of(found) == kind
