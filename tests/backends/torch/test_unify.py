"""What instances of a block have in common, filled with an instance's constants, is that instance's code."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from archdsl.backends.torch.code import (
    Hole,
    Infix,
    Made,
    Method,
    PyCall,
    PyExpression,
    PyList,
    PyLiteral,
    PyName,
    PyTuple,
    Symbol,
    mapped,
)
from archdsl.backends.torch.unify import Callables, signature, unify
from tests.backends.torch.strategies import calls, leaves, words


def _grown(parts: st.SearchStrategy[PyExpression]) -> st.SearchStrategy[PyExpression]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        calls(parts),
        st.builds(Method, parts, words, several),
        st.builds(Infix, st.sampled_from("+*"), several),
        st.builds(PyList, several),
        st.builds(PyTuple, several),
    )


codes = st.recursive(leaves, _grown, max_leaves=10)


def filled(code: PyExpression, index: int) -> PyExpression:
    """Return what code with holes is for the instance at a position."""
    if isinstance(code, Hole):
        return PyLiteral(code.values[index])
    return mapped(code, lambda part: filled(part, index))


def other_numbers(code: PyExpression, change: Callable[[int], int]) -> PyExpression:
    match code:
        case PyLiteral(value) if type(value) is int:
            return PyLiteral(change(value))
        case _:
            return mapped(code, lambda part: other_numbers(part, change))


@given(codes, st.integers(1, 5))
def test_filling_the_holes_gives_each_instance_again(code: PyExpression, step: int) -> None:
    callables = Callables()
    instances = [code, other_numbers(code, lambda n: n + step), other_numbers(code, lambda n: 2 * n)]
    assert len({signature(instance, callables) for instance in instances}) == 1
    merged = unify(instances, ("part",), callables)
    assert [filled(merged, index) for index in range(3)] == instances


@given(codes)
def test_what_all_instances_share_stays_as_it_is(code: PyExpression) -> None:
    assert unify([code, None, code], (), Callables()) == code


def test_activations_stand_in_for_each_other() -> None:
    kinds = [PyCall(f"nn.{name}", (), (("inplace", PyLiteral(True)),)) for name in ("ReLU", "SiLU")]
    merged = unify(kinds, ("act",), Callables())
    assert isinstance(merged, Made)
    assert isinstance(merged.kind, Hole)
    assert merged.kind.values == (Symbol("nn.ReLU"), Symbol("nn.SiLU"))


def test_another_name_is_other_code() -> None:
    assert signature(PyName("x"), Callables()) != signature(PyName("y"), Callables())
