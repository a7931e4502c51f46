"""What can be said of statements that a mistake keeps from being lowered, and of bodies that nobody calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from archdsl.ops.base import Op, OpError
from archdsl.ops.shape import Dim, Shape
from archdsl.syntax import tree

# Codes of rules that look at an operator's own arguments, whatever flows in.
_OF_ARGUMENTS = frozenset({"E210", "E215", "E218", "E221", "E223"})
# Sizes that no rule can tell from others, for inputs with a certain number of axes.
_ANY = [Shape(*(Dim.variable(f"unknown{axis}") for axis in range(rank))) for rank in (3, 1, 2, 4)]


def bodies_of(statement: tree.Statement) -> list[tree.Body]:
    """Return the bodies that stand directly in a statement."""
    match statement:
        case tree.If(_, then, otherwise, _):
            return [then, otherwise] if otherwise is not None else [then]
        case tree.For(body=body):
            return [body]
        case tree.OutputStatement(body=body):
            return [body] if body is not None else []
        case tree.Step(action=action):
            return _bodies_of_action(action)
        case _:
            return []


def _bodies_of_action(action: tree.Action) -> list[tree.Body]:
    match action:
        case tree.Residual(body=body, shortcut=shortcut):
            return [body, shortcut] if shortcut is not None else [body]
        case tree.Split(join=tree.Call(body=body)) | tree.Call(body=body):
            return [body] if body is not None else []
        case tree.Group(body=body) | tree.Stages(body=body):
            return [body]
        case _:
            return []


_LABELS = re.compile(r"(?<![\w@.])([A-Za-z_]\w*)[ \t]*:", re.A)
_BOUND = re.compile(r"(?:\blet[ \t]+|^)([A-Za-z_]\w*)[ \t]*=(?!=)", re.A)
_DEFAULTS = re.compile(r"\bdefaults\b")
_WISHED = re.compile(r"([A-Za-z_]\w*)[ \t]*=(?!=)", re.A)


def labels_in(text: str) -> list[str]:
    """Return what may be a label in the text of a statement that does not parse."""
    return _LABELS.findall(text)


def names_in(text: str) -> list[str]:
    """Return the names that the text of a statement that does not parse may bind for those behind it."""
    return [*_BOUND.findall(text), *(_WISHED.findall(text) if _DEFAULTS.search(text) else ())]


def is_damaged(statement: tree.Statement, offsets: Iterable[int]) -> bool:
    """Return whether a syntax mistake stands in a statement, outside the bodies in it."""
    inner = [body.span for body in bodies_of(statement)]
    return any(
        statement.span.start <= offset < statement.span.end
        and not any(span.start < offset < span.end for span in inner)
        for offset in offsets
    )


def all_bodies(body: tree.Body) -> Iterator[tree.Body]:
    """Yield a body and those inside it, however deep."""
    stack = [body]
    while stack:
        body = stack.pop()
        yield body
        stack += [inner for statement in body.statements for inner in bodies_of(statement)]


def names_bound(statement: tree.Statement) -> list[str]:
    """Return the names that a statement binds inside its bodies."""
    match statement:
        case tree.For(targets=targets):
            return [target.text for target in targets]
        case tree.Step(action=tree.Stages(clauses=clauses)):
            doubled = [clause.name.text for clause in clauses if isinstance(clause, tree.Doubled)]
            listed = [c.key.text for c in clauses if isinstance(c, tree.Argument) and c.key is not None]
            return ["stage", "total", "index", *doubled, *listed]
        case _:
            return []


def mistake_alone(op: Op) -> OpError | None:
    """Return what is wrong with an operator whatever flows into it; None if that depends."""
    found: OpError | None = None
    for shape in _ANY if not op.is_join else ():
        try:
            op.infer_shape([shape] * (1 + op.values_read()))
        except OpError as error:
            if error.code in _OF_ARGUMENTS:
                found = found or error
        else:
            return None
    return found
