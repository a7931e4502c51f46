"""Translated expressions, against evaluation."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest

from archdsl.ir.trouble import Reported, Trouble
from archdsl.semantics.context import Context
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.library import Library
from archdsl.syntax.parser import parse_expression
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source
from archdsl.tracing.recorder import Recorder, Untraceable
from archdsl.tracing.translate import Untranslatable, translated

FILE = "let base = 3\nfn twice(v, by=2) = v * by if v > 0 else base\nmodel m { input [3, 4, 4]; conv 8 }\n"
NUMBERS: list[Any] = [0, 1, 2, 3, 5, -1, 8, 0.5, 2.0, -1.5, Fraction(1, 3), 2**40]


def text_of(chosen: random.Random, depth: int = 3) -> str:
    """Return the text of a random expression."""
    if depth == 0 or chosen.random() < 0.2:
        return chosen.choice(["a", "b", "1", "2", "0.5", "base", "true", "[a, 2][b]"])
    one, other = text_of(chosen, depth - 1), text_of(chosen, depth - 1)
    return chosen.choice(
        [
            f"({one} {chosen.choice(['+', '-', '*', '/', '//', '%', '**', '<', '==', '!=', '>='])} {other})",
            f"({one} if {other} > 1 else {other})",
            f"(-{one})",
            f"max({one}, {other})",
            f"floor({one})",
            f"twice({one})",
            f"twice({one}, by={other})",
            f"sum([{one} * i for i in 0..2 if i < {other}])",
            f"len(0..{one})",
            f"[{one}, {other}][-1]",
            f"(not {one} < {other})",
        ]
    )


@pytest.mark.parametrize("seed", range(30))
def test_a_translated_expression_is_evaluated_alike(seed: int) -> None:
    chosen = random.Random(seed)
    report = Reporter()
    module = Library(report).load(Source(FILE, "m.arch"), None)
    assert module is not None
    for _ in range(8):
        node = parse_expression(Source(text_of(chosen), "e.arch"), report)
        assert node is not None
        for kinds in ((1, 1), (1, 0.5), (Fraction(1, 3), 2)):
            recorder = Recorder(kinds)
            given = {"a": recorder.at(0), "b": recorder.at(1)}, None, None, Context()
            try:
                function = translated(node, module, given, frozenset(), 10**6)
            except Untranslatable:
                continue
            for _ in range(8):
                numbers = [chosen.choice([n for n in NUMBERS if type(n) is type(kind)]) for kind in kinds]
                names = dict(zip("ab", numbers, strict=True))
                try:
                    right = evaluate(node, Env(module, Context(), Budget(), names))
                except (Trouble, Reported):
                    with pytest.raises(Untraceable):
                        function(*numbers)
                else:
                    value = function(*numbers)
                    assert (type(value), value) == (type(right), right), (node.span.text, names)
