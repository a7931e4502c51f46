"""Generated code of any kind."""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl.backends.torch.code import (
    Call,
    DictOf,
    Either,
    Expression,
    Infix,
    ListOf,
    Literal,
    Made,
    Method,
    Name,
    Numbered,
    Pair,
    Progression,
    Rate,
    Repeat,
    Spread,
    TupleOf,
)

words = st.sampled_from(["a", "b", "c"])
values = st.one_of(st.integers(0, 9), st.sampled_from([0.5, True, "w", (1, 2)]))
leaves: st.SearchStrategy[Expression] = st.one_of(
    st.builds(Literal, values), st.builds(Name, words), st.builds(Rate, st.just(0.5), st.integers(0, 3), st.just(7))
)


def calls(parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[Call]:
    """Return calls of modules and blocks; keywords are in torch's order, and then others."""
    order = ["stride", "groups", "depth"]
    keywords = st.dictionaries(st.sampled_from(order), parts, max_size=2)
    functions = st.sampled_from(["nn.Conv2d", "nn.Sequential", "Unit"])

    def call(function: str, arguments: list[Expression], named: dict[str, Expression]) -> Call:
        return Call(function, tuple(arguments), tuple((key, named[key]) for key in order if key in named))

    return st.builds(call, functions, st.lists(parts, max_size=3), keywords)


def _grown(parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    named = st.lists(st.tuples(words, parts), max_size=2).map(tuple)
    numbered = st.builds(Numbered, words, st.integers(0, 3), parts, parts)
    return st.one_of(
        calls(parts),
        st.builds(Made, parts, named),
        st.builds(Method, parts, words, several),
        st.builds(Infix, st.sampled_from("+*"), several),
        st.builds(ListOf, several),
        st.builds(TupleOf, several),
        st.builds(DictOf, named),
        st.builds(Progression, parts, parts),
        st.builds(Repeat, parts, parts),
        st.builds(Pair, words, parts),
        numbered,
        st.builds(Spread, numbered),
        st.builds(Either, words, parts, parts),
    )


expressions = st.recursive(leaves, _grown, max_leaves=12)
