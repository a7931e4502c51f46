"""The two tables that nearly every output reads together: what each node of a body gives, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.ir.graph import Graph, Node
from archdsl.passes.costs import Costs
from archdsl.passes.shapes import Shapes
from archdsl.text.record import record


@record
class Tables:
    """What is known of a body for certain input shapes. Equal where both tables are the same objects.

    Requires: costs counted of these very shapes.
    """

    shapes: Shapes
    costs: Costs

    @property
    def graph(self) -> Graph:
        """The body."""
        return self.shapes.graph

    def inner(self, node: Node) -> Tables:
        """Return the tables of the body that a node calls."""
        return Tables(self.shapes.inner[node.id], self.costs.inner[node.id])


def walk(tables: Tables, path: str = "") -> Iterator[tuple[str, Node, Tables]]:
    """Yield every node once all bodies are written out: its path, and the tables of the body it stands in."""
    for node in tables.graph.topological():
        for name in node.names:
            full = f"{path}.{name}" if path else name
            yield full, node, tables
            if node.body is not None:
                yield from walk(tables.inner(node), full)
