"""The order of a file's classes: inner ones first, those of one block together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from archdsl.backends.torch.modules import has_class
from archdsl.ir.graph import Graph
from archdsl.passes.shapes import Shapes

ClassOrder: TypeAlias = tuple[str, int, int, int]


def grouped(root: Shapes) -> Iterator[list[Shapes]]:
    """Yield the tables below the root that need classes, block by block, so that inner classes come first."""
    tables = [table for table in _tables(root) if table is not root and has_class(table.graph)]
    keys = {id(table): _key(table.graph) for table in tables}
    order = _ordered(root, keys)
    if order is None:  # a block inside itself: each depth of it is a class of its own
        keys = {id(table): (*_key(table.graph)[:3], _height(table)) for table in tables}
        order = _ordered(root, keys)
        assert order is not None, "heights order the tables"
    for key in order:
        yield [table for table in tables if keys[id(table)] == key]


def _key(graph: Graph) -> ClassOrder:
    return (graph.name, graph.span.start, id(graph.span.source), 0)


def _tables(root: Shapes) -> list[Shapes]:
    """List each distinct table below and with the root, inner ones first."""
    seen: set[int] = set()
    result: list[Shapes] = []
    stack = [(root, False)]
    while stack:
        table, is_done = stack.pop()
        if is_done:
            result.append(table)
        elif id(table) not in seen:
            seen.add(id(table))
            stack.append((table, True))
            stack.extend((inner, False) for inner in reversed(list(table.inner.values())))
    return result


def _height(table: Shapes) -> int:
    return 1 + max((_height(inner) for inner in table.inner.values()), default=0)


def _ordered(root: Shapes, keys: Mapping[int, ClassOrder]) -> list[ClassOrder] | None:
    """Order the keys so that each comes after those it contains; None where one contains itself."""
    contains: dict[ClassOrder, set[ClassOrder]] = {key: set() for key in keys.values()}
    first: dict[ClassOrder, int] = {}
    for position, table in enumerate(_tables(root)):
        if id(table) not in keys:
            continue
        first.setdefault(keys[id(table)], position)
        contains[keys[id(table)]] |= {keys[id(inner)] for inner in _below(table) if id(inner) in keys}
    result: list[ClassOrder] = []
    left = sorted(contains, key=lambda key: first[key])
    while left:
        ready = [key for key in left if contains[key] <= set(result)]
        if not ready:
            return None
        result += ready[:1]
        left.remove(ready[0])
    return result


def _below(table: Shapes) -> Iterator[Shapes]:
    """Yield the tables whose classes a table's code names."""
    for inner in table.inner.values():
        yield inner
        if not has_class(inner.graph):
            yield from _below(inner)
