"""What walks generated code sees all of it, and leaves what it does not change as it was."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import cast

from hypothesis import given

from archdsl.backends.torch.code import (
    Progression,
    PyCall,
    PyExpression,
    PyLiteral,
    PyName,
    Repeat,
    children,
    frame,
    grows,
    mapped,
    with_children,
)
from tests.backends.torch.strategies import expressions


@given(expressions)
def test_code_with_its_own_children_is_the_same_code(code: PyExpression) -> None:
    assert with_children(code, children(code)) == code
    assert mapped(code, lambda part: part) == code


def parts(value: object) -> list[object]:
    """List the expressions in a field, in any order."""
    if isinstance(value, tuple):
        return [part for item in cast("tuple[object, ...]", value) for part in parts(item)]
    return [value] if is_dataclass(value) else []


@given(expressions)
def test_the_children_are_all_expressions_in_the_fields(code: PyExpression) -> None:
    expected = [part for field in fields(code) for part in parts(getattr(code, field.name))]
    assert sorted(map(repr, children(code))) == sorted(map(repr, expected))


@given(expressions)
def test_a_change_reaches_every_child_once(code: PyExpression) -> None:
    marked = mapped(code, lambda part: PyCall("marked", (part,)))
    assert children(marked) == tuple(PyCall("marked", (part,)) for part in children(code))


@given(expressions, expressions)
def test_codes_of_one_frame_differ_in_their_children_alone(one: PyExpression, other: PyExpression) -> None:
    assert (frame(one) == frame(other)) == (
        len(children(one)) == len(children(other)) and with_children(one, children(other)) == other
    )


def test_what_counts_in_a_repeat_of_its_own_does_not_grow_outside() -> None:
    growing = PyCall("Unit", (Progression(PyLiteral(4), PyLiteral(2)),))
    assert grows(growing)
    assert grows(PyCall("nn.Sequential", (PyName("x"), growing)))
    assert not grows(PyCall("nn.Sequential", (Repeat(growing, PyLiteral(3)),)))
