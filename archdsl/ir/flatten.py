"""The plain graph: one node per operator, all bodies written out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from archdsl.ir.graph import Graph, Node, Value

if TYPE_CHECKING:
    from networkx import MultiDiGraph


def flatten(graph: Graph) -> MultiDiGraph[str]:
    """Give the networkx graph with a node per operator, named by its path.

    Node data `payload` is the Node, whose names are relative to its body; edge data `port` is the input's position.
    """
    from networkx import MultiDiGraph

    flat: MultiDiGraph[str] = MultiDiGraph(name=graph.name)
    outputs = _write_out(graph, "", None, flat)
    flat.graph["outputs"] = outputs
    return flat


def _write_out(graph: Graph, path: str, arriving: Sequence[str] | None, flat: MultiDiGraph[str]) -> Mapping[str, str]:
    """Add a body's operators; give its outputs' nodes by name. `arriving` are the nodes that its inputs stand for."""
    found: dict[Value, str] = {}
    position = 0
    for node in graph.topological():
        if node.is_input and arriving is not None:
            found[Value(node.id)] = arriving[position]
            position += 1
            continue
        sources = [found[value] for value in node.inputs]
        results: Mapping[str, str] = {}
        for name in node.names:
            results = _write_node(node, f"{path}{name}", sources, flat)
            sources = [results[""]]
        found.update({Value(node.id, output): target for output, target in results.items()})
    named = {output.name: found[output.value] for output in graph.outputs}
    return {"": found[graph.main], **named}


def _write_node(node: Node, path: str, sources: Sequence[str], flat: MultiDiGraph[str]) -> Mapping[str, str]:
    if node.body is not None:
        return _write_out(node.body, f"{path}.", sources, flat)
    flat.add_node(path, payload=node)
    for port, source in enumerate(sources):
        flat.add_edge(source, path, port=port)
    return {"": path}
