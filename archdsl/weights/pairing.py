"""Which of a file's tensors can stand for which of a network's, where names do not say it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import factorial, prod

from archdsl.ops.base import Tensor
from archdsl.weights.align import TooManyWaysError, align
from archdsl.weights.leftover import is_average
from archdsl.weights.outline import FileLevel, ModulePath, build_levels, chains, list_needs, split_number
from archdsl.weights.prefix import see_through
from archdsl.weights.shape import fits, fits_adapted
from archdsl.weights.stored import Stored
from archdsl.weights.transfer import COUNTER, MEAN, Needs, Transfer

# Parts that say what they are, in the order in which torch has them: none stands for a part of another name.
_PARTS = ("weight", "bias", MEAN, "running_var")
_MOST_MODULES, _MOST_KEYS, _DEEPEST = 1_500, 20_000, 40
_HARDLY_BY_CHANCE = 100


def is_to_be_guessed(stored: Mapping[str, Stored]) -> bool:
    """Return whether a file has few enough keys, and they few enough levels, to look for their places."""
    return len(stored) <= _MOST_KEYS and all(key.count(".") <= _DEEPEST for key in stored)


class Pairing:
    """A network's modules beside those of a file, and what is known of them by their names."""

    def __init__(self, needs: Needs, stored: Mapping[str, Stored], known: Transfer) -> None:
        self._needs, self._state = needs, dict(needs.state)
        self._source_of, _ = see_through(stored, self._state)
        short_of = {source: name for name, source in self._source_of.items()}
        self._stored = {
            name: stored[source]
            for name, source in self._source_of.items()
            if stored[source].shape is not None
            and stored[source].twin in (None, source)
            and not is_average(name, stored[source])
        }
        self._modules = list_needs(needs.state)
        self._root = build_levels(self._stored)
        self._levels = list(self._root.walk())
        self._known = {
            entry.key: short_of[entry.source]
            for entry in known.entries
            if entry.is_loaded and entry.key is not None and entry.source is not None
        }
        self._fixed = self._whole_modules()
        self._fixed_paths = set(self._fixed.values())
        self._by_order: set[str] = set()

    @property
    def names(self) -> list[str]:
        """What the file has: its keys, and their modules."""
        return [*self._source_of, *(".".join(level.path) for level in self._levels)]

    def source_of(self, name: str) -> str:
        """Return a key as it is written in the file."""
        return self._source_of[name]

    def reason(self, key: str) -> str:
        """Return what a guess goes by."""
        return "by the file's order" if key.rpartition(".")[0] in self._by_order else "by shape and place"

    def find(self, *, is_in_order: bool) -> dict[str, str]:
        """Return the file's names of the network's keys, guessed and known; empty where nothing can be guessed."""
        sizes = len(self._modules), len(self._levels)
        if max(sizes) > _MOST_MODULES:
            return {}
        places = self._align(in_order=False)
        if len(places) < min(sizes) and is_in_order and self._is_as_registered():
            by_order = self._align(in_order=True)
            if len(by_order) > len(places):
                added = by_order.items() - places.items()
                self._by_order = {".".join(self._modules[place].path) for place, _ in added}
                places = by_order
        has_other_head = any(self._counts(place, level) for place, level in places.items())
        # What differs before modules that have no counterpart is no head, but a layer of another width.
        if not self._is_enough(places) or (has_other_head and len(self._modules) - 1 not in places):
            return {}
        found = dict(self._known)
        for place, level in places.items():
            found |= self._renames(place, level)
        return found

    def _align(self, *, in_order: bool) -> dict[int, int]:
        try:
            places = align(self._modules, self._root, self._cost, in_order=in_order)
        except TooManyWaysError:
            return {}
        return self._without_other_counts(self._without_turned(places))

    def _cost(self, place: int, level: FileLevel) -> int | None:
        """Return 0 where a module has what one here needs, 1 where only a count of classes or channels differs."""
        module = self._modules[place]
        fixed = self._fixed.get(module.path)
        if fixed != level.path if fixed is not None else level.path in self._fixed_paths:
            return None
        parts = self._parts(place, level)
        if parts is None:
            return None
        pairs = [(module.parts[ours], level.parts[theirs]) for ours, theirs in parts.items()]
        return 0 if all(fits(tensor, stored) for tensor, stored in pairs) else 1

    def _parts(self, place: int, level: FileLevel) -> dict[str, str] | None:
        """Return which part of a module stands for which; None where they do not go together."""
        ours, theirs = self._modules[place].parts, level.parts
        if len(ours) != len(theirs):
            return None
        parts = {part: part for part in ours if part in theirs}
        left = [part for part in ours if part not in theirs]
        others = [part for part in theirs if part not in ours]
        for part in left:
            alike = [other for other in others if fits(ours[part], theirs[other])]
            if len(alike) != 1 or part in _PARTS or alike[0] in _PARTS or alike[0] in parts.values():
                return None
            parts[part] = alike[0]
        pairs = [(ours[part], theirs[other]) for part, other in parts.items()]
        if all(fits(tensor, stored) for tensor, stored in pairs):
            return parts
        if set(parts) <= {"weight", "bias"} and all(_differs_in_count(*pair) for pair in pairs):
            return parts
        if place == 0 and self._differs_in_channels(place, level, parts):
            return parts
        return None

    def _differs_in_channels(self, place: int, level: FileLevel, parts: Mapping[str, str]) -> bool:
        module = self._modules[place]
        misfits = [p for p, other in parts.items() if not fits(module.parts[p], level.parts[other])]
        key = ".".join((*module.path, "weight"))
        is_adaptable = misfits == ["weight"] and key in self._needs.adaptable
        return is_adaptable and fits_adapted(module.parts["weight"], level.parts["weight"])

    def _renames(self, place: int, level: int) -> dict[str, str]:
        parts = self._parts(place, self._levels[level]) or {}
        path, other = self._modules[place].path, self._levels[level].path
        return {".".join((*path, ours)): ".".join((*other, theirs)) for ours, theirs in parts.items()}

    def _whole_modules(self) -> dict[ModulePath, ModulePath]:
        """Return the modules of which the names say all, with those that they stand for."""
        parts_of = {level.path: len(level.parts) for level in self._levels}
        found: dict[ModulePath, ModulePath] = {}
        for module in self._modules:
            keys = [".".join((*module.path, part)) for part in module.parts]
            theirs = {tuple(self._known.get(key, "?").split(".")[:-1]) for key in keys}
            path = theirs.pop()
            if not theirs and all(key in self._known for key in keys) and parts_of.get(path) == len(keys):
                found[module.path] = path
        return found

    def _is_as_registered(self) -> bool:
        """Return whether the file's order is that of a state_dict, and hardly one that chance or sorting has made.

        Parts of a module are in torch's order there, which another order has by chance once in as many as they have.
        """
        keys = [key for key in self._stored if key.rpartition(".")[2] != COUNTER]
        placed = {key: place for place, key in enumerate(keys)}
        if [".".join((*level.path, part)) for level in self._levels for part in level.parts] != keys:
            return False
        orders = 1
        for level in self._levels:
            order = [placed[".".join((*level.path, part))] for part in _PARTS if part in level.parts]
            if order != sorted(order):
                return False
            orders *= factorial(len(order))
        return orders >= _HARDLY_BY_CHANCE

    def _without_turned(self, places: Mapping[int, int]) -> dict[int, int]:
        """Leave out what stands below names whose numbers go one way in the file, and another way here."""
        place_of = {self._levels[level].path: place for place, level in places.items()}
        turned = [path for level in _all(self._root) for path in self._turned(level, place_of)]
        return {
            place: level
            for place, level in places.items()
            if not any(self._levels[level].path[: len(path)] == path for path in turned)
        }

    def _turned(self, level: FileLevel, place_of: Mapping[ModulePath, int]) -> Iterator[ModulePath]:
        for names in chains(list(level.below)):
            paths = [(*level.path, name) for name in names]
            first = [next((place_of[m.path] for m in level.below[n].walk() if m.path in place_of), None) for n in names]
            places = [place for place in first if place is not None]
            if any(self._goes_down(one, other) for one, other in pairwise(places)):
                yield from paths

    def _goes_down(self, one: int, other: int) -> bool:
        """Return whether of two modules here the second has the lesser number, or comes first where none tells."""
        for ours, theirs in zip(self._modules[one].path, self._modules[other].path, strict=False):
            if ours != theirs:
                before, after = split_number(ours), split_number(theirs)
                if before is not None and after is not None and before[0] == after[0]:
                    return after[1] < before[1]
                break
        return other < one

    def _without_other_counts(self, places: Mapping[int, int]) -> dict[int, int]:
        """Leave out what differs in a count of outputs where that is not the same count in all of them."""
        counts = {place: count for place, level in places.items() if (count := self._counts(place, level)) is not None}
        common = Counter(counts.values()).most_common(1)
        return {p: level for p, level in places.items() if p not in counts or counts[p] == common[0][0]}

    def _counts(self, place: int, level: int) -> tuple[int, int] | None:
        ours, theirs = self._modules[place].parts.get("weight"), self._levels[level].parts.get("weight")
        if ours is None or theirs is None or not theirs.shape or fits(ours, theirs):
            return None
        return (ours.shape[0], theirs.shape[0]) if ours.shape[0] != theirs.shape[0] else None

    def _is_enough(self, places: Mapping[int, int]) -> bool:
        """Return whether at least half of the modules and numbers of both sides have found theirs."""
        ours = [sum(prod(tensor.shape) for tensor in module.parts.values()) for module in self._modules]
        theirs = [sum(prod(stored.shape or ()) for stored in level.parts.values()) for level in self._levels]
        return (
            2 * len(places) >= max(len(ours), len(theirs))
            and 2 * sum(ours[place] for place in places) >= sum(ours)
            and 2 * sum(theirs[level] for level in places.values()) >= sum(theirs)
        )


def _all(level: FileLevel) -> Iterator[FileLevel]:
    yield level
    for inner in level.below.values():
        yield from _all(inner)


def _differs_in_count(tensor: Tensor, stored: Stored) -> bool:
    """Return whether two tensors are of one rank and differ in how many outputs they have."""
    ours, theirs = list(tensor.shape), list(stored.shape or ())
    return len(ours) == len(theirs) > 0 and ours[:1] != theirs[:1] and ours[1:] == theirs[1:]
