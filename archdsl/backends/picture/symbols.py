"""One description for several calls of a block: numbers that differ are written in the block's own parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeAlias, TypeGuard

from archdsl.backends.words import is_silent, number
from archdsl.ops.description import Term

INPUT_CHANNELS = "cin"
"""The language's word for the channels that enter a block, which a description may use like a parameter."""

Numbers: TypeAlias = tuple[float, ...]


@dataclass(slots=True)
class Symbols:
    """The numbers that a block's calls bind, by parameter, a value per call; `used` are those a description needed."""

    bindings: Mapping[str, Numbers] = field(default_factory=dict[str, Numbers])
    used: dict[str, None] = field(default_factory=dict[str, None])

    @property
    def names(self) -> list[str]:
        """List the parameters that are used, in the order that the block declares them."""
        return [name for name in self.bindings if name in self.used and name != INPUT_CHANNELS]

    def spell(self, calls: Sequence[tuple[Term, ...]]) -> str:
        """Write the descriptions of one operator in every call as one.

        Requires: descriptions that differ in values only.
        """
        return "".join(self._term(terms) for terms in zip(*calls, strict=True))

    def _term(self, terms: Sequence[Term]) -> str:
        first = terms[0]
        if first.value is None:
            return first.form
        values = tuple(term.value for term in terms if term.value is not None)
        if len(set(values)) == 1:
            return "" if is_silent(first) else first.form.format(number(first.value))
        return first.form.format(self._symbol(values))

    def _symbol(self, values: Numbers) -> str:
        for text, names, candidate in self._candidates(values):
            if candidate == values:
                self.used.update(dict.fromkeys(names))
                return text
        low, high = min(values), max(values)
        return f"{number(low)}…{number(high)}"

    def _candidates(self, values: Numbers) -> Iterator[tuple[str, tuple[str, ...], Numbers]]:
        for name, bound in self.bindings.items():
            if bound[0] and isinstance(values[0], int) and not values[0] % bound[0]:
                factor = values[0] // bound[0]
                text = name if factor == 1 else f"{number(factor)}·{name}"
                yield text, (name,), tuple(factor * b for b in bound)
        for name, bound in self.bindings.items():
            if values[0] and isinstance(bound[0], int) and isinstance(values[0], int) and not bound[0] % values[0]:
                factor = bound[0] // values[0]
                yield f"{name}/{factor}", (name,), tuple(b / factor for b in bound)
        for (one, left), (two, right) in combinations(self.bindings.items(), 2):
            yield f"{one}·{two}", (one, two), tuple(a * b for a, b in zip(left, right, strict=True))


def common_bindings(calls: Sequence[Mapping[str, object]]) -> dict[str, Numbers]:
    """Return the numbers that every call binds, and that are not the same in all of them."""
    found: dict[str, Numbers] = {}
    for name in calls[0]:
        values = tuple(v for call in calls if is_number(v := call.get(name)))
        if len(values) == len(calls) and len(set(values)) > 1:
            found[name] = values
    return found


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a value bound in a spec is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def listed(values: Numbers) -> str:
    """List the values of a parameter over the calls, each once."""
    distinct = sorted(set(values))
    if len(distinct) > 5:
        return f"{number(distinct[0])} … {number(distinct[-1])}"
    return ", ".join(map(number, distinct))
