"""Which step of one network is which of the other: an alignment of sequences at every level, of least cost.

Two bodies are lined up as texts are by `diff`, except that steps may also be paired that are alike but not equal, at a
price: the more they differ the higher, and above that of one removed and one added never. Blocks are paired by what is
inside them, so the same goes on below; the price of two blocks is worked out once for each pair of their forms.

Source: Needleman & Wunsch 1970 for the alignment; anchors as in Bram Cohen's patience diff keep long bodies fast
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from typing import TypeAlias

from archdsl.ops.base import Op
from archdsl.passes.difference.items import Item, ItemList, ItemLists
from archdsl.passes.difference.model import is_initial

Pairs: TypeAlias = list[tuple[int, int]]

_UNIT = 100
"""What it costs to remove or add one operator. Costs are whole numbers, so that equal ones are seen to be equal."""
_OTHER_LABEL, _LABEL_OR_NONE, _LABEL_OF_ANOTHER = 50, 30, 80
_OTHER_INITIAL = 5
_OTHER_VALUE, _NEXT_VALUE, _MOST_VALUES = 20, 10, 70
_SAME_CATEGORY, _SAME_LABEL, _OTHER_CATEGORY, _OTHER_CONVOLUTION = 100, 120, 150, 140
_UNLIKE = 65
"""Blocks of which more than these percents would be removed and added are not the same block changed."""
_REPLACED = 90
_NEVER = 10**12
_INTERCHANGEABLE = ("norm", "activation", "pool", "regularise")

_SMALL_AREA, _LARGE_AREA, _LARGEST_AREA = 2_500, 40_000, 80_000
_BAND = 60
"""How far from the diagonal the steps of very long bodies are compared."""


class Aligner:
    """Lines levels up. Each pair is worked out once, in an order that does not depend on which network is the first."""

    def __init__(self, levels: ItemLists) -> None:
        self._levels = levels
        self._pairs: dict[tuple[str, str], Pairs] = {}
        self._forms: dict[tuple[str, str], int] = {}
        self._costs: dict[tuple[str, str, int], int] = {}
        self._distances: dict[tuple[str, str], int] = {}

    def pairs(self, one: ItemList, other: ItemList) -> Pairs:
        """Pair the positions of two levels' steps, in order."""
        if one.identity > other.identity:
            return [(left, right) for right, left in self.pairs(other, one)]
        key = one.identity, other.identity
        if key not in self._pairs:
            if one.identity == other.identity:
                self._pairs[key] = [(i, i) for i in range(len(one.items))]
            else:
                self._pairs[key] = self._align(one.items, other.items)
        return self._pairs[key]

    def cost(self, x: Item, y: Item) -> int:
        """Return what pairing two steps costs; more than anything where they are never one and the same."""
        is_same_label = x.label == y.label
        naming = 0 if is_same_label else _OTHER_LABEL if x.label and y.label else _LABEL_OR_NONE
        if x.identity == y.identity:
            return naming
        if x.identity > y.identity:
            x, y = y, x
        # What labels do to the cost beside that: whether they agree, and whether there is one at all.
        kind = 0 if not is_same_label else 1 if x.label else 2
        key = x.identity, y.identity, kind
        if key not in self._costs:
            self._costs[key] = self._cost(x, y)
        return naming + self._costs[key]

    def _cost(self, x: Item, y: Item) -> int:
        is_same_label = bool(x.label) and x.label == y.label
        if x.op is not None and y.op is not None:
            return _operators(x.op, y.op, is_same_label=is_same_label, has_label=x.label != y.label)
        if x.op is None and y.op is None:
            cost = self._bodies(x, y)
            if cost <= _UNLIKE * (x.weight + y.weight):
                return cost
        return _REPLACED * (x.weight + y.weight) if is_same_label else _NEVER

    def _bodies(self, x: Item, y: Item) -> int:
        if x.form == y.form:
            return min(self._distance(x, y), _UNIT * x.weight // 2)
        if _UNIT * abs(x.weight - y.weight) > _UNLIKE * (x.weight + y.weight):
            return _NEVER
        key = (x.form, y.form) if x.form < y.form else (y.form, x.form)
        if key not in self._forms:
            one, other = (self._levels.with_form(form) for form in key)
            pairs = self._align(one.items, other.items)
            self._forms[key] = self._price(one.items, other.items, pairs)
        return self._forms[key]

    def _price(self, ours: Sequence[Item], theirs: Sequence[Item], pairs: Pairs) -> int:
        kept = sum(self.cost(ours[i], theirs[j]) - _UNIT * (ours[i].weight + theirs[j].weight) for i, j in pairs)
        return kept + _UNIT * sum(item.weight for item in (*ours, *theirs))

    def _distance(self, x: Item, y: Item) -> int:
        """Count the settings that differ in two steps of one form, each at a price."""
        if x.identity == y.identity:
            return 0
        if x.op is not None and y.op is not None:
            return _values(x.op, y.op)
        key = (x.identity, y.identity) if x.identity < y.identity else (y.identity, x.identity)
        if key not in self._distances:
            ours, theirs = self._levels.inside(x).items, self._levels.inside(y).items
            self._distances[key] = sum(map(self._distance, ours, theirs))
        return self._distances[key]

    def _align(self, ours: Sequence[Item], theirs: Sequence[Item]) -> Pairs:
        """Pair equal ends as they are; in between, steps that are unlike any other hold long bodies together."""
        start = _common(ours, theirs)
        end = _common(ours[start:][::-1], theirs[start:][::-1])
        last, final = len(ours) - end, len(theirs) - end
        middle = self._anchored(ours[start:last], theirs[start:final])
        pairs = [(i, i) for i in range(start)]
        pairs += [(start + i, start + j) for i, j in middle]
        return pairs + [(last + i, final + i) for i in range(end)]

    def _anchored(self, ours: Sequence[Item], theirs: Sequence[Item]) -> Pairs:
        area = len(ours) * len(theirs)
        anchors: Pairs = []
        if area > _SMALL_AREA:
            anchors = _anchors(ours, theirs, lambda item: (item.identity, item.label) if item.label else None)
        if area > _LARGE_AREA and not anchors:
            anchors = _anchors(ours, theirs, lambda item: (_sort(item), item.label) if item.label else None)
        if not anchors:
            return self._optimal(ours, theirs)
        found: Pairs = []
        for (i, j), (k, m) in pairwise([(-1, -1), *anchors, (len(ours), len(theirs))]):
            found += [(i, j)] if i >= 0 else []
            found += [(i + 1 + a, j + 1 + b) for a, b in self._align(ours[i + 1 : k], theirs[j + 1 : m])]
        return found

    def _optimal(self, ours: Sequence[Item], theirs: Sequence[Item]) -> Pairs:
        """Find the pairs of least cost; in very long bodies, among those near the diagonal."""
        rows, columns = len(ours), len(theirs)
        if not rows or not columns:
            return []
        reach = columns if rows * columns <= _LARGEST_AREA else max(_BAND, 2 * columns // rows + 1)
        above = [0]
        for item in theirs:
            above.append(above[-1] + _UNIT * item.weight)
        shared = {item.label for item in ours} & {item.label for item in theirs} - {""}
        moves: list[tuple[int, bytearray]] = []
        low = 0
        for i, x in enumerate(ours):
            centre = (i + 1) * columns // rows
            first, final = max(0, centre - reach), min(columns, centre + reach)
            row: list[int] = []
            move = bytearray()
            left = _NEVER
            for j in range(first, final + 1):
                up = above[j - low] + _UNIT * x.weight if 0 <= j - low < len(above) else _NEVER
                best, step = up, 1
                if j:
                    y = theirs[j - 1]
                    left += _UNIT * y.weight
                    if left < best:
                        best, step = left, 2
                    if 0 <= j - 1 - low < len(above):
                        paired = above[j - 1 - low] + self.cost(x, y)
                        if shared and x.label != y.label and (x.label in shared or y.label in shared):
                            paired += _LABEL_OF_ANOTHER
                        # Where all is equal the last steps are the ones that have no counterpart.
                        if paired < best:
                            best, step = paired, 0
                row.append(best)
                move.append(step)
                left = best
            moves.append((first, move))
            above, low = row, first
        return _walk_back(moves, columns)


def _walk_back(moves: Sequence[tuple[int, bytearray]], columns: int) -> Pairs:
    i, j = len(moves), columns
    pairs: Pairs = []
    while i and j:
        first, move = moves[i - 1]
        step = move[j - first]
        if step == 0:
            pairs.append((i - 1, j - 1))
        i, j = i - (step != 2), j - (step != 1)
    return pairs[::-1]


def _common(ours: Sequence[Item], theirs: Sequence[Item]) -> int:
    """Count the steps at the start that are equal and bear the same label."""
    count = 0
    for x, y in zip(ours, theirs, strict=False):
        if x.identity != y.identity or x.label != y.label:
            break
        count += 1
    return count


def _anchors(ours: Sequence[Item], theirs: Sequence[Item], key_of: Callable[[Item], Hashable]) -> Pairs:
    """Pair the steps whose key both sides have once, and keep the longest run in which both orders agree."""
    left, right = ([key_of(item) for item in items] for items in (ours, theirs))
    once = {key for key, n in Counter(left).items() if n == 1 and key is not None}
    once &= {key for key, n in Counter(right).items() if n == 1}
    position = {key: j for j, key in enumerate(right) if key in once}
    return _longest_run([(i, position[key]) for i, key in enumerate(left) if key in once])


def _longest_run(pairs: Pairs) -> Pairs:
    ends: list[int] = []
    tops: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        at = bisect_left(ends, j)
        before.append(tops[at - 1] if at else -1)
        ends[at : at + 1] = [j]
        tops[at : at + 1] = [index]
    run: Pairs = []
    index = tops[-1] if tops else -1
    while index >= 0:
        run.append(pairs[index])
        index = before[index]
    return run[::-1]


def _sort(item: Item) -> str:
    return item.op.keyword if item.op is not None else "{}"


def _operators(x: Op, y: Op, *, is_same_label: bool, has_label: bool) -> int:
    if type(x) is type(y):
        return _values(x, y)
    if x.category != y.category:
        return _OTHER_CATEGORY if is_same_label else _NEVER
    if x.category in _INTERCHANGEABLE or (x.is_join and y.is_join):
        return _SAME_CATEGORY
    if is_same_label:
        return _SAME_LABEL
    return _OTHER_CONVOLUTION if x.category in ("conv", "linear") and not has_label else _NEVER


def _values(x: Op, y: Op) -> int:
    others = vars(y)
    names = [name for name, value in vars(x).items() if value != others[name]]
    count = sum(not is_initial(name) for name in names)
    if not count:
        return _OTHER_INITIAL if names else 0
    return min(_OTHER_VALUE + _NEXT_VALUE * count, _MOST_VALUES)
