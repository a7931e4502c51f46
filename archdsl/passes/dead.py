"""Remove what no output needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from archdsl.ir.graph import Graph, Node, NodeId, Output
from archdsl.ir.walk import PerBody
from archdsl.passes.rewrite import with_changes, with_nodes


def remove_dead(graph: Graph) -> Graph:
    """Leave out nodes that no output needs, and in the bodies of calls the outputs and values that nobody reads.

    The inputs of the network stay, so does what flows into a body, and a module that is needed only because a later
    step applies it again.

    Requires: a verified graph. Ensures: a legal graph with the same outputs and the names that the remaining nodes
    had; calls that shared a body share the new one where the same outputs of it are read.
    """
    return _remove(_Asked(graph, frozenset(output.name for output in graph.outputs)))


class _Asked(NamedTuple):
    """A body, and which of its outputs are needed."""

    graph: Graph
    needed: frozenset[str]


_Entries: TypeAlias = Callable[[_Asked], frozenset[int]]
"""Lists the inputs of a body, by position, that it keeps."""


def _without_dead(asked: _Asked, inside: Callable[[_Asked], Graph], entries: _Entries) -> Graph:
    graph = asked.graph
    outputs = _outputs(asked)
    read = _reads(graph, outputs, entries)
    kept = entries(asked)
    nodes: dict[NodeId, Node] = {}
    position = 0
    for node in graph.topological():
        if node.is_input:
            if position in kept:
                nodes[node.id] = node
            position += 1
        elif node.id in read:
            inner = _asked(node, read)
            if inner is None:
                nodes[node.id] = node
                continue
            used = entries(inner)
            inputs = tuple(value for index, value in enumerate(node.inputs) if index in used)
            nodes[node.id] = with_changes(node, body=inside(inner), inputs=inputs)
    if len(kept) < len(graph.inputs):  # what is made once more for as many inputs has others
        return with_nodes(graph, nodes, outputs)
    return with_nodes(graph, nodes, outputs, lambda other, _: _remove(_Asked(other, asked.needed)))


def _remove(asked: _Asked) -> Graph:
    entries = PerBody[_Asked, frozenset[int]](_entries)
    return PerBody[_Asked, Graph](lambda asked, inside: _without_dead(asked, inside, entries))(asked)


def _outputs(asked: _Asked) -> tuple[Output, ...]:
    return tuple(output for output in asked.graph.outputs if output.name in asked.needed)


def _entries(asked: _Asked, below: _Entries) -> frozenset[int]:
    """List the inputs that a body keeps: all of a model, else the first, which flows, and those that are read."""
    graph = asked.graph
    read = _reads(graph, _outputs(asked), below)
    is_model = graph.kind == "model"
    return frozenset(i for i, node in enumerate(graph.inputs) if i == 0 or is_model or node.id in read)


def _asked(node: Node, read: dict[NodeId, set[str]]) -> _Asked | None:
    """Return the body of a call with the outputs that are needed of it."""
    body = node.body
    if body is None:
        return None
    return _Asked(body, frozenset(name or body.outputs[0].name for name in read[node.reuses or node.id]))


def _reads(graph: Graph, outputs: tuple[Output, ...], entries: _Entries) -> dict[NodeId, set[str]]:
    """Map each node that is needed to the outputs of it that are read."""
    read: dict[NodeId, set[str]] = {}
    for output in outputs:
        read.setdefault(output.value.node, set()).add(output.value.output)
    while True:
        before = sum(map(len, read.values()))
        for node in reversed(list(graph.topological())):
            if node.id not in read:
                continue
            if node.repeat > 1:
                read[node.id].add("")
            if node.reuses is not None:  # one module has one body, so that both need what either does
                read.setdefault(node.reuses, set()).update(read[node.id])
            inner = _asked(node, read)
            used = entries(inner) if inner is not None else range(len(node.inputs))
            for index in used:
                read.setdefault(node.inputs[index].node, set()).add(node.inputs[index].output)
        if sum(map(len, read.values())) == before:
            return read
