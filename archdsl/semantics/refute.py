"""Why a condition does not hold."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.semantics.env import Env
from archdsl.semantics.evaluate import evaluate, evaluate_bool
from archdsl.semantics.values import Setting, describe
from archdsl.syntax import tree
from archdsl.text.source import Span

_MIRRORED: Mapping[str, str] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_LONGEST_TEXT = 50


def refute(condition: tree.Expression, env: Env) -> tuple[Span, str]:
    """Return the smallest part that makes a condition false, and a message with the values that it compares.

    Requires: the condition is false.
    """
    if not isinstance(condition, tree.Binary):
        return condition.span, f"{_text(condition)} does not hold"
    if condition.operator == "and":
        return refute(condition.right if evaluate_bool(condition.left, env) else condition.left, env)
    if condition.operator not in _MIRRORED:
        return condition.span, f"{_text(condition)} does not hold"
    left, right, operator = condition.left, condition.right, condition.operator
    if isinstance(left, tree.Literal):
        left, right, operator = right, left, _MIRRORED[operator]
    found, wanted = (_number(evaluate(side, env)) for side in (left, right))
    what = f"which is not {operator} {wanted}" if operator not in ("==", "!=") else f"not {wanted}"
    if operator == "!=":
        return condition.span, f"{_text(left)} is {found}, and must not be"
    is_plain = isinstance(right, tree.Literal) or right.span.text == wanted
    named = "" if is_plain else f", which {_text(right)} is"
    return condition.span, f"{_text(left)} is {found}, {what}{named}"


def _text(expression: tree.Expression) -> str:
    text = " ".join(expression.span.text.split())
    return f"`{text}`" if len(text) <= _LONGEST_TEXT else f"`{text[:_LONGEST_TEXT]}…`"


def _number(value: Setting) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else describe(value)
