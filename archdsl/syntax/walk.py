"""The nodes of a syntax tree, whatever they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any


def nodes_of(part: object) -> Iterator[object]:
    """Yield a tree's nodes, in no certain order."""
    left: list[object] = [part]
    while left:
        node = left.pop()
        if isinstance(node, tuple | list):
            left += node  # pyright: ignore[reportUnknownArgumentType] -- whatever the tree is made of
        elif is_dataclass(node):
            yield node
            left += [getattr(node, name) for name in _parts(type(node))]


@cache
def _parts(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name != "span")
