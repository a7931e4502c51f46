"""Runs of modules that a careful person writes as a loop: equal ones, and ones whose numbers grow evenly."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from archdsl.backends.torch.code import (
    Call,
    Expression,
    ListOf,
    Literal,
    Numbered,
    Pair,
    Progression,
    Rate,
    Repeat,
    Spread,
    grows,
)

_NUMBERED = re.compile(r"(.*?)(0|[1-9][0-9]*)")
# Three of anything agree with some line often enough by chance.
_SHORTEST_PROGRESSION = 4
_SHORTEST_RUN = 3
_MOST_DIVISOR = 400


def folded(codes: Sequence[Expression]) -> tuple[Expression, ...]:
    """Write runs among the arguments of an nn.Sequential as repeats."""
    result: list[Expression] = []
    index = 0
    while index < len(codes):
        run, item = _longest(codes[index:], lambda count: True)
        if run == 2 and item == codes[index] and _is_block(codes[index]):
            result.append(Repeat(item, Literal(run)))
        elif run >= _SHORTEST_RUN:
            result.append(Repeat(item, Literal(run)))
        else:
            run = 1
            result.append(codes[index])
        index += run
    return tuple(result)


def folded_pairs(steps: Mapping[str, Expression]) -> tuple[Expression, ...]:
    """Write named steps as pairs, with runs of blocks whose names count up as one expression."""
    names, codes = list(steps), list(steps.values())
    result: list[Expression] = []
    index = 0
    while index < len(codes):
        match = _NUMBERED.fullmatch(names[index])
        run = 1
        if match is not None and _is_block(codes[index]):
            prefix, first = match[1], int(match[2])
            count = _count_up(names[index:], prefix, first)
            run, item = _longest(codes[index : index + count], lambda count: True)
            if run >= _SHORTEST_RUN:
                result.append(Spread(Numbered(prefix, first, item, Literal(run))))
        if run < _SHORTEST_RUN:
            run = 1
            result.append(Pair(names[index], codes[index]))
        index += run
    return tuple(result)
