"""What translated expressions compute with: evaluation's arithmetic and functions, quick for plain numbers.

All of them raise Untraceable for what evaluation refuses.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportArgumentType=false
# Whatever an expression makes comes in, and is looked at here.

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from archdsl.ir.trouble import Trouble
from archdsl.semantics.env import Budget
from archdsl.semantics.functions import FUNCTIONS, MAX_BITS, MAX_LENGTH, FunctionError, arithmetic
from archdsl.text.source import NOWHERE, Span
from archdsl.tracing.recorder import Untraceable

_SAFE = 2**62
"""Whole numbers up to here need no exact arithmetic to be asked whether they are too large."""

_NUMBERS = frozenset({int, float, Fraction})


def _mistake() -> Untraceable:
    return Untraceable("an expression has no value")


def _computing(sign: str, compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(left: Any, right: Any) -> Any:
        kinds = type(left), type(right)
        if kinds == _INTS:
            value = compute(left, right)
            if -_SAFE < value < _SAFE:
                return value
        elif float in kinds and kinds in _FLOATS:
            value = compute(left, right)
            if math.isfinite(value):
                return value
        return computed(sign, left, right)

    return apply


_INTS = (int, int)
_FLOATS = frozenset({(float, float), (int, float), (float, int)})


def computed(sign: str, left: Any, right: Any) -> Any:
    """Return what evaluation computes of two values."""
    if type(left) is tuple and type(right) is tuple and sign == "+":
        return held(left + right)
    if type(left) not in _NUMBERS or type(right) not in _NUMBERS:
        raise _mistake()
    try:
        return arithmetic(sign, left, right)
    except FunctionError:
        raise _mistake() from None


def _divided(left: Any, right: Any) -> Any:
    if type(left) is int and type(right) is int and right:
        whole, rest = divmod(left, right)
        if not rest or (-_SAFE < left < _SAFE and -_SAFE < right < _SAFE):
            return Fraction(left, right) if rest else whole
    elif right and (type(left), type(right)) in _FLOATS:
        value = left / right
        if math.isfinite(value):
            return value
    return computed("/", left, right)


def _raised(left: Any, right: Any) -> Any:
    if type(left) is float and type(right) is int and -MAX_BITS <= right <= MAX_BITS:
        try:
            value = left**right
        except (OverflowError, ZeroDivisionError):
            raise _mistake() from None
        if math.isfinite(value):
            return value
    return computed("**", left, right)


def _whole(sign: str, compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(left: Any, right: Any) -> Any:
        if type(left) is int and type(right) is int and right:
            return compute(left, right)
        return computed(sign, left, right)

    return apply


def _comparing(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def apply(left: Any, right: Any) -> bool:
        if type(left) in _NUMBERS and type(right) in _NUMBERS:
            return compare(left, right)
        raise _mistake()

    return apply


def _equal(left: Any, right: Any) -> bool:
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _unequal(left: Any, right: Any) -> bool:
    return not _equal(left, right)


def truth(value: Any) -> bool:
    """Return a condition's value."""
    if value is True or value is False:
        return value
    raise _mistake()


def number(value: Any) -> Any:
    """Return a number."""
    if type(value) in _NUMBERS:
        return value
    raise _mistake()


def negated(value: Any) -> Any:
    """Return a number with the other sign."""
    return -number(value)


def held(items: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a list, unless it is too long."""
    if len(items) > MAX_LENGTH or tuple in {*map(type, items)}:
        try:
            Budget().hold(items, Span(0, 0, NOWHERE))
        except Trouble:
            raise _mistake() from None
    return items


def item(items: Any, position: Any) -> Any:
    """Return an item of a list, or a list of items."""
    if type(items) is not tuple:
        raise _mistake()
    if type(position) is tuple:
        return held(tuple([item(items, one) for one in position]))
    if type(position) is not int or not -len(items) <= position < len(items):
        raise _mistake()
    return items[position]


def counted(first: Any, last: Any) -> tuple[int, ...]:
    """Return the whole numbers of a range, both ends included."""
    if type(first) is not int or type(last) is not int or last - first >= MAX_LENGTH:
        raise _mistake()
    return tuple(range(first, last + 1))


def turning(spent: list[int], allowance: int) -> dict[str, Any]:
    """Return what goes through lists, and counts in `spent` how much of a compilation's budget that takes."""

    def turns(items: Any, weight: int, is_needed: bool) -> tuple[Any, ...]:
        if type(items) is not tuple or (is_needed and not items):
            raise _mistake()
        spent[0] += weight * len(items)
        if spent[0] > allowance:
            raise Untraceable("an expression takes much longer than it did")
        return items

    def unpacked(items: Any, count: int, weight: int, is_needed: bool) -> tuple[Any, ...]:
        for one in turns(items, weight, is_needed):
            if type(one) is not tuple or len(one) != count:
                raise _mistake()
        return items

    return {"turns": turns, "unpacked": unpacked}


def builtin(name: str) -> Callable[..., Any]:
    """Return a function of the language."""
    made = _BUILTINS.get(name)
    if made is None:
        function = FUNCTIONS[name]

        def apply(*values: Any) -> Any:
            try:
                value = function(*values)
            except (FunctionError, ValueError, OverflowError):
                raise _mistake() from None
            return held(value) if type(value) is tuple else value

        made = _BUILTINS[name] = apply
    return made


_BUILTINS: dict[str, Callable[..., Any]] = {}


def _quick(name: str, compute: Callable[..., Any]) -> Callable[..., Any]:
    slow = builtin(name)

    def apply(value: Any) -> Any:
        if type(value) is float or type(value) is int:
            try:
                return compute(value)
            except (ValueError, OverflowError):
                raise _mistake() from None
        return slow(value)

    return apply


def _quick_extreme(name: str, choose: Callable[..., Any]) -> Callable[..., Any]:
    slow = builtin(name)

    def apply(*values: Any) -> Any:
        if len(values) == 2 and type(values[0]) in _NUMBERS and type(values[1]) in _NUMBERS:
            return choose(values[0], values[1])
        return slow(*values)

    return apply


def _quick_len(value: Any) -> int:
    if type(value) is tuple:
        return len(value)
    raise _mistake()


HELPERS: dict[str, Any] = {
    "plus": _computing("+", lambda a, b: a + b),
    "minus": _computing("-", lambda a, b: a - b),
    "times": _computing("*", lambda a, b: a * b),
    "over": _divided,
    "floored": _whole("//", lambda a, b: a // b),
    "rest": _whole("%", lambda a, b: a % b),
    "power": _raised,
    "equal": _equal,
    "unequal": _unequal,
    "less": _comparing(lambda a, b: a < b),
    "less_equal": _comparing(lambda a, b: a <= b),
    "more": _comparing(lambda a, b: a > b),
    "more_equal": _comparing(lambda a, b: a >= b),
    "truth": truth,
    "number": number,
    "negated": negated,
    "held": held,
    "item": item,
    "counted": counted,
    "quick_min": _quick_extreme("min", min),
    "quick_max": _quick_extreme("max", max),
    "quick_len": _quick_len,
    **{
        f"quick_{name}": _quick(name, compute)
        for name, compute in {
            "round": round, "floor": math.floor, "ceil": math.ceil, "log": math.log, "log2": math.log2,
            "exp": math.exp, "sqrt": math.sqrt, "abs": abs,
        }.items()
    },
}  # fmt: skip
