"""Numbers that follow the image's size, written once each: most nodes of a network share a handful of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import prod
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Series: TypeAlias = tuple[int, ...]
"""A number at every legal size, in ascending order of size."""
Coded: TypeAlias = "int | list[Json]"
"""A constant, or [factor, index of a row in the pool]."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Pool:
    """Rows by content, each with its code.

    The code of a row is `start|steps`, a base-36 digit for the step to each next value; a list of the values where a
    step is no digit; or {"of": [row, …]}, the product of rows before it.
    """

    def __init__(self) -> None:
        self.codes: list[Json] = []
        self._index: dict[object, int] = {}

    def axis(self, row: Series) -> Coded:
        """Code the sizes of an axis."""
        return row[0] if _is_constant(row) else [1, self._row(row)]

    def count(self, row: Series, axes: Iterable[Sequence[Series]]) -> Coded:
        """Code a count, as a multiple of the product of some tensor's axes where it is one at every size."""
        if _is_constant(row):
            return row[0]
        for tensor in axes:
            varying = [axis for axis in tensor if not _is_constant(axis)]
            product = tuple(map(prod, zip(*varying, strict=True)))
            if varying and not row[0] % product[0]:
                factor = row[0] // product[0]
                if all(value == factor * size for value, size in zip(row, product, strict=True)):
                    return [factor, self._product(varying)]
        return [1, self._row(row)]

    def _product(self, rows: Sequence[Series]) -> int:
        parts = sorted(self._row(row) for row in rows)
        return parts[0] if len(parts) == 1 else self._add(tuple(parts), {"of": [*parts]})

    def _row(self, row: Series) -> int:
        return self._index[row] if row in self._index else self._add(row, _code(row))

    def _add(self, key: object, code: Json) -> int:
        # Rows have as many values as there are sizes; products are told from them by their code.
        known = key if not isinstance(code, dict) else ("product", key)
        if known not in self._index:
            self._index[known] = len(self.codes)
            self.codes.append(code)
        return self._index[known]


def _is_constant(row: Series) -> bool:
    return row.count(row[0]) == len(row)


def _code(row: Series) -> Json:
    steps = [after - before for before, after in pairwise(row)]
    if all(0 <= step < len(_DIGITS) for step in steps):
        return f"{row[0]}|{''.join(_DIGITS[step] for step in steps)}"
    return list(row)
