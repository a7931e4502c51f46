"""Where a value was written: at a `let`, an argument of a call or a default, whatever names it went through."""

from __future__ import annotations

from archdsl.ir.trouble import Trouble
from archdsl.semantics.env import Env, Written
from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.text.diagnostic import Label
from archdsl.text.edits import rounded_down
from archdsl.text.source import Span

_MOST_NAMES = 50
"""How many names a value is followed through: a default may read a parameter of its own name."""


def origin_of(expression: tree.Expression, env: Env) -> Span:
    """Return where the value of an expression was written, which is elsewhere if it is but a name or a division.

    A function divides where its arguments have no division of their own.
    """
    for _ in range(_MOST_NAMES):
        written = _written(expression, env)
        if written is None:
            break
        expression, env = written
    if isinstance(expression, tree.Apply) and expression.name.text not in env.names:
        found = env.module.find(expression.name.text)
        function = found[0] if found is not None else None
        if isinstance(function, tree.Function) and not any(_divides(a.value) for a in expression.arguments):
            return function.value.span if _divides(function.value) else expression.span
    return expression.span


def is_elsewhere(expression: tree.Expression, env: Env) -> bool:
    """Return whether a name was bound to its value by a `let`, a call or a default."""
    return _written(expression, env) is not None


def _written(expression: tree.Expression, env: Env) -> Written | None:
    """Return what a name's value was written as; None for other expressions, and for values of other origin."""
    if not isinstance(expression, tree.Variable):
        return None
    name = expression.name
    if name in env.origins or name in env.names or env.context.get(name) is not None:
        return env.origins.get(name)
    found = env.module.find(name)
    if found is None or not isinstance(found[0], tree.Let):
        return None
    return found[0].value, Env(found[1], env.context, env.budget)


def _divides(expression: tree.Expression) -> bool:
    return any(isinstance(part, tree.Binary) and part.operator == "/" for part in nodes_of(expression))


def at_origin(trouble: Trouble, written: Written | None, use: str) -> Trouble:
    """Tell a mistake where the value was written, once however often it is used; `use` says what it is used as."""
    if written is None:
        return trouble
    origin = origin_of(*written)
    if origin == trouble.span or origin.source is not trouble.span.source or trouble.span.holds(origin):
        return trouble
    moved = Trouble(trouble.code, trouble.message, origin, help=trouble.help, labels=(Label(trouble.span, use),))
    if trouble.code == "E105":
        moved.fix = rounded_down(origin)
    return moved
