"""A whole model: each independent mistake at its place, and once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.lower.spec import mistakes

MISTAKES: Mapping[str, tuple[str, str, list[tuple[str, str]]]] = {
    "unknown step": ("cnov 4", "", [("E101", "cnov")]),
    "unknown argument": ("conv 4 kernle=3", "", [("E102", "kernle")]),
    "missing argument": ("conv k=3", "", [("E103", "conv")]),
    "wrong kind": ("conv 4 k=relu", "", [("E104", "k=relu")]),
    "no step": ("let a = 3; a", "", [("E104", "a")]),
    "inexact": ("conv in/3", "", [("E105", "in/3")]),
    "label twice": ("a: conv 4; a: act", "", [("E106", "a")]),
    "output twice": ("conv 4; output a; act; output a", "", [("E106", "a")]),
    "argument twice": ("conv 4 k=1 k=3", "", [("E106", "k=3")]),
    "block twice": ("b", "block b { relu }\nblock b { relu }", [("E106", "b")]),
    "too many": ("relu 4", "", [("E107", "4")]),
    "too many for a block": ("b 4 5", "block b(c) { conv c }", [("E107", "5")]),
    "a body for an operator": ("conv 4 { relu }", "", [("E107", "{ relu }")]),
    "a body for a block": ("b { relu }", "block b { relu }", [("E107", "{ relu }")]),
    "no depths": ("stages 3 { relu }", "", [("E104", "3")]),
    "no stride taken": ("stages [1, 1] double c=4 { conv c }", "", [("E110", "{ conv c }")]),
    "lengths": ("stages [1, 1] c=[4, 5, 6] { conv c }", "", [("E111", "c=[4, 5, 6]")]),
    "names": ("for a, b in [[1, 2, 3]] { conv a }", "", [("E111", "[[1, 2, 3]]")]),
    "branches": ("split 2 concat { pass; pass; pass }", "", [("E111", "2")]),
    "a word of Python": ("class: conv 4", "", [("E112", "class")]),
    "a module's attribute": ("forward: conv 4", "", [("E112", "forward")]),
    "no label": ("conv 4; @a", "", [("E113", "@a")]),
    "no output": ("a: { conv 4; output b }; @a.c", "", [("E113", "@a.c")]),
    "another level's label": ("{ a: conv 4 }; @a", "", [("E113", "@a")]),
    "nothing to reuse": ("reuse a", "", [("E113", "a")]),
    "the image's size": ("flatten; fc in", "", [("E118", "in")]),
    "an assertion": ("conv 4; assert parameters < 1, macs > 1", "", [("E119", "parameters < 1")]),
    "an input in a group": ("{ input [3, 8, 8]; relu }", "", [("E121", "input [3, 8, 8]")]),
    "an input in a branch": ("a: add { input [3, 8, 8]; pass }", "", [("E121", "input [3, 8, 8]")]),
    "a reused input": ("reuse input", "", [("E113", "input")]),
    "an input in a block": ("b", "block b { input [3, 8, 8] }", [("E121", "input [3, 8, 8]")]),
    "an empty group": ("{ }", "", [("E122", "{ }")]),
    "an empty block": ("b", "block b { }", [("E122", "b")]),
    "a residual": ("residual { conv 8 }", "", [("E220", "residual")]),
    "a join": ("add { pass; conv 8 }", "", [("E213", "add")]),
    "parts": ("split [1, 2] concat { pass; pass }", "", [("E214", "[1, 2]")]),
    "a type": ("b 1.5", "block b(int c) { relu }", [("E104", "1.5")]),
    "an unknown type": ("b 1", "block b(itn c) { relu }", [("E101", "itn")]),
    "repeats": ("relu x 1/2", "", [("E105", "1/2")]),
    "a reused shape": ("s: conv 8; reuse s", "", [("E213", "s")]),
}


@pytest.mark.parametrize(("body", "declarations", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named_at_its_place_and_once(
    body: str, declarations: str, expected: list[tuple[str, str]]
) -> None:
    assert mistakes(body, declarations) == expected


def test_all_independent_mistakes_are_found_at_once() -> None:
    declarations = """
    block first(c) { cnov c; norm }
    block second(c) { conv c k=0; act }
    """
    body = "add { pass; conv 5 }; first 8; concat { pass; second 8 }; second 4 x 3; norm x q; fc in + 1"
    assert mistakes(body, declarations) == [("E101", "cnov"), ("E104", "k=0"), ("E101", "q"), ("E213", "add")]
