"""Lists that nest, as attributes have them: what lies in them, and the sizes of their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import cast


def as_nested(value: object) -> object:
    """Turn lists, and those in them, into tuples, and fractions into floats; leave anything else to the validator."""
    if isinstance(value, list | tuple):
        return tuple(map(as_nested, cast("Sequence[object]", value)))
    return float(value) if isinstance(value, Fraction) else value


def leaves(value: object) -> Iterator[object]:
    """Yield what is no list in a list, or a value that is none itself."""
    if not isinstance(value, tuple):
        yield value
        return
    for item in cast("tuple[object, ...]", value):
        yield from leaves(item)


def table_sizes(value: object) -> tuple[int, ...] | None:
    """Return the sizes of a nested list, () for what is none; None where rows differ in length, or one is empty."""
    if not isinstance(value, tuple):
        return ()
    rows = cast("tuple[object, ...]", value)
    inner = {table_sizes(row) for row in rows}
    below = inner.pop() if len(inner) == 1 else None
    return None if below is None else (len(rows), *below)


def in_rows(items: Sequence[object], sizes: Sequence[int]) -> tuple[object, ...]:
    """Nest items in lists of these sizes."""
    if len(sizes) == 1:
        return tuple(items)
    step = len(items) // sizes[0]
    return tuple(in_rows(items[at : at + step], sizes[1:]) for at in range(0, len(items), step))
