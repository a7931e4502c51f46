"""Remove what hands its input on unchanged."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from archdsl.ir.graph import Graph, Node, NodeId, Value
from archdsl.ir.walk import PerBody
from archdsl.passes.rewrite import with_changes, with_nodes


def remove_identities(graph: Graph, *, in_training: bool = True) -> Graph:
    """Leave out operators that change nothing, and calls of bodies in which nothing is left.

    These are `none`, noise of probability 0, and resizing, shuffling, padding and permuting to the same; for evaluation
    (`in_training=False`) also all noise. None of them has state, so that no key is lost.

    Requires: a verified graph. Ensures: a legal graph with the same results, the same state, and the names that the
    remaining nodes had; the graph itself where there is nothing to remove.
    """
    return PerBody[Graph, Graph](partial(_without, in_training))(graph)


def _without(in_training: bool, graph: Graph, changed: Callable[[Graph], Graph]) -> Graph:
    nodes: dict[NodeId, Node] = {}
    moved: dict[Value, Value] = {}
    for node in graph.topological():
        inputs = tuple(moved.get(value, value) for value in node.inputs)
        body = changed(node.body) if node.body is not None else None
        if node.op is not None and not node.is_input and node.op.is_identity(in_training=in_training):
            moved[Value(node.id)] = inputs[0]
        elif body is not None and all(inner.is_input for inner in body.nodes.values()):
            moved.update(_passed_through(node, body, inputs))
        else:
            nodes[node.id] = with_changes(node, inputs=inputs, body=body)
    outputs = tuple(output._replace(value=moved.get(output.value, output.value)) for output in graph.outputs)
    return with_nodes(graph, nodes, outputs, lambda other, _: remove_identities(other, in_training=in_training))


def _passed_through(node: Node, body: Graph, inputs: tuple[Value, ...]) -> dict[Value, Value]:
    by_entry = {entry.id: value for entry, value in zip(body.inputs, inputs, strict=True)}
    main = by_entry[body.main.node]
    if node.repeat > 1:  # which flows from the second time on
        by_entry[body.inputs[0].id] = main
    results = {output.name: by_entry[output.value.node] for output in body.outputs}
    results[""] = main
    return {Value(node.id, name): value for name, value in results.items()}
