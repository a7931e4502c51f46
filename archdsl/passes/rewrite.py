"""What every transform shares: new graphs that keep all of the old ones but their nodes and outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from archdsl.ir.again import Again
from archdsl.ir.graph import Graph, Node, NodeId, Output
from archdsl.ops.shape import Shape

# What a transform makes of a body, given what enters it; None where there is no such body.
BodyChange: TypeAlias = Callable[[Graph, Sequence[Shape]], "Graph | None"]


def with_nodes(
    graph: Graph, nodes: Mapping[NodeId, Node], outputs: tuple[Output, ...], change: BodyChange | None = None
) -> Graph:
    """Return a graph with other nodes and outputs; the graph itself where all of them are the same.

    `change` is what was done to it, for bodies that are made once more.
    """
    is_same = len(nodes) == len(graph.nodes) and all(nodes.get(key) is node for key, node in graph.nodes.items())
    if is_same and outputs == graph.outputs:
        return graph
    made = Graph(graph.name, graph.kind, nodes, outputs, graph.span, graph.bindings, graph.doc)
    if graph.again is not None and change is not None:
        made.again = Again(partial(_changed_again, graph.again, change))
    return made


def _changed_again(
    again: Again[Graph], change: BodyChange, parameters: Mapping[str, object], entering: Sequence[Shape]
) -> Graph | None:
    graph = again(parameters, entering)
    return None if graph is None else change(graph, entering)


def with_changes(node: Node, **changes: object) -> Node:
    """Return a node with other fields; the node itself where they are the same."""
    if all(getattr(node, name) is value or getattr(node, name) == value for name, value in changes.items()):
        return node
    return replace(node, **changes)  # pyright: ignore[reportArgumentType] -- fields of a node
