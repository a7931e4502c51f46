"""Which operators share a box: a convolution, say, with the norm and activation around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from archdsl.ir.graph import Graph, Node, Value

Chunk: TypeAlias = tuple[Node, ...]

_SMALL = ("norm", "activation", "regularise")


def chunks(graph: Graph) -> list[Chunk]:
    """Split a body's nodes, inputs aside, into runs that share a box each, in the order of their last nodes."""
    found: dict[str, list[Node]] = {}
    kept = {output.value.node for output in graph.outputs}
    for node in graph.topological():
        if node.is_input:
            continue
        before = node.inputs[0].node if len(node.inputs) == 1 and not node.inputs[0].output else ""
        is_alone = before in found and before not in kept and len(graph.consumers[before]) == 1
        if is_alone and _joins(found[before], node):
            found[node.id] = [*found.pop(before), node]
        else:
            found[node.id] = [node]
    return [tuple(nodes) for nodes in found.values()]


def head_of(chunk: Sequence[Node]) -> Node:
    """Return the node that a chunk is about: its convolution, say, or its first where none is more than the rest."""
    return next((node for node in chunk if not _is_small(node)), chunk[0])


def is_simple(graph: Graph) -> bool:
    """Return whether a body comes down to one box of operators."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return False
    parts = chunks(graph)
    if len(parts) != 1 or parts[0][0].inputs != (Value(graph.inputs[0].id),):
        return False
    body = parts[0][0].body
    return body is None or is_simple(body)


def _joins(chunk: Sequence[Node], node: Node) -> bool:
    """Return whether a node goes into the box of those before it."""
    if node.repeat > 1 or node.reuses is not None or chunk[-1].repeat > 1:
        return False
    head = head_of(chunk)
    if _is_small(node):
        return _is_small(head) or _carries(head)
    return _is_small(head) and _carries(node) and not _is_pool(node)


def _is_small(node: Node) -> bool:
    return node.op is not None and (node.op.category in _SMALL or node.op.is_aside)


def _carries(node: Node) -> bool:
    return node.op is not None and node.op.category in ("conv", "linear", "pool")


def _is_pool(node: Node) -> bool:
    return node.op is not None and node.op.category == "pool"
