"""The functions of the expression language. Those that can be written in it are in the prelude instead."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from archdsl.semantics.values import Number, Setting, shown

MAX_LENGTH = 10_000
MAX_BITS = 256


class FunctionError(Exception):
    """A function's arguments do not fit it."""


def _numbers(values: Sequence[Setting]) -> list[Number]:
    found: list[Number] = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
            raise FunctionError(f"takes numbers, not {shown(value)}")
        found.append(value)
    return found


def _extreme(choose: Callable[[list[Number]], Number]) -> Callable[..., Setting]:
    def apply(*values: Setting) -> Setting:
        items = values[0] if len(values) == 1 and isinstance(values[0], tuple) else values
        if not items:
            raise FunctionError("takes at least one number")
        return choose(_numbers(items))

    return apply


def _of_number(function: Callable[[Any], Number]) -> Callable[..., Setting]:
    def apply(*values: Setting) -> Setting:
        if len(values) != 1:
            raise FunctionError(f"takes one number, not {len(values)} values")
        (number,) = _numbers(values)
        return function(number)

    return apply


def _of_list(function: Callable[[tuple[Setting, ...]], Setting]) -> Callable[..., Setting]:
    def apply(*values: Setting) -> Setting:
        if len(values) != 1 or not isinstance(values[0], tuple):
            given = shown(values[0]) if len(values) == 1 else f"{len(values)} values"
            raise FunctionError(f"takes one list, not {given}")
        return function(values[0])

    return apply


def _zip(*values: Setting) -> Setting:
    lists: list[tuple[Setting, ...]] = []
    for value in values:
        if not isinstance(value, tuple):
            raise FunctionError(f"takes lists, not {shown(value)}")
        lists.append(value)
    if len({len(items) for items in lists}) != 1:
        lengths = " and ".join(str(len(items)) for items in lists)
        raise FunctionError(f"takes lists of one length, not of {lengths} items" if lists else "takes lists")
    return tuple(zip(*lists, strict=True))


def _unique(items: tuple[Setting, ...]) -> Setting:
    return tuple(dict.fromkeys(items))


def _repeat(*values: Setting) -> Setting:
    match values:
        case (value, int() as count) if 0 <= count <= MAX_LENGTH:
            return (value,) * count
        case _:
            raise FunctionError(f"takes a value and a count of at most {MAX_LENGTH:,}")


FUNCTIONS: Mapping[str, Callable[..., Setting]] = MappingProxyType(
    {
        "min": _extreme(min),
        "max": _extreme(max),
        "abs": _of_number(abs),
        "floor": _of_number(math.floor),
        "ceil": _of_number(math.ceil),
        # Python's rounding, as in the reference implementations: halves go to the even neighbour.
        "round": _of_number(round),
        "sqrt": _of_number(math.sqrt),
        "exp": _of_number(math.exp),
        "log": _of_number(math.log),
        "log2": _of_number(math.log2),
        "sin": _of_number(math.sin),
        "cos": _of_number(math.cos),
        "tan": _of_number(math.tan),
        "len": _of_list(len),
        "sum": _of_list(lambda items: sum(_numbers(items))),
        "reversed": _of_list(lambda items: items[::-1]),
        "unique": _of_list(_unique),
        "zip": _zip,
        "repeat": _repeat,
    }
)


NUMBERS: Mapping[str, Number] = MappingProxyType({"pi": math.pi})
"""Numbers that have a name, unless the spec gives it to something else."""


def arithmetic(operator: str, left: Number, right: Number) -> Number:
    """Compute on numbers; raise FunctionError with the reason where there is no result.

    `/` of whole numbers is exact: a whole number, or a fraction that only `ceil`, `floor`, `round` and places that take
    any number accept.
    """
    try:
        match operator:
            case "+":
                result = left + right
            case "-":
                result = left - right
            case "*":
                result = left * right
            case "//":
                result = left // right
            case "%":
                result = left % right
            case "/":
                is_exact = not isinstance(left, float) and not isinstance(right, float)
                result = Fraction(left) / Fraction(right) if is_exact else left / right
            case _:
                if abs(right) * max(_bits(left), 1) > MAX_BITS:
                    raise FunctionError("the result is too large")
                result = left**right
    except ZeroDivisionError:
        raise FunctionError("division by zero") from None
    except OverflowError:
        raise FunctionError("the result is too large") from None
    if isinstance(result, complex) or (isinstance(result, float) and not math.isfinite(result)):
        raise FunctionError("the result is no finite number")
    if _bits(result) > MAX_BITS:
        raise FunctionError("the result is too large")
    return int(result) if isinstance(result, Fraction) and result.denominator == 1 else result


def _bits(value: Number) -> int:
    if isinstance(value, float):
        return 1
    return max(value.numerator.bit_length(), value.denominator.bit_length())
