"""A repeat stands for exactly the modules that it replaces."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from archdsl.backends.torch.code import (
    NamedItem,
    Progression,
    PyCall,
    PyExpression,
    PyLiteral,
    Rate,
    Repeat,
    Spread,
    mapped,
)
from archdsl.backends.torch.fold import folded, folded_pairs
from archdsl.backends.torch.layout import flat


def units(widths: Sequence[object]) -> list[PyExpression]:
    return [PyCall("Unit", (PyLiteral(width),), (("depth", PyLiteral(2)),)) for width in widths]


def at(code: PyExpression, index: int) -> PyExpression:
    """Return what an item of a repeat is at an index, as Python works it out."""
    if isinstance(code, Progression | Rate):
        return PyLiteral(eval(flat(code), {"i": index}))
    return mapped(code, lambda part: at(part, index))


def written_out(codes: Sequence[PyExpression]) -> list[PyExpression]:
    found: list[PyExpression] = []
    for code in codes:
        match code:
            case Repeat(item, PyLiteral(int(count))):
                found += [at(item, index) for index in range(count)]
            case _:
                found.append(code)
    return found


few, many = st.integers(0, 9), st.integers(1, 9)
runs = st.one_of(
    st.lists(st.integers(1, 3), max_size=5),
    st.builds(lambda first, step, n: [first + step * i for i in range(n)], few, few, many),
    st.builds(lambda rate, n: [rate * i / n for i in range(n)], st.floats(0.01, 0.9), many),
)


@given(st.lists(runs, max_size=3))
def test_a_folded_list_written_out_is_the_list(parts: list[list[object]]) -> None:
    codes = units([width for part in parts for width in part])
    assert written_out(folded(codes)) == codes


def test_numbers_that_grow_evenly_are_one_line() -> None:
    (repeat,) = folded(units([4, 6, 8, 10, 12]))
    assert flat(repeat) == "*(Unit(4 + 2 * i, depth=2) for i in range(5))"


def test_names_that_count_up_are_one_line_and_others_keep_theirs() -> None:
    codes = units([4] * 5)
    names = ["stem", "unit1", "unit2", "unit3", "unit5"]
    pairs = folded_pairs(dict(zip(names, codes, strict=True)))
    assert [type(pair) for pair in pairs] == [NamedItem, Spread, NamedItem]
    assert flat(pairs[1]) == '*((f"unit{i + 1}", Unit(4, depth=2)) for i in range(3))'
