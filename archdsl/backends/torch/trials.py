"""Calls that a network does not have: what they compile to shows what in a class comes from which parameter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeAlias

from archdsl.backends.torch.code import items_of
from archdsl.backends.torch.formulas import STEPS
from archdsl.ir.content import content_of
from archdsl.ir.graph import Graph
from archdsl.ops.shape import Shape
from archdsl.passes.shapes import Known, Shapes, infer_shapes
from archdsl.text.source import Span

CHANNELS = "in_channels"
"""What the channels that flow into a body are called beside its parameters."""
_CHANNELS_OF = "{}_channels"
"""What those of a further value are called, whose place has a name."""
CallNumbers: TypeAlias = Mapping[str, object]

_MOST_BASES = 3
_FEW = 8
_DIGITS = re.compile(r"(?<![\w.])\d{1,5}(?![\w.])")
_LARGEST_WRITTEN, _MOST_WRITTEN = 4096, 6
_MOST_STEPS = 1000
"""How many operators may be lowered for one call that is varied."""
# The image is too small for the call, which says nothing of other images.
_UNKNOWN = Shapes(Graph("", "block", {}, (), Span(0, 0)), (), {}, {})


@dataclass(frozen=True, slots=True)
class TriedCall:
    """A call like one that the network has, but for some numbers; no table is known where it is a mistake."""

    like: Shapes
    numbers: CallNumbers
    table: Shapes | None


def numbers_of(table: Shapes) -> CallNumbers:
    """Return the numbers that a call is made of: the channels that flow in, the parameters, and other channels."""
    given = {name: value for name, value in table.graph.bindings.items() if _is_number(value)}
    places = zip(channel_names(table.graph), table.inputs, strict=True)
    channels = {name: shape.channels for name, shape in places if shape.axis is not None}
    flowing = {CHANNELS: channels.pop(CHANNELS)} if CHANNELS in channels else {}
    return {**flowing, **given, **{name: count for name, count in channels.items() if name not in given}}


def channel_names(graph: Graph) -> list[str]:
    """Name the channels of what arrives in a body, the first being what flows."""
    return [CHANNELS if i == 0 else _CHANNELS_OF.format(node.id) for i, node in enumerate(graph.inputs)]


def _is_number(value: object) -> bool:
    items = items_of(value)
    if items is not None:
        return bool(items) and all(type(item) is int for item in items)
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass
class TriedCalls:
    """Calls tried so far, and the tables that their parts have in common."""

    found: list[TriedCall] = field(default_factory=list[TriedCall])
    _known: Known = field(default_factory=dict)
    _left: int = 0
    _seen: dict[Shapes, list[CallNumbers]] = field(default_factory=dict)

    def add(self, uses: Sequence[Shapes]) -> None:
        """Try calls like those that one class serves, with other values of the numbers in which these differ."""
        numbers = [numbers_of(use) for use in uses]
        names = [name for name in numbers[0] if len({each.get(name) for each in numbers}) > 1]
        if not names:
            return
        bases = {tuple((node.names, type(node.op)) for node in use.graph.topological()): use for use in reversed(uses)}
        for base in list(bases.values())[-_MOST_BASES:]:
            own = numbers_of(base)
            if base.inputs and _comes_again(base, own):
                self._left = _MOST_STEPS
                together = _together(own, names)
                for changes in _changes(own, together, numbers):
                    self._try(base, own, changes)
                for equal in together:
                    self._step(base, own, equal)
                    if type(own[equal[0]]) is int:
                        for n in written(base.graph):
                            self._try(base, own, dict.fromkeys(equal, n))
                            self._try(base, own, dict.fromkeys(equal, n + 1))

    def _step(self, base: Shapes, own: CallNumbers, names: Sequence[str]) -> None:
        """Raise equal numbers until that is no mistake; they have to be multiples of what they then rose by."""
        value = own[names[0]]
        if type(value) is int:
            if value >= _FEW and self._table(base, {**own, **dict.fromkeys(names, 1)}) is None:
                self.found.append(TriedCall(base, {**own, **dict.fromkeys(names, 1)}, None))
            for step in STEPS:
                self._try(base, own, dict.fromkeys(names, value + step))
                if self.found and self.found[-1].table is not None:
                    return

    def _try(self, base: Shapes, own: CallNumbers, changes: CallNumbers) -> None:
        """Try a call with all numbers given, and where that is a mistake one that leaves others to their defaults."""
        numbers = {**own, **changes}
        if self._left <= 0 or numbers in self._seen.setdefault(base, []):
            return
        self._seen[base].append(numbers)
        table = self._table(base, numbers)
        if table is _UNKNOWN:
            return
        self.found.append(TriedCall(base, numbers, table))
        free = self._table(base, changes) if table is None else None
        if free is not None and free is not _UNKNOWN:
            self.found.append(TriedCall(base, numbers_of(free), free))

    def _table(self, base: Shapes, numbers: CallNumbers) -> Shapes | None:
        """Return what a call compiles to, None where it is a mistake."""
        assert base.graph.again is not None
        entering: list[Shape] = []
        for name, shape in zip(channel_names(base.graph), base.inputs, strict=True):
            channels = numbers.get(name, shape.channels) if shape.axis is not None else 1
            if not isinstance(channels, int) or channels < 1:
                return None
            entering.append(shape if shape.axis is None else shape.with_channels(channels))
        graph = base.graph.again({name: numbers[name] for name in numbers if name in base.graph.bindings}, entering)
        self._left -= (graph or base.graph).size
        if graph is None:
            return None
        made = infer_shapes(graph, entering, self._known)
        return _UNKNOWN if made.misfits else made.shapes


def _comes_again(base: Shapes, own: CallNumbers) -> bool:
    """Return whether the same call made once more is the same: nobody rewrote what it compiled to."""
    graph = base.graph
    parameters = {name: value for name, value in own.items() if name in graph.bindings}
    again = graph.again(parameters, base.inputs) if graph.again is not None else None
    return again is not None and content_of(again, is_bare=True) == content_of(graph, is_bare=True)


def _together(own: CallNumbers, names: Sequence[str]) -> list[Sequence[str]]:
    """List the numbers to change: each alone, and those that are equal, which may have to stay so."""
    equal = [[name for name in names if own[name] == value] for value in dict.fromkeys(own[name] for name in names)]
    return [*([name] for name in names), *(group for group in equal if len(group) > 1)]


def _changes(
    own: CallNumbers, together: Sequence[Sequence[str]], every: Iterable[CallNumbers]
) -> Iterator[CallNumbers]:
    """Yield what to change: a number or equal ones, two that become equal or grow together, and all."""
    others = list(every)
    for names in together:
        used = dict.fromkeys(numbers.get(names[0]) for numbers in others)
        for value in dict.fromkeys([*_values(own[names[0]]), *list(used)[:_MOST_BASES]]):
            if value != own[names[0]]:
                yield dict.fromkeys(names, value)
    whole = [names[0] for names in together if len(names) == 1 and type(own[names[0]]) is int]
    for pair in combinations(whole, 2):
        yield from ({name: _scaled(own[name], factor) for name in pair} for factor in (2, 3))
        yield from ({name: own[other]} for name, other in (pair, pair[::-1]) if own[name] != own[other])
        yield from (dict.fromkeys(pair, _scaled(own[pair[0]], factor)) for factor in (1, 5))
        yield from (dict.fromkeys(pair, _scaled(own[pair[0]], 1) + more) for more in (4, 20))
        # Even ones as a rule become odd, and their sum stays even.
        yield {name: _scaled(own[name], 1) + more for name, more in zip(pair, (1, 3), strict=True)}
    for factor in (2, 3):
        yield {name: _scaled(own[name], factor) for name in whole}


def written(graph: Graph) -> list[int]:
    """List the whole numbers in the text of a block and of those it calls, where conditions may turn."""
    texts = {body.span.text for body in graph.bodies() if body.kind == "block"}
    found = {int(digits) for text in texts for digits in _DIGITS.findall(text)}
    return sorted(n for n in found if 1 < n <= _LARGEST_WRITTEN)[:_MOST_WRITTEN]


def _values(value: object) -> Iterator[object]:
    """Yield other values of a number: none, one, the next, and multiples, which divide as it does."""
    items = items_of(value)
    if items is not None:
        for index, item in enumerate(items):
            yield (*items[:index], _scaled(item, 2), *items[index + 1 :])
            yield (*items[:index], _scaled(item, 3), *items[index + 1 :])
    elif isinstance(value, int):
        # One channel goes with any number of them, which would hide what has to be equal.
        yield from (0, 1 if value < _FEW else 2, 2 * value, 3 * value)
        if value >= _FEW:
            yield from (value + 4, value + 22, value + 39)
    elif isinstance(value, float):
        yield from (-0.5, 0.0, value / 2, value / 4 + 0.1, 1.0, 1.5)


def _scaled(value: object, factor: int) -> int:
    assert isinstance(value, int)
    return value * factor
