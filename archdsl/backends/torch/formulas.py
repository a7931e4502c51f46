"""Formulas that give a number, or say whether something holds, in terms of others: found by trying short ones first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, permutations
from typing import TypeAlias

NumberColumn: TypeAlias = Sequence[object]
"""A number's value in each of several calls."""
NumberColumns: TypeAlias = Mapping[str, NumberColumn]

_DIVISORS = (2, 3, 4, 5, 6, 8, 16, 32)
STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Numbers that others may have to be multiples of."""
_RATIOS = (2, 3, 4, 6, 8)
_MOST_TERMS = 3


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula in Python, and the names in it."""

    text: str
    names: tuple[str, ...]


def formula(wanted: NumberColumn, known: NumberColumns, *, is_tried: bool) -> Formula | None:
    """Return a formula for whole numbers; None stands for a call that has no such number.

    Only with `is_tried`, where the calls were chosen so that their numbers do not go together by chance, are formulas
    of several numbers looked for.
    """
    places = [i for i, value in enumerate(wanted) if value is not None]
    target = [value for value in wanted if type(value) is int]
    if len(target) < len(places):
        return None
    columns: dict[str, list[int]] = {}
    for name, column in known.items():
        values = [value for i in places if type(value := column[i]) is int]
        if len(values) == len(places):
            columns[name] = values
    for name, values in columns.items():
        if (text := _multiple(target, values, name)) is not None:
            return Formula(text, (name,))
    for name, values in columns.items():
        pairs = list(zip(target, values, strict=True))
        if all(b % 2 and a == b // 2 for a, b in pairs):
            return Formula(f"{name} // 2", (name,))
        if all(a == (b // 2 if b % 2 else 0) for a, b in pairs) and any(target):
            return Formula(f"{name} // 2 if {name} % 2 else 0", (name,))
    return _several(target, columns) if is_tried else None


def _multiple(target: Sequence[int], values: Sequence[int], name: str) -> str | None:
    """Return n > 1 times a number, or an n-th of it, where that is whole."""
    pairs = list(zip(target, values, strict=True))
    if not all(a > 0 and b > 0 for a, b in pairs):
        return None
    first, second = pairs[0]
    if first > second and first % second == 0 and all(a == b * (first // second) for a, b in pairs):
        return f"{first // second} * {name}"
    if second > first and second % first == 0 and all(a * (second // first) == b for a, b in pairs):
        return f"{name} // {second // first}"
    return None


def _several(target: Sequence[int], columns: Mapping[str, Sequence[int]]) -> Formula | None:
    distinct = set(zip(*columns.values(), strict=True)) if columns else set[tuple[int, ...]]()
    for count in range(1, min(_MOST_TERMS, len(columns)) + 1):
        for names in combinations(columns, count):
            if len({tuple(columns[name][i] for name in names) for i in range(len(target))}) < count + 3:
                continue
            found = _linear(target, [columns[name] for name in names], names)
            if found is not None:
                return Formula(found, names)
    if len(distinct) < _MOST_TERMS:
        return None
    for name, values in columns.items():
        if (text := _rounded(target, values, name)) is not None:
            return Formula(text, (name,))
    for pair in combinations(columns, 2):
        product = [a * b for a, b in zip(*(columns[name] for name in pair), strict=True)]
        text = " * ".join(pair)
        if product == list(target):
            return Formula(text, pair)
        if (more := _multiple(target, product, text)) is not None:
            return Formula(more, pair)
    return None


def _rounded(target: Sequence[int], values: Sequence[int], name: str) -> str | None:
    """Return a part of a number, rounded down or up, and perhaps with a least value."""
    least = min(target)
    for n in _DIVISORS:
        for offset in (0, 1, -1, n - 1, n // 2):
            shifted = f"({name} {'+' if offset > 0 else '-'} {abs(offset)})" if offset else name
            results = [(value + offset) // n for value in values]
            if results == list(target):
                return f"{shifted} // {n}"
            if min(results) < least and [max(least, result) for result in results] == list(target):
                return f"max({least}, {shifted} // {n})"
    return None


def _linear(target: Sequence[int], columns: Sequence[Sequence[int]], names: Sequence[str]) -> str | None:
    """Return a sum of multiples, perhaps divided, that gives the target exactly."""
    rows = list(dict.fromkeys(zip(*columns, target, strict=True)))
    solved = _solve([[*row[:-1], 1, row[-1]] for row in rows])
    if solved is None or any(value == 0 for value in solved[:-1]):
        return None
    divisor = 1
    for value in solved:
        divisor = max(divisor, value.denominator)
    scaled = [value * divisor for value in solved]
    if divisor > max(_DIVISORS) or any(value.denominator > 1 or abs(value) > 4096 for value in scaled):
        return None
    terms = [(int(value), name) for value, name in zip(scaled, [*names, ""], strict=True) if value]
    terms.sort(key=lambda term: term[0] < 0)
    text = ""
    for factor, name in terms:
        sign = "" if not text and factor > 0 else "-" if not text else " - " if factor < 0 else " + "
        size = abs(factor)
        text += sign + (str(size) if not name else name if size == 1 else f"{size} * {name}")
    if divisor == 1:
        return text
    return f"({text}) // {divisor}" if len(terms) > 1 else f"{text} // {divisor}"


def _solve(rows: list[list[int]]) -> list[Fraction] | None:
    """Solve linear equations, more than unknowns; None unless one solution fits all of them."""
    count = len(rows[0]) - 1
    for column in range(count):
        pivot = next((i for i in range(column, len(rows)) if rows[i][column]), None)
        if pivot is None:
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        own, scale = rows[column], rows[column][column]
        for i, row in enumerate(rows):
            if i != column and (factor := row[column]):
                # Whole numbers throughout, which are many times as fast as fractions and stay small for a few unknowns.
                rows[i] = [scale * a - factor * b for a, b in zip(row, own, strict=True)]
    if any(row[-1] for row in rows[count:]):
        return None
    return [Fraction(row[-1], row[column]) for column, row in enumerate(rows[:count])]


@dataclass(frozen=True, slots=True)
class Fact:
    """A condition on numbers, and in which calls it holds."""

    text: str
    names: tuple[str, ...]
    holds: tuple[bool, ...]


def condition(wanted: Sequence[bool], known: NumberColumns) -> Fact | None:
    """Return a condition that holds in exactly these calls."""
    whole = tuple(wanted)
    facts = list(_facts(known))
    for fact in facts:
        if fact.holds == whole:
            return fact
    # What holds in no other call than wanted may be one of two reasons, and what holds in all of them one of two needs.
    reasons = [
        fact
        for fact in facts
        if any(fact.holds) and not any(a and not b for a, b in zip(fact.holds, whole, strict=True))
    ]
    needs = [
        fact
        for fact in facts
        if not all(fact.holds) and not any(b and not a for a, b in zip(fact.holds, whole, strict=True))
    ]
    for word, parts, join in (("or", reasons, any), ("and", needs, all)):
        for count in (2, 3):
            for chosen in combinations(parts[:_MOST_PARTS], count):
                if tuple(join(values) for values in zip(*(fact.holds for fact in chosen), strict=True)) == whole:
                    names = tuple(dict.fromkeys(name for fact in chosen for name in fact.names))
                    return Fact(f" {word} ".join(fact.text for fact in chosen), names, whole)
    return None


_MOST_PARTS = 24


def refusals(bad: Sequence[bool], known: NumberColumns, written: Sequence[int]) -> Iterator[Fact]:
    """Yield conditions that hold in no good call, and together in every bad one as far as short ones can.

    Numbers may be compared with those that are `written` in the block; where nothing else tells good from bad, with the
    least and the largest good one.
    """
    left = {i for i, value in enumerate(bad) if value}
    every = [*_facts(known), *_limits(known, written)]
    facts = [fact for fact in every if not any(fact.holds[i] for i, value in enumerate(bad) if not value)]
    lows = [fact for fact in facts if fact.text.endswith("< 1")]
    for fact in lows:
        found = {i for i in left if fact.holds[i]}
        if found:
            left -= found
            yield fact
    while left:
        best = max(facts, key=lambda fact: sum(fact.holds[i] for i in left), default=None)
        if best is None or not any(best.holds[i] for i in left):
            pairs = (_both(a, b) for a, b in combinations(list(_facts(known))[:_MOST_PARTS], 2))
            good = [fact for fact in pairs if not any(fact.holds[i] for i, value in enumerate(bad) if not value)]
            good = good or list(_limits(known, _extremes(bad, known)))
            good = [fact for fact in good if not any(fact.holds[i] for i, value in enumerate(bad) if not value)]
            best = max(good, key=lambda fact: sum(fact.holds[i] for i in left), default=None)
            if best is None or not any(best.holds[i] for i in left):
                return
        left -= {i for i in left if best.holds[i]}
        yield best


def _limits(known: NumberColumns, numbers: Sequence[int]) -> Iterator[Fact]:
    for name, column in known.items():
        values = [value for value in column if type(value) is int]
        if len(values) == len(column):
            for n in numbers:
                yield _fact(f"{name} > {n}", (name,), [value > n for value in values])
                yield _fact(f"{name} < {n}", (name,), [value < n for value in values])
                yield _fact(f"{name} == {n}", (name,), [value == n for value in values])


def _extremes(bad: Sequence[bool], known: NumberColumns) -> list[int]:
    """List the least and the largest value of each number in the good calls."""
    good = [
        [v for v, is_bad in zip(column, bad, strict=True) if not is_bad and type(v) is int] for column in known.values()
    ]
    return sorted({extreme for values in good if values for extreme in (min(values), max(values))})


def _both(a: Fact, b: Fact) -> Fact:
    names = tuple(dict.fromkeys((*a.names, *b.names)))
    return Fact(f"{a.text} and {b.text}", names, tuple(x and y for x, y in zip(a.holds, b.holds, strict=True)))


def _facts(known: NumberColumns) -> Iterator[Fact]:
    """Yield conditions on one number or two, those that a reader would write first."""
    for name, column in known.items():
        if any(isinstance(value, float) for value in column):
            holds = [isinstance(value, int | float) and not 0 <= value <= 1 for value in column]
            yield _fact(f"not 0 <= {name} <= 1", (name,), holds)
    columns = {
        name: [value for value in column if isinstance(value, int) and not isinstance(value, bool)]
        for name, column in known.items()
    }
    columns = {
        name: values for name, values in columns.items() if len(values) == len(known[name]) and len(set(values)) > 1
    }
    for name, values in columns.items():
        yield _fact(f"{name} < 1", (name,), [value < 1 for value in values])
        yield _fact(f"{name} != 1", (name,), [value != 1 for value in values])
        yield _fact(f"{name} == 1", (name,), [value == 1 for value in values])
    for a, b in combinations(columns, 2):
        pairs = list(zip(columns[a], columns[b], strict=True))
        yield _fact(f"{a} != {b}", (a, b), [x != y for x, y in pairs])
        yield _fact(f"{a} == {b}", (a, b), [x == y for x, y in pairs])
        yield _fact(f"{a} > {b}", (a, b), [x > y for x, y in pairs])
        yield _fact(f"{a} < {b}", (a, b), [x < y for x, y in pairs])
        for first, second, turned in ((a, b, False), (b, a, True)):
            holds = [(y if turned else x) % ((x if turned else y) or 1) != 0 for x, y in pairs]
            yield _fact(f"{first} % {second} != 0", (first, second), holds)
    for a, b in combinations(columns, 2):  # parts of both that are joined may have to be shared out again
        sums = [x + y for x, y in zip(columns[a], columns[b], strict=True)]
        for n in _RATIOS:
            yield _fact(f"({a} + {b}) % {n} != 0", (a, b), [total % n != 0 for total in sums])
    for a, b in permutations(columns, 2):
        pairs = list(zip(columns[a], columns[b], strict=True))
        ratios = Counter(x // y for x, y in pairs if y > 0 and x > y and x % y == 0)
        for n in sorted(n for n, count in ratios.items() if count > 1 and n <= max(_RATIOS)):
            yield _fact(f"{a} != {n} * {b}", (a, b), [x != n * y for x, y in pairs])
            yield _fact(f"{a} == {n} * {b}", (a, b), [x == n * y for x, y in pairs])
        for n in _RATIOS:
            yield _fact(f"{a} > {n} * {b}", (a, b), [x > n * y for x, y in pairs])
            yield _fact(f"{a} >= {n} * {b}", (a, b), [x >= n * y for x, y in pairs])
    for name, values in columns.items():
        yield _fact(f"{name} % 2 == 0", (name,), [value % 2 == 0 for value in values])
        for n in STEPS[1:]:
            yield _fact(f"{name} % {n} != 0", (name,), [value % n != 0 for value in values])


def _fact(text: str, names: tuple[str, ...], holds: Sequence[bool]) -> Fact:
    return Fact(text, names, tuple(holds))
