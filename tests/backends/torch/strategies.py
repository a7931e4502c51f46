"""Generated code of any kind."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.backends.torch.code import (
    Either,
    Infix,
    Made,
    Method,
    NamedItem,
    Numbered,
    Progression,
    PyCall,
    PyDict,
    PyExpression,
    PyList,
    PyLiteral,
    PyName,
    PyTuple,
    Rate,
    Repeat,
    Spread,
)

words = st.sampled_from(["a", "b", "c"])
values = st.one_of(st.integers(0, 9), st.sampled_from([0.5, True, "w", (1, 2)]))
leaves: st.SearchStrategy[PyExpression] = st.one_of(
    st.builds(PyLiteral, values), st.builds(PyName, words), st.builds(Rate, st.just(0.5), st.integers(0, 3), st.just(7))
)


def calls(parts: st.SearchStrategy[PyExpression]) -> st.SearchStrategy[PyCall]:
    """Return calls of modules and blocks; keywords are in torch's order, and then others."""
    order = ["stride", "groups", "depth"]
    keywords = st.dictionaries(st.sampled_from(order), parts, max_size=2)
    functions = st.sampled_from(["nn.Conv2d", "nn.Sequential", "Unit"])

    def call(function: str, arguments: list[PyExpression], named: dict[str, PyExpression]) -> PyCall:
        return PyCall(function, tuple(arguments), tuple((key, named[key]) for key in order if key in named))

    return st.builds(call, functions, st.lists(parts, max_size=3), keywords)


def _grown(parts: st.SearchStrategy[PyExpression]) -> st.SearchStrategy[PyExpression]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    named = st.lists(st.tuples(words, parts), max_size=2).map(tuple)
    numbered = st.builds(Numbered, words, st.integers(0, 3), parts, parts)
    return st.one_of(
        calls(parts),
        st.builds(Made, parts, named),
        st.builds(Method, parts, words, several),
        st.builds(Infix, st.sampled_from("+*"), several),
        st.builds(PyList, several),
        st.builds(PyTuple, several),
        st.builds(PyDict, named),
        st.builds(Progression, parts, parts),
        st.builds(Repeat, parts, parts),
        st.builds(NamedItem, words, parts),
        numbered,
        st.builds(Spread, numbered),
        st.builds(Either, words, parts, parts),
    )


expressions = st.recursive(leaves, _grown, max_leaves=12)
