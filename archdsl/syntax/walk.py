"""The nodes of a syntax tree, whatever they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, cast

from archdsl.syntax import tree


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


def children_of(node: object) -> Iterator[object]:
    """Yield the nodes directly below one, in the order of its fields."""
    if is_dataclass(node):
        for name in _parts(type(node)):
            part: object = getattr(node, name)
            items = cast("tuple[object, ...]", part) if isinstance(part, tuple) else (part,)
            yield from (item for item in items if is_dataclass(item))


def names_read(part: object) -> frozenset[str] | None:
    """Return the names that a tree may read; None where one is put together of parts behind `@`."""
    found: set[str] = set()
    for node in nodes_of(part):
        match node:
            case (
                tree.Variable(name=name) | tree.Call(name=tree.Name(text=name)) | tree.Apply(name=tree.Name(text=name))
            ):
                found.add(name)
            case tree.Reference(label=tree.LabelText(pieces=(str(name),))):
                found.add(name)
            case tree.Reference():
                return None
            case _:
                pass
    return frozenset(found)


@cache
def _parts(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name != "span")
