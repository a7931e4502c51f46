"""Operators as calls of the language."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from types import MappingProxyType
from typing import cast

from pydantic import ValidationError

from archdsl.ops.base import Init, Op, ValueAt
from archdsl.ops.init import INITS
from archdsl.syntax import tree
from archdsl.text.source import Span

NOWHERE = Span(0, 0)
"""The place of all that is written for a graph, until it is text."""


class Unsayable(Exception):
    """What the language has no words for."""


def name(text: str) -> tree.Name:
    """Return a word of the text."""
    return tree.Name(text, NOWHERE)


def call(op: Op, read: Mapping[int, tree.Expression] = MappingProxyType({})) -> tree.Call:
    """Return the call that makes an operator, with the arguments that differ from the defaults.

    `read` is how the values are written that attributes name, by their places among what the operator reads.
    """
    return tree.Call(name(op.keyword), arguments(op, read), None, NOWHERE)


def arguments(op: Op, read: Mapping[int, tree.Expression] = MappingProxyType({})) -> tuple[tree.Argument, ...]:
    """Return an operator's arguments: those that it needs by their places, the others by the shortest name."""
    short = {full: key for key, full in op.aliases.items()}
    found: list[tree.Argument] = []
    is_placed = True
    for field, info in type(op).model_fields.items():
        value = getattr(op, field)
        is_placed &= info.is_required()
        if not info.is_required() and value == info.get_default(call_default_factory=True):
            continue
        if field == op.open_attribute:
            found += [tree.Argument(name(key), expression(item), NOWHERE) for key, item in value]
            continue
        key = None if is_placed else name(short.get(field, field))
        written = read[value.input] if isinstance(value, ValueAt) else expression(_one_for_both(op, field, value))
        found.append(tree.Argument(key, written, NOWHERE))
    return tuple(found)


def _one_for_both(op: Op, field: str, value: object) -> object:
    """Return one number where it stands for both axes."""
    if not isinstance(value, tuple):
        return value
    items = cast("tuple[object, ...]", value)
    if len(items) != 2 or items[0] != items[1]:
        return items
    fields = {key: getattr(op, key) for key in type(op).model_fields}
    try:
        return items[0] if type(op)(**{**fields, field: items[0]}) == op else items
    except ValidationError:
        return items


def expression(value: object) -> tree.Expression:
    """Return the expression of an attribute's value."""
    if isinstance(value, Init):
        return _initial(value)
    if isinstance(value, bool):
        return tree.Literal(value, NOWHERE)
    if isinstance(value, int | float):
        if not isfinite(value):
            raise Unsayable(f"the number {value}")
        literal = tree.Literal(abs(value), NOWHERE)
        return tree.Unary("-", literal, NOWHERE) if value < 0 else literal
    if isinstance(value, str):
        return tree.Variable(value, NOWHERE) if value.isidentifier() else tree.Literal(value, NOWHERE)
    if isinstance(value, tuple):
        return tree.ListOf(tuple(map(expression, cast("tuple[object, ...]", value))), NOWHERE)
    raise Unsayable(f"the value {value!r}")


def _initial(init: Init) -> tree.Expression:
    function = INITS.get(init.function.removesuffix("_"))
    if function is None:
        raise Unsayable(f"the initial values {init.function!r}")
    ours = {theirs: own for own, theirs in function.torch_names.items()}
    given = [tree.Argument(name(ours.get(key, key)), expression(value), NOWHERE) for key, value in init.arguments]
    if not given:
        return tree.Variable(function.keyword, NOWHERE)
    return tree.Apply(name(function.keyword), tuple(given), NOWHERE)
