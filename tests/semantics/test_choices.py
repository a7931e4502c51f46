"""Every way through a program that chooses is taken once, in order."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from archdsl.semantics.choices import Replay, all_runs
from archdsl.semantics.context import Context
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.library import Library
from archdsl.syntax.parser import parse_expression
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source

# A number, a choice of expressions, or a sum of two; of a condition, the way that is taken alone chooses.
EXPRESSIONS = st.recursive(
    st.integers(0, 9),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda options: ("choose", *options)),
        st.tuples(st.just("+"), inner, inner),
        st.tuples(st.just("if"), inner, inner, inner),
    ),
    max_leaves=7,
)


def write(tree: object) -> str:
    match tree:
        case ("choose", *options):
            return f"choose {{{', '.join(map(write, options))}}}"
        case ("+", left, right):
            return f"({write(left)} + {write(right)})"
        case ("if", condition, then, otherwise):
            return f"({write(then)} if {write(condition)} > 4 else {write(otherwise)})"
        case _:
            return str(tree)


def values(tree: object) -> list[int]:
    """Return all values of an expression, its last choices varying fastest."""
    match tree:
        case ("choose", *options):
            return [value for option in options for value in values(option)]
        case ("+", left, right):
            return [a + b for a, b in product(values(left), values(right))]
        case ("if", condition, then, otherwise):
            return [value for c in values(condition) for value in values(then if c > 4 else otherwise)]
        case int():
            return [tree]
        case _:
            raise AssertionError(tree)


@given(EXPRESSIONS)
def test_all_runs_are_those_of_going_through_every_option_by_hand(tree: object) -> None:
    report = Reporter()
    expression = parse_expression(Source(write(tree)), report)
    module = Library(report).load(Source("let a = 1"), None)
    assert expression is not None
    assert module is not None
    env = Env(module, Context(), Budget())
    runs = list(all_runs(lambda replay: evaluate(expression, replace(env, chooser=replay))))
    assert [run.result for run in runs] == values(tree)
    taken = [tuple((id(node), number) for node, number in run.replay.taken) for run in runs]
    assert len({*taken}) == len(runs)


def test_a_program_without_choices_runs_once() -> None:
    assert [run.result for run in all_runs(lambda _: "done")] == ["done"]
    assert Replay().next() is None
