"""The order of a file's classes: inner ones first, those of one block together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from archdsl.backends.torch.modules import has_class
from archdsl.ir.graph import Graph
from archdsl.ir.walk import PerBody
from archdsl.passes.shapes import Shapes

ClassOrder: TypeAlias = tuple[str, int, int, int]


def grouped(root: Shapes, tried: Iterable[Shapes] = ()) -> Iterator[list[Shapes]]:
    """Yield the tables below the root that need classes, block by block, so that inner classes come first.

    Those of calls that were only tried, and that are not below the root, stand behind the others of their block.
    """
    below = [table for table in root.tables() if table is not root]
    every = dict.fromkeys([*below, *(table for trial in tried for table in trial.tables())])
    tables = [table for table in every if has_class(table.graph)]
    keys = {table: _key(table.graph) for table in tables}
    order = _ordered([*every, root], keys)
    if order is None:  # a block inside itself: each depth of it is a class of its own
        height = PerBody[Shapes, int](lambda table, below: 1 + max(map(below, table.inner.values()), default=0))
        keys = {table: (*_key(table.graph)[:3], height(table)) for table in tables}
        order = _ordered([*every, root], keys)
        assert order is not None, "heights order the tables"
    for key in order:
        yield [table for table in tables if keys[table] == key]


def _key(graph: Graph) -> ClassOrder:
    source = graph.span.source
    return (graph.name, graph.span.start, hash((source.name, source.text)), 0)


def _ordered(tables: Iterable[Shapes], keys: Mapping[Shapes, ClassOrder]) -> list[ClassOrder] | None:
    """Order the keys so that each comes after those it contains; None where one contains itself."""
    contains: dict[ClassOrder, set[ClassOrder]] = {key: set() for key in keys.values()}
    first: dict[ClassOrder, int] = {}
    for position, table in enumerate(tables):
        if table not in keys:
            continue
        first.setdefault(keys[table], position)
        contains[keys[table]] |= {keys[inner] for inner in _below(table) if inner in keys}
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
