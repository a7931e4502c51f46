"""What a value looks like without the numbers that are traced in it: the key of what is noted once for all of them."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# Traced numbers pass for plain ones, which no type can say.

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from archdsl.ops.base import Init
from archdsl.ops.shape import Dim, Shape
from archdsl.semantics.context import Context, Outside
from archdsl.semantics.values import LocalFunction, Partial
from archdsl.tracing.recorder import Traced, Untraceable

_PLAIN = (bool, int, float, Fraction, str, Dim, Init, type(None))


def rebuilt(value: Any, leaf: Callable[[Traced], Any]) -> Any:
    """Return a value with `leaf` of each traced number in it, in a certain order.

    Errors: Untraceable where it holds what belongs to one run, such as a value that flows
    """
    if isinstance(value, Traced):
        return leaf(value)
    if isinstance(value, Shape):
        return Shape(*[rebuilt(size, leaf) for size in value], axis=value.axis, is_named=value.is_named)
    if type(value) is tuple:
        return tuple([rebuilt(item, leaf) for item in value])
    if isinstance(value, Partial):
        return replace(value, arguments=rebuilt(value.arguments, leaf)) if value.arguments else value
    if isinstance(value, LocalFunction):
        return replace(value, read=rebuilt(value.read, leaf))
    if isinstance(value, Context):
        return _context(value, leaf)
    if isinstance(value, dict):
        return {key: rebuilt(item, leaf) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, _PLAIN):
        return value
    raise Untraceable(f"a {type(value).__name__}")


def _context(context: Context, leaf: Callable[[Traced], Any]) -> Context:
    parts = context.wishes, context.orders, context.argument_wishes, context.argument_orders, context.base
    made, outside = Context(*rebuilt(parts, leaf)), context.outside
    if outside is None:
        return made
    # What is taken is told by identity, so what the context holds and the settings from outside have to be the same.
    values = dict(outside.values)
    for (name, before), (_, now) in zip(context.orders, made.orders, strict=True):
        if values.get(name) is before:
            values[name] = now  # pyright: ignore[reportArgumentType]
    for ((target, key), before), (_, now) in zip(context.argument_orders, made.argument_orders, strict=True):
        if values.get(f"{target}.{key}") is before:
            values[f"{target}.{key}"] = now  # pyright: ignore[reportArgumentType]
    return replace(made, outside=Outside(values, outside.places))


def own_names(names: Mapping[str, Any], context: Context) -> tuple[str, ...]:
    """List the names that hold what a setting from outside gave."""
    outside = context.outside
    return tuple([name for name in names if outside is not None and outside.values.get(name) is names[name]])


def with_own(context: Context, own: Sequence[str], names: Mapping[str, Any]) -> Context:
    """Return a context that knows the values of names as those of settings from outside."""
    outside = context.outside
    if outside is None or not own:
        return context
    values = {**outside.values, **{name: names[name] for name in own}}
    return replace(context, outside=Outside(values, outside.places))


def traced_in(value: Any) -> list[Traced]:
    """Return the traced numbers in a value, in the order of `rebuilt`."""
    found: list[Traced] = []

    def take(traced: Traced) -> Traced:
        found.append(traced)
        return traced

    rebuilt(value, take)
    return found


def holds_traced(value: Any) -> bool:
    """Return whether a value holds a traced number."""
    if isinstance(value, Traced):
        return True
    if type(value) is tuple or isinstance(value, Shape):
        return any(map(holds_traced, value))
    if isinstance(value, Partial):
        return any(holds_traced(item) for _, item in value.arguments)
    if isinstance(value, LocalFunction):
        return any(holds_traced(item) for _, item in value.read)
    if isinstance(value, Context):
        parts = (value.orders, value.argument_orders, value.wishes, value.argument_wishes)
        return any(holds_traced(item) for part in parts for _, item in part)
    return False


def key_of(value: Any) -> Any:
    """Return what equal skeletons have in common: the value with each traced number's type in its place."""
    if isinstance(value, Traced):
        return type(value)
    if isinstance(value, Shape):
        return Shape, value.axis, value.is_named, tuple([key_of(size) for size in value])
    if type(value) is tuple:
        return tuple([key_of(item) for item in value])
    if isinstance(value, Partial):
        return Partial, value.target, key_of(value.arguments)
    if isinstance(value, LocalFunction):
        return LocalFunction, id(value.function), key_of(value.read)
    if isinstance(value, Context):
        parts = (value.wishes, value.orders, value.argument_wishes, value.argument_orders, value.base)
        return Context, key_of(parts)
    if isinstance(value, dict):
        return tuple([(key, key_of(item)) for key, item in value.items()])  # pyright: ignore[reportUnknownVariableType]
    return type(value), value
