"""Functions that a body declares."""

from __future__ import annotations

import pytest

import archdsl
from tests.lower.spec import channels, mistakes, network


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("let w = 3; fn f(c, k=2) = c*w + k; conv f(2); conv f(1, k=in)", [8, 11]),
        ("let w = 3; fn f(c) = c*w; let w = 5; conv f(1)", [3]),
        ("fn f(w) = 2*w; for w in 1..2 { conv f(w) }", [2, 4]),
        ("for w in 1..2 { fn f(c) = c*w; conv f(10) }", [10, 20]),
        ("fn f(n) = 1 if n == 0 else n*f(n - 1); conv f(3)", [6]),
        ("fn f() = in; conv 8; conv f(); conv 2*f()", [8, 8, 16]),
        ("fn max(a, b) = a; conv max(2, 9)", [2]),
        ("concat { fn f(i) = i + 1; conv f(1); conv f(2) }", [2, 3, 5]),
        ("fn f(c) = 7*c; twice { conv f(1) }; { fn f(c) = c; conv f(1) }; conv f(1)", [7, 7, 1, 7]),
        ("fn f(i) = g(i) + 1; conv f(1)", [9]),
    ],
)
def test_a_function_in_a_body_sees_the_names_that_are_bound_before_it(body: str, expected: list[int]) -> None:
    file = "fn g(i) = 8*i\nblock twice(body inner) { fn f(c) = 100*c; inner; inner }"
    assert channels(network(body, file)) == expected


def test_calls_with_bodies_that_see_other_functions_share_no_body() -> None:
    text = "for i in 1..2 { fn f(c) = c*i; one { conv f(4) } }"
    assert channels(network(text, "block one(body inner) { inner }")) == [4, 8]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{ fn f(c) = c; conv f(3) }; conv f(3)", [("E101", "f")]),
        ("conv f(3); fn f(c) = c", [("E101", "f")]),
        ("fn f(c) = c; conv f", [("E101", "f")]),
        ("fn f(c) = c; f 3", [("E104", "f")]),
        ("fn f(c) = c; conv f(1, 2)", [("E107", "2")]),
        ("fn f(c) = c + nothing_such", [("E101", "nothing_such")]),
        ("fn f(c, d=nothing_such) = c + d; conv f(1)", [("E101", "nothing_such")]),
        ("fn f(c) = f(c); conv f(1)", [("E108", "f(c)")]),
        ("fn f(c) = 8; conv 4", [("W405", "f"), ("W406", "c")]),
        ("fn f(c) = f(c - 1); conv 4", [("W405", "f")]),
    ],
)
def test_what_is_wrong_with_a_function_in_a_body_is_told_there(body: str, expected: list[tuple[str, str]]) -> None:
    assert mistakes(body) == expected


def test_a_function_of_a_block_that_nobody_calls_is_looked_at() -> None:
    text = "block u(n) { fn f(c) = c + nope; conv f(n) }\nmodel m { input [3, 8, 8]; cna 3 }"
    assert [d.span.text for d in archdsl.check_text(text) if d.code == "E101"] == ["nope"]


def test_lines_of_a_body_need_no_indentation() -> None:
    text = "model m {\ninput [3, 8, 8]\nfn f(c) = 2*c\nconv f(4)\n}\n"
    assert [node.output.channels for node in archdsl.load_text(text).costs.nodes] == [8]


def test_a_function_may_give_values_that_flow() -> None:
    net = network("a: conv 4; b: conv 4; let all = [@a, @b]; fn last(i) = all[-i]; add @b last(1) last(2)")
    assert [source for source, _, _ in net.flatten().in_edges("add", data=True)] == ["b", "b", "a"]


def test_a_body_brings_along_the_values_of_the_functions_that_it_calls() -> None:
    text = "a: conv 4; let v = @a; fn kept() = v; b: conv 4; one { add kept() }"
    net = network(text, "block one(body inner) { act; inner }")
    assert {source for source, _ in net.flatten().in_edges("one.add")} == {"one.act", "a"}
