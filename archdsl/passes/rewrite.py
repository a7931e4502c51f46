"""What every transform shares: new graphs that keep all of the old ones but their nodes and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from archdsl.ir.graph import Graph, Node, NodeId, Output


def with_nodes(graph: Graph, nodes: Mapping[NodeId, Node], outputs: tuple[Output, ...]) -> Graph:
    """Return a graph with other nodes and outputs; the graph itself where all of them are the same."""
    is_same = len(nodes) == len(graph.nodes) and all(nodes.get(key) is node for key, node in graph.nodes.items())
    if is_same and outputs == graph.outputs:
        return graph
    return Graph(graph.name, graph.kind, nodes, outputs, graph.span, graph.bindings, graph.doc)


def with_changes(node: Node, **changes: object) -> Node:
    """Return a node with other fields; the node itself where they are the same."""
    if all(getattr(node, name) is value or getattr(node, name) == value for name, value in changes.items()):
        return node
    return replace(node, **changes)  # pyright: ignore[reportArgumentType] -- fields of a node
