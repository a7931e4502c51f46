"""Which activations may overwrite their input."""

from __future__ import annotations

from archdsl.ir.graph import Graph, Node, Value


def runs_in_place(node: Node, graph: Graph) -> bool:
    """Return whether an activation may overwrite its input: nobody else reads it, nor does a backward pass."""
    if node.op is None or not node.op.can_run_in_place or node.reuses is not None or node.repeat > 1:
        return False
    if node.is_labelled and any(other.reuses == node.id for other in graph.topological()):
        return False  # what it is applied to again may be needed
    (value,) = node.inputs
    return _readers(graph, value) == 1 and _is_disposable(graph, value)


def one_name(graph: Graph, value: Value) -> Value:
    """Return the name that all who read a value agree on: the main output of a body has two."""
    body = graph.nodes[value.node].body
    return Value(value.node) if body is not None and body.outputs[0].name == value.output else value


def _readers(graph: Graph, value: Value) -> int:
    """Count how often a value is read, by nodes or as an output."""
    value = one_name(graph, value)
    inside = [one_name(graph, source) for reader in graph.consumers[value.node] for source in reader.inputs]
    return inside.count(value) + sum(one_name(graph, output.value) == value for output in graph.outputs)


def _is_disposable(graph: Graph, value: Value) -> bool:
    """Return whether a value is a tensor of its own that its operator does not need again."""
    node = graph.nodes[value.node]
    if node.body is not None:
        output = next((o for o in node.body.outputs if o.name == value.output), node.body.outputs[0])
        return _readers(node.body, output.value) == 1 and _is_disposable(node.body, output.value)
    op = node.op
    if op is None or node.reuses is not None:
        return False
    is_sum = op.is_pointwise() and op.saves == "none" and len(node.inputs) > 1
    return is_sum or op.category in ("conv", "linear", "norm")
