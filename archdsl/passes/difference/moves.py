"""Steps that were not removed and added but stand elsewhere now, or inside or outside of a block."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from archdsl.passes.difference.items import Item, ItemLists
from archdsl.passes.difference.model import Element, Site
from archdsl.passes.difference.walk import Cursor, Found

_MOST_CANDIDATES = 20_000
"""Steps on each side beyond which only whole removed and added steps are looked at."""


@dataclass(slots=True, eq=False)
class _Candidate:
    """A step without a counterpart: a removed or added one, or one inside it. `at` is its position in its body."""

    found: Found
    side: Cursor
    item: Item
    at: int
    outer: _Candidate | None
    is_taken: bool = False
    has_taken: bool = False

    @property
    def is_free(self) -> bool:
        outer = self.outer
        while outer is not None and not outer.is_taken:
            outer = outer.outer
        return outer is None and not self.is_taken and not self.has_taken

    @property
    def has_weights(self) -> bool:
        return self.side.total(self.item).parameters > 0

    def take(self) -> None:
        self.is_taken = True
        outer = self.outer
        while outer is not None:
            outer.has_taken = True
            outer = outer.outer


_Match = tuple[_Candidate, _Candidate]


def find_moves(found: Sequence[Found], levels: ItemLists) -> tuple[list[Found], dict[str, str]]:
    """Turn removed and added steps that are the same into moved ones; give all findings, and the paths that moved.

    Equal steps of one body are the same, in order; and so are those that a body was given or rid of, if they have
    weights and the same label. Elsewhere a step with weights is the same if it has no double. What stands beside one
    that moved, and is equal on both sides, moves along.
    """
    removed = [f for f in found if f.kind == "removed"]
    added = [f for f in found if f.kind == "added"]
    if not removed or not added:
        return list(found), {}
    left, right = _candidates(removed, levels), _candidates(added, levels)
    matches = list(_match(left, right))
    matches += _neighbours(matches, left, right)
    if not matches:
        return list(found), {}
    paths = {x.side.path_of(x.item): y.side.path_of(y.item) for x, y in matches}
    return _replaced(found, matches), paths


def _candidates(found: Sequence[Found], levels: ItemLists) -> list[_Candidate]:
    whole = [_candidate(f) for f in found]
    if sum(c.item.weight for c in whole) > _MOST_CANDIDATES:
        return whole
    return [inner for candidate in whole for inner in _inside(candidate, levels)]


def _candidate(found: Found) -> _Candidate:
    assert found.sides is not None
    side = found.sides[0 if found.kind == "removed" else 1]
    item = found.items[0] or found.items[1]
    assert item is not None
    return _Candidate(found, side, item, next(i for i, one in enumerate(side.level.items) if one is item), None)


def _inside(candidate: _Candidate, levels: ItemLists) -> Iterator[_Candidate]:
    yield candidate
    if candidate.item.op is None:
        side = candidate.side.inside(candidate.item, levels)
        for at, item in enumerate(side.level.items):
            yield from _inside(_Candidate(candidate.found, side, item, at, candidate), levels)


def _match(left: Sequence[_Candidate], right: Sequence[_Candidate]) -> Iterator[_Match]:
    ours, theirs = _by_identity(left), _by_identity(right)
    common = sorted(ours.keys() & theirs.keys(), key=lambda identity: (-ours[identity][0].item.weight, identity))
    for identity in common:
        for rule in (_is_in_one_body, _has_moved_inside):
            yield from _pair_up(ours[identity], theirs[identity], rule)
        x, y = ([c for c in side[identity] if c.is_free] for side in (ours, theirs))
        if len(x) == len(y) == 1 and _fits(x[0], y[0]):
            yield _taken(x[0], y[0])


def _pair_up(
    ours: Sequence[_Candidate], theirs: Sequence[_Candidate], rule: Callable[[_Candidate], Hashable]
) -> Iterator[_Match]:
    """Pair, in order, what a rule gives the same key; a key of None is that of no pair."""
    waiting: dict[Hashable, deque[_Candidate]] = {}
    for y in theirs:
        if y.is_free:
            waiting.setdefault(rule(y), deque()).append(y)
    for x in ours:
        key = rule(x)
        if key is not None and x.is_free and waiting.get(key):
            yield _taken(x, waiting[key].popleft())


def _taken(x: _Candidate, y: _Candidate) -> _Match:
    x.take()
    y.take()
    return x, y


def _by_identity(candidates: Iterable[_Candidate]) -> dict[str, list[_Candidate]]:
    found: dict[str, list[_Candidate]] = {}
    for candidate in candidates:
        found.setdefault(candidate.item.identity, []).append(candidate)
    return found


def _bodies(candidate: _Candidate) -> Hashable:
    assert candidate.found.sides is not None
    return tuple(side.path for side in candidate.found.sides)


def _is_in_one_body(candidate: _Candidate) -> Hashable:
    return _bodies(candidate) if candidate.outer is None else None


def _has_moved_inside(candidate: _Candidate) -> Hashable:
    return (_bodies(candidate), candidate.item.label) if candidate.has_weights else None


def _fits(x: _Candidate, y: _Candidate) -> bool:
    """Return whether a step could take its weights along."""
    return x.has_weights and x.side.total(x.item).parameters == y.side.total(y.item).parameters


def _neighbours(matches: Sequence[_Match], left: Sequence[_Candidate], right: Sequence[_Candidate]) -> list[_Match]:
    """Find equal steps beside those that moved."""
    ours, theirs = ({(id(c.side), c.at): c for c in side} for side in (left, right))
    found: list[_Match] = []
    stack = list(matches)
    while stack:
        x, y = stack.pop()
        for step in (1, -1):
            a, b = ours.get((id(x.side), x.at + step)), theirs.get((id(y.side), y.at + step))
            if a and b and a.is_free and b.is_free and a.item.identity == b.item.identity:
                a.take()
                b.take()
                found.append((a, b))
                stack.append((a, b))
    return found


def _replaced(found: Sequence[Found], matches: Sequence[_Match]) -> list[Found]:
    """Put what moved in the place of what was added; what is left of its surroundings keeps its own costs."""
    gone: dict[int, list[Element]] = {}
    moved: dict[int, list[Found]] = {}
    for x, y in matches:
        place = Site(x.side.step(x.item), y.side.step(y.item))
        for candidate, step in ((x, place.before), (y, place.after)):
            assert step is not None
            gone.setdefault(id(candidate.found), []).append(step)
        one = replace(y.found, kind="moved", place=place, items=(x.item, y.item))
        moved.setdefault(id(y.found), []).append(one)
    result: list[Found] = []
    for finding in found:
        rest = _without(finding, gone.get(id(finding), []))
        result += [rest] if rest is not None else []
        result += moved.get(id(finding), [])
    return result


def _without(found: Found, gone: Sequence[Element]) -> Found | None:
    step = found.place.before if found.kind == "removed" else found.place.after
    if not gone or step is None:
        return found
    if any(one.path == step.path for one in gone):
        return None
    rest = replace(
        step,
        parameters=step.parameters - sum(one.parameters for one in gone),
        macs=step.macs - sum(one.macs for one in gone),
        operators=step.operators - sum(one.operators for one in gone),
    )
    return replace(found, place=Site(rest, None) if found.kind == "removed" else Site(None, rest))
