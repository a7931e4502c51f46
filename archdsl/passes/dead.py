"""Remove what no output needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from archdsl.ir.graph import Graph, Node, NodeId, Output
from archdsl.ir.walk import PerBody
from archdsl.passes.rewrite import with_changes, with_nodes


def remove_dead(graph: Graph) -> Graph:
    """Leave out nodes that no output needs, and in the bodies of calls the outputs that nobody reads.

    Inputs stay, and so does a module that is needed only because a later step applies it again.

    Requires: a verified graph. Ensures: a legal graph with the same outputs and the names that the remaining nodes
    had; calls that shared a body share the new one where the same outputs of it are read.
    """
    return PerBody[_Asked, Graph](_without_dead)(_Asked(graph, frozenset(output.name for output in graph.outputs)))


class _Asked(NamedTuple):
    """A body, and which of its outputs are needed."""

    graph: Graph
    needed: frozenset[str]


def _without_dead(asked: _Asked, inside: Callable[[_Asked], Graph]) -> Graph:
    graph = asked.graph
    outputs = tuple(output for output in graph.outputs if output.name in asked.needed)
    read = _reads(graph, outputs)
    nodes: dict[NodeId, Node] = {}
    for node in graph.topological():
        if node.is_input:
            nodes[node.id] = node
        elif node.id in read:
            body = inside(_asked(node.body, read[node.reuses or node.id])) if node.body is not None else None
            nodes[node.id] = with_changes(node, body=body)
    return with_nodes(graph, nodes, outputs, lambda other, _: PerBody(_without_dead)(_Asked(other, asked.needed)))


def _asked(body: Graph, names: set[str]) -> _Asked:
    return _Asked(body, frozenset(name or body.outputs[0].name for name in names))


def _reads(graph: Graph, outputs: tuple[Output, ...]) -> dict[NodeId, set[str]]:
    """Map each node that is needed to the outputs of it that are read."""
    read: dict[NodeId, set[str]] = {}
    for output in outputs:
        read.setdefault(output.value.node, set()).add(output.value.output)
    for node in reversed(list(graph.topological())):
        if node.id not in read:
            continue
        if node.repeat > 1:
            read[node.id].add("")
        if node.reuses is not None:  # one module has one body, so that both need what either does
            read.setdefault(node.reuses, set()).update(read[node.id])
        for value in node.inputs:
            read.setdefault(value.node, set()).add(value.output)
    return read
