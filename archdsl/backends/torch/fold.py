"""Runs of modules that a careful person writes as a loop: equal ones, and ones whose numbers grow evenly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

from archdsl.backends.torch.code import (
    NamedItem,
    Numbered,
    Progression,
    PyCall,
    PyExpression,
    PyList,
    PyLiteral,
    PyTuple,
    Rate,
    Repeat,
    Spread,
    children,
    frame,
    grows,
    mapped,
    with_children,
)

_NUMBERED = re.compile(r"(.*?)(0|[1-9][0-9]*)")
_SHORTEST_RUN = 3
# Two or three whole numbers lie on a line often enough by chance.
_SHORTEST_GROWTH = 4
_MOST_DIVISOR = 200


def folded(codes: Sequence[PyExpression]) -> tuple[PyExpression, ...]:
    """Write runs among the arguments of an nn.Sequential as repeats."""
    result: list[PyExpression] = []
    index = 0
    while index < len(codes):
        run, item = _longest_run(codes[index:])
        shortest = 2 if _is_block(item) else _SHORTEST_RUN
        if run >= shortest:
            result.append(Repeat(item, PyLiteral(run)))
        else:
            run = 1
            result.append(codes[index])
        index += run
    return tuple(result)


def folded_pairs(steps: Mapping[str, PyExpression]) -> tuple[NamedItem | Spread, ...]:
    """Write named steps as pairs, with runs of blocks whose names count up as one expression."""
    names, codes = list(steps), list(steps.values())
    result: list[NamedItem | Spread] = []
    index = 0
    while index < len(codes):
        run, item, match = 1, codes[index], _NUMBERED.fullmatch(names[index])
        if match is not None and _is_block(item):
            count = _count_up(names[index:], match[1], int(match[2]))
            run, item = _longest_run(codes[index : index + count])
        if match is not None and run >= _SHORTEST_RUN:
            result.append(Spread(Numbered(match[1], int(match[2]), item, PyLiteral(run))))
        else:
            run = 1
            result.append(NamedItem(names[index], codes[index]))
        index += run
    return tuple(result)


def _count_up(names: Sequence[str], prefix: str, first: int) -> int:
    """Count how many names, from the first on, are the prefix and the next number."""
    return len(list(takewhile(lambda pair: pair[1] == f"{prefix}{first + pair[0]}", enumerate(names))))


def _is_block(code: PyExpression) -> bool:
    return isinstance(code, PyCall) and (not code.function.startswith("nn.") or code.function == "nn.Sequential")


def _longest_run(codes: Sequence[PyExpression]) -> tuple[int, PyExpression]:
    """Return how many codes from the first on one item of a repeat stands for, and that item."""
    first = codes[0]
    equal = _count_equal(codes)
    if equal > 1 or len(codes) == 1 or not _is_block(first):
        return equal, first
    best: tuple[int, PyExpression] = (1, first)
    for item in _grown(first, codes[1]):
        run = next((index for index, code in enumerate(codes) if _at(item, index) != code), len(codes))
        shortest = _SHORTEST_GROWTH if _has_progression(item) else 2
        if run >= shortest and run > best[0]:
            best = run, item
    return best


def _count_equal(codes: Sequence[PyExpression]) -> int:
    """Count how many codes, from the first on, are equal to it."""
    first = known = codes[0]
    for index, code in enumerate(codes):
        if code is not known:  # what a node repeats is one object, which is compared once
            if code != first:
                return index
            known = code
    return len(codes)


def _grown(first: PyExpression, second: PyExpression) -> Iterator[PyExpression]:
    """Yield the items of a repeat that begins with two codes; nothing if they differ in more than numbers."""
    if not _differ_in_numbers(first, second):
        return
    is_fraction = any(isinstance(part, PyLiteral) and isinstance(part.value, float) for part in _leaves(first))
    for divisor in range(1, _MOST_DIVISOR + 1 if is_fraction else 2):
        item = _between(first, second, divisor)
        if item is not None:
            yield item
            if not _has_rate(item):
                return


def _differ_in_numbers(first: PyExpression, second: PyExpression) -> bool:
    """Return whether codes are equal but for whole numbers and fractions, whatever these are."""
    match first, second:
        case PyLiteral(a), PyLiteral(b) if type(a) is type(b) and isinstance(a, int | float):
            return True
        case PyCall(), PyCall() if first.function == second.function:
            pairs = zip(children(first), children(second), strict=False)
            return len(children(first)) == len(children(second)) and all(_differ_in_numbers(a, b) for a, b in pairs)
        case _:
            return not isinstance(first, PyLiteral | PyCall) or first == second


def _between(first: PyExpression, second: PyExpression, divisor: int) -> PyExpression | None:
    if first == second:
        return first
    match first, second:
        case PyLiteral(a), PyLiteral(b) if type(a) is int and type(b) is int:
            return Progression(PyLiteral(a), PyLiteral(b - a))
        case PyLiteral(a), PyLiteral(b) if isinstance(a, float) and isinstance(b, float):
            return _rate(a, b, divisor)
        case (PyCall() | PyList() | PyTuple(), _) if frame(first) == frame(second):
            parts = [_between(a, b, divisor) for a, b in zip(children(first), children(second), strict=True)]
            return None if None in parts else with_children(first, [part for part in parts if part is not None])
        case _:
            return None


def _rate(first: float, second: float, divisor: int) -> Rate | None:
    """Find the short scale with which `scale * (offset + i) / divisor` gives exactly these two."""
    step = second - first
    offset = round(first / step)
    rate = Rate(float(f"{step * divisor:.6g}"), offset, divisor)
    return rate if offset >= 0 and (_value(rate, 0), _value(rate, 1)) == (first, second) else None


def _value(rate: Rate, index: int) -> float:
    """Work a rate out as Python would; a division by 1 is not written."""
    product = rate.scale * (rate.offset + index)
    return product if rate.divisor == 1 else product / rate.divisor


def _at(item: PyExpression, index: int) -> PyExpression:
    """Return the code that an item of a repeat stands for."""
    match item:
        case Progression(PyLiteral(int(start)), PyLiteral(int(step))):
            return PyLiteral(start + step * index)
        case Rate():
            return PyLiteral(_value(item, index))
        case PyCall() | PyList() | PyTuple() if grows(item):
            return mapped(item, lambda part: _at(part, index))
        case _:
            return item


def _has_progression(item: PyExpression) -> bool:
    return any(isinstance(part, Progression) for part in _leaves(item))


def _has_rate(item: PyExpression) -> bool:
    return any(isinstance(part, Rate) for part in _leaves(item))


def _leaves(item: PyExpression) -> Iterator[PyExpression]:
    parts = children(item) if isinstance(item, PyCall | PyList | PyTuple) else ()
    if not parts:
        yield item
    for part in parts:
        yield from _leaves(part)
