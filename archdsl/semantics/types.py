"""The types that parameters can name."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from archdsl.ir.trouble import Trouble
from archdsl.semantics.values import (
    Closure,
    LevelValue,
    Partial,
    Setting,
    Unknown,
    describe,
    flowing_in,
    is_value,
    kind_of,
)
from archdsl.syntax import tree
from archdsl.text.edits import renamed
from archdsl.text.source import Span
from archdsl.text.suggest import nearest

_TYPES: Mapping[str, tuple[type[Any], ...]] = {
    "int": (int,),
    "stride": (int,),
    "float": (int, float, Fraction),
    "bool": (bool,),
    "str": (str,),
    "list": (tuple,),
    "block": (Partial,),
    "body": (Closure,),
    "value": (LevelValue,),
}


def check_type(parameter: tree.Parameter, value: Setting, span: Span) -> None:
    """Raise Trouble unless a value has the type that a parameter names."""
    if parameter.type is None:
        return
    name = parameter.type.text
    expected = _TYPES.get(name)
    if expected is None:
        near = nearest(name, list(_TYPES))
        help = f"the nearest type is `{near}`" if near else "types are " + ", ".join(f"`{item}`" for item in _TYPES)
        fix = renamed(parameter.type.span, name, near)
        raise Trouble("E101", f"no type is called `{name}`", parameter.type.span, help=help, fix=fix)
    is_truth = isinstance(value, bool)
    if not isinstance(value, expected) or (is_truth and name != "bool"):
        message = f"`{parameter.name.text}` is {describe(value)}, {kind_of(value)}, where {_kind(name)} is needed"
        raise Trouble("E104", message, span, help=_as_wanted(name, value))


def check_settled(name: str, value: Setting, span: Span) -> None:
    """Raise Trouble where a value that flows is given to a name of the context, which holds in many levels."""
    if next(flowing_in(value), None) is not None:
        message = f"`{name}` is a name of the context, which holds no value that flows"
        raise Trouble(
            "E128", message, span, help="hand it to a block's parameter of type `value`, or bind it with `let`"
        )


def check_stays_callable(name: str, usual: Setting | Unknown, value: Setting, span: Span) -> None:
    """Raise Trouble where a name that steps call, such as `norm`, is given what no step can call."""
    if not isinstance(usual, Partial) or isinstance(value, Partial | Closure):
        return
    message = f"`{name}` is called as a step, and {describe(value)} is {kind_of(value)}"
    help = f"give it an operator or a block, such as `{name}={usual.name}`"
    if isinstance(value, str):
        help = f"write it without quotes: `{name}={value}`"
    raise Trouble("E104", message, span, help=help)


def _as_wanted(name: str, value: Setting) -> str:
    """Say how a value is written where a list of values is needed, or the other way round."""
    if name == "list" and isinstance(value, LevelValue):
        return f"write a list: `[{describe(value)}]`"
    if name == "value" and isinstance(value, tuple) and len(value) == 1 and is_value(value):
        return f"write `{describe(value[0])}`, without brackets"
    return ""


def _kind(name: str) -> str:
    kinds = {"int": "a whole number", "stride": "a whole number", "float": "a number", "bool": "true or false"}
    kinds["value"] = "a value such as `@name`"
    return kinds.get(name, {"str": "a word", "list": "a list", "block": "a block or an operator"}.get(name, "a body"))
