"""Values of expressions, beside some declarations."""

from __future__ import annotations

from archdsl.ops.shape import Shape
from archdsl.semantics.context import Context
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.library import Library
from archdsl.semantics.values import Setting
from archdsl.syntax.parser import parse_expression
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source

DECLARATIONS = """
let width = 3 * base
let base = 16
let late = width + in
fn double(v, by=2) = v * by
fn deep(v) = 0 if v == 0 else 1 + deep(v - 1)
fn channels() = in
block unit(c, k=3) { conv c k=k }
"""


def value(text: str) -> Setting:
    report = Reporter()
    module = Library(report).load(Source(DECLARATIONS), None)
    expression = parse_expression(Source(text), report)
    assert report.diagnostics == ()
    assert module is not None
    assert expression is not None
    names: dict[str, Setting] = {"n": 5, "xs": (10, 20, 30), "flag": True}
    return evaluate(expression, Env(module, Context(), Budget(), names, Shape(8, 4, 4), Shape(6, 4, 4)))
