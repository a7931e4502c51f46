"""Which modules of a file can stand for which of a network: every way in which the file's tree has them in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from archdsl.weights.outline import FileLevel, Need, chains, split_number

# Returns what it costs that a module of the file stands for the network's at a place; None where it cannot.
Fit: TypeAlias = Callable[[int, FileLevel], "int | None"]
# For each place in the network, which of the file's modules stand there in one way or another of those that cost least.
Images: TypeAlias = "tuple[frozenset[int], ...]"

_SKIPPED = 1_000
"""What it costs that a module of either side has no partner, much more than one of another size."""
_MOST_STEPS = 30_000
_NONE = frozenset({-1})


class TooManyWaysError(Exception):
    """There are more ways than are looked through."""


@dataclass(frozen=True, slots=True)
class _Ways:
    """The ways to place some modules one behind the other that cost least."""

    cost: int
    images: Images

    def then(self, other: _Ways) -> _Ways:
        return _Ways(self.cost + other.cost, self.images + other.images)

    def skip(self, count: int) -> _Ways:
        return _Ways(self.cost + _SKIPPED * count, self.images)

    def or_else(self, other: _Ways | None) -> _Ways:
        if other is None or self.cost < other.cost:
            return self
        if other.cost < self.cost:
            return other
        return _Ways(self.cost, tuple(one | two for one, two in zip(self.images, other.images, strict=True)))


def align(needs: Sequence[Need], root: FileLevel, fit: Fit, *, in_order: bool) -> dict[int, int]:
    """Return which module of a file, counted as `root.walk()` has them, stands for which of the network's, by place.

    Modules of a state_dict are a tree, in which those of a level stand together. A way puts the levels of the file
    into an order, so that one module after another fits the network's: with `in_order` the file's own order, else any
    in which names that only a number tells apart go by that number. Only what is the same in all ways that cost least
    is returned. Modules may lack a partner at the network's end, and at the file's first levels that branch.

    Errors: TooManyWaysError
    """
    search = _Search(needs, root, fit, in_order)
    best: _Ways | None = None
    for end, ways in search.place(root, 0).items():
        left = len(needs) - end
        best = _Ways(ways.cost, ways.images + (_NONE,) * left).skip(left).or_else(best)
    images = best.images if best is not None else ()
    return {place: module for place, image in enumerate(images) if len(image) == 1 for module in image if module >= 0}


class _Search:
    """Places levels of a file, and remembers how."""

    def __init__(self, needs: Sequence[Need], root: FileLevel, fit: Fit, in_order: bool) -> None:
        self._needs, self._fit, self._in_order = needs, fit, in_order
        self._number = {id(level): number for number, level in enumerate(root.walk())}
        self._places: dict[tuple[int, int], dict[int, _Ways]] = {}
        self._steps = 0
        top = root
        while not top.parts and len(top.below) == 1:
            (top,) = top.below.values()
        self._open = {id(level) for level in (top, *top.below.values())}
        """Levels of which parts may be left out: the first that branches, and those right below it."""

    def place(self, level: FileLevel, start: int) -> dict[int, _Ways]:
        """Return the ways to place a level from a place on, by the place behind it."""
        known = self._places.get((id(level), start))
        if known is None:
            known = self._places[id(level), start] = self._place(level, start)
        return known

    def _place(self, level: FileLevel, start: int) -> dict[int, _Ways]:
        ways = _Ways(0, ())
        if level.parts:
            cost = self._fit(start, level) if start < len(self._needs) else None
            if cost is None:
                return {}
            ways = _Ways(cost, (frozenset({self._number[id(level)]}),))
            start += 1
        groups = [list(level.below)] if self._in_order else chains(list(level.below))
        # How many of each group are placed, by how many those are in all, with the ways to have done so by their end.
        reached: list[dict[tuple[int, ...], dict[int, _Ways]]] = [{} for _ in range(len(level.below) + 1)]
        reached[0][(0,) * len(groups)] = {start: ways}
        for total, states in enumerate(reached):
            for counts, found in states.items():
                for at, (names, count) in enumerate(zip(groups, counts, strict=True)):
                    for taken, after in self._next(level, names[count:], found, is_first=count == 0):
                        state = (*counts[:at], count + taken, *counts[at + 1 :])
                        _merge(reached[total + taken].setdefault(state, {}), after)
        for found in reached[-1].values():
            return found
        return {}

    def _next(
        self, level: FileLevel, names: Sequence[str], ways: Mapping[int, _Ways], *, is_first: bool
    ) -> Iterator[tuple[int, dict[int, _Ways]]]:
        """Place the first of some names, or leave out what may be, and say how many names that takes."""
        if not names:
            return
        found: dict[int, _Ways] = {}
        for start, way in ways.items():
            for end, more in self.place(level.below[names[0]], start).items():
                self._steps += 1
                if self._steps > _MOST_STEPS:
                    raise TooManyWaysError
                _merge(found, {end: way.then(more)})
        if found:
            yield 1, found
        run = self._run(level, names) if id(level) in self._open and (is_first or self._in_order) else ()
        if run:
            left = sum(1 for name in run for _ in level.below[name].walk())
            yield len(run), {start: way.skip(left) for start, way in ways.items()}

    def _run(self, level: FileLevel, names: Sequence[str]) -> Sequence[str]:
        """Return what to leave out together: the first name, with all that only a number tells apart from it."""
        if not self._in_order:
            return names
        around = _around(names[0])
        alike = [name for name in level.below if name == names[0] or (around is not None and _around(name) == around)]
        return alike if list(names[: len(alike)]) == alike else ()


def _around(name: str) -> tuple[str, str] | None:
    numbered = split_number(name)
    return numbered[0] if numbered is not None else None


def _merge(ways: dict[int, _Ways], more: Mapping[int, _Ways]) -> None:
    for end, way in more.items():
        ways[end] = way.or_else(ways.get(end))
