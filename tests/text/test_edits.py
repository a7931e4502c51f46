"""Edits that fixes are made of."""

from __future__ import annotations

import pytest

from archdsl.text.edits import renamed, rounded_down
from archdsl.text.mend import apply_fixes
from archdsl.text.source import Source, Span


@pytest.mark.parametrize(
    ("name", "near", "is_safe"),
    [
        ("nrom", "norm", False),
        ("ReLU", "relu", True),
        ("Conv2d", "conv", True),
        ("bn", "norm", False),
        ("Conv", "conv", False),
        ("swish", "silu", True),
        ("a", "b", False),
    ],
)
def test_a_name_is_replaced_and_safely_where_it_is_a_synonym(name: str, near: str, is_safe: bool) -> None:
    text = f"  {name}=3"
    fix = renamed(Span(2, len(text), Source(text)), name, near)
    assert fix is not None
    assert fix.is_safe == is_safe
    chosen = renamed(Span(2, len(text), Source(text)), name, near, own=[near])
    assert chosen is not None
    assert not chosen.is_safe
    assert apply_fixes(text, [fix]).text == f"  {near}=3"


def test_nothing_is_renamed_where_nothing_is_near_or_the_name_is_not_there() -> None:
    span = Span(0, 4, Source("text"))
    assert renamed(span, "text", None) is None
    assert renamed(span, "name", "norm") is None
    assert renamed(span, "", "norm") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("in/2", "in//2"), ("c / 4", "c // 4"), ("(a + b)/2", "(a + b)//2"), ("c//2/3", None), ("a/b/c", None),
     ("c*2/3", None), ("a", None), ("a # b/c", None)],
)  # fmt: skip
def test_one_division_alone_is_rounded_down(text: str, expected: str | None) -> None:
    fix = rounded_down(Span(0, len(text), Source(text)))
    assert (apply_fixes(text, [fix]).text if fix else None) == expected
