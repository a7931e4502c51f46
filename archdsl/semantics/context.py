"""The context: what `norm`, `act` and operators' arguments default to at a place.

A `defaults` is a wish, and the nearest one holds. A name given on a call, or as a setting from outside, is an order:
the nearest order holds, and goes before every wish.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias, TypeVar

from archdsl.semantics.values import Setting, Unknown
from archdsl.text.source import Span

Evaluated: TypeAlias = "Setting | Unknown"

K = TypeVar("K")


@dataclass(frozen=True, slots=True, eq=False)
class Outside:
    """What is set from outside, by name or `operator.argument`, and what of it has been taken."""

    values: Mapping[str, Setting]
    places: Mapping[str, Span]
    """Where each was written."""
    taken: set[str] = field(default_factory=set[str])


@dataclass(frozen=True)
class Context:
    """Immutable, and equal when it means the same, so that it can be part of a key."""

    wishes: tuple[tuple[str, Evaluated], ...] = ()
    orders: tuple[tuple[str, Evaluated], ...] = ()
    argument_wishes: tuple[tuple[tuple[str, str], Evaluated], ...] = ()
    argument_orders: tuple[tuple[tuple[str, str], Evaluated], ...] = ()
    base: tuple[tuple[str, Evaluated], ...] = ()
    """What holds where nobody wishes anything: the prelude's defaults."""
    outside: Outside | None = field(default=None, compare=False, repr=False)
    """The settings from outside; not part of what the context means."""

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.wishes, self.orders, self.argument_wishes, self.argument_orders, self.base))

    @cached_property
    def _values(self) -> Mapping[str, Evaluated]:
        return {**dict(self.base), **dict(self.wishes), **dict(self.orders)}

    @cached_property
    def _arguments(self) -> Mapping[str, Mapping[str, Evaluated]]:
        found: dict[str, dict[str, Evaluated]] = {}
        for (target, key), value in (*self.argument_wishes, *self.argument_orders):
            found.setdefault(target, {})[key] = value
        return found

    def get(self, name: str) -> Evaluated | None:
        """Return a name's value in this context; None if it has none."""
        return self._values.get(name)

    def take(self, name: str, value: Evaluated | None) -> Evaluated | None:
        """Return a value that was found for a name, after noting that it is that of a setting, if it is."""
        if self.outside is not None and value is not None and self.outside.values.get(name) is value:
            self.outside.taken.add(name)
        return value

    def names(self) -> tuple[str, ...]:
        return tuple(self._values)

    def arguments(self, target: str) -> Mapping[str, Evaluated]:
        """Return the default arguments of an operator or block."""
        return self._arguments.get(target, {})

    def wish(self, values: Mapping[str, Evaluated], arguments: Mapping[tuple[str, str], Evaluated]) -> Context:
        """Return the context after a `defaults`."""
        wishes = _merged(self.wishes, values)
        return replace(self, wishes=wishes, argument_wishes=_merged(self.argument_wishes, arguments))

    def over(self, base: Context) -> Context:
        """Return this context with another's wishes as what holds where nobody wishes anything."""
        return replace(self, base=base.wishes)

    def order(
        self, values: Mapping[str, Evaluated], arguments: Mapping[tuple[str, str], Evaluated] | None = None
    ) -> Context:
        """Return the context inside a call, or below a setting, that gives these values."""
        orders = _merged(self.orders, values)
        return replace(self, orders=orders, argument_orders=_merged(self.argument_orders, arguments or {}))

    def fallback(self, other: Context) -> Context:
        """Return this context with another's wishes for what it does not mention."""
        known = {name for name, _ in (*self.wishes, *self.orders)}
        wishes = {name: value for name, value in other.wishes if name not in known}
        mentioned = {key for key, _ in (*self.argument_wishes, *self.argument_orders)}
        arguments = {key: value for key, value in other.argument_wishes if key not in mentioned}
        return self.wish(wishes, arguments) if wishes or arguments else self


def _merged(old: tuple[tuple[K, Evaluated], ...], new: Mapping[K, Evaluated]) -> tuple[tuple[K, Evaluated], ...]:
    return tuple(sorted({**dict(old), **new}.items(), key=lambda item: str(item[0]))) if new else old
