"""What a legal graph is. A violation is a bug of archdsl's, never the spec author's."""

from __future__ import annotations

from archdsl.ir.graph import Graph, Node


class IllegalGraph(AssertionError):
    """A pass made a graph that breaks a rule below: a bug in archdsl."""


def verify(graph: Graph) -> None:
    """Raise IllegalGraph unless the graph and all bodies below it keep these rules.

    - A node is an input, an operator or a call, never two of them, and has at least one name.
    - Names are unique within a body and non-empty, and the table's key is the first of them. Those with dots are paths
      below the body; no name stands below another.
    - Inputs name nodes that come before, so the order is topological, and outputs that those nodes have.
    - An operator that is no join reads one value, none where it is a source, and one for each attribute that is a
      value; a call reads as many as its body has inputs.
    - What repeats reads a value, whose place its main result takes from the second time on; its other inputs are the
      same each time. What is reused comes before, has the same operator or body, and is no reuse itself.
    - Every body has an output, and output names are unique.
    """
    for body in graph.bodies():
        _verify_body(body)


def _verify_body(graph: Graph) -> None:
    seen: set[str] = set()
    if not graph.outputs:
        raise IllegalGraph(f"{graph} has no output")
    for key, node in graph.nodes.items():
        where = f"node {key!r} of {graph}"
        _require(key == node.id, f"{where} is filed under another name than {node.id!r}")
        _require(all(all(name.split(".")) for name in node.names), f"{where} has an illegal name")
        _require(len(set(node.names)) == len(node.names), f"{where} repeats a name")
        _require(seen.isdisjoint(node.names), f"{where} bears the name of another")
        _verify_node(node, graph, seen, where)
        seen.update(node.names)
    outer = {name[:i] for name in seen for i, letter in enumerate(name) if letter == "."}
    _require(seen.isdisjoint(outer), f"a node of {graph} stands below another")
    names = [output.name for output in graph.outputs]
    _require(len(set(names)) == len(names), f"{graph} has two outputs of one name")
    for output in graph.outputs:
        _require(output.value.node in graph.nodes, f"output {output.name!r} of {graph} names no node")


def _verify_node(node: Node, graph: Graph, before: set[str], where: str) -> None:
    _require(node.op is None or node.body is None, f"{where} is both an operator and a call")
    if node.is_input:
        _require(not node.inputs and node.repeat == 1, f"{where} is an input that reads something")
        return
    for value in node.inputs:
        _require(value.node in before, f"{where} reads {value.node!r}, which does not come before it")
        source = graph.nodes[value.node].body
        known = {"", *(output.name for output in source.outputs)} if source is not None else {""}
        _require(value.output in known, f"{where} reads an output that {value.node!r} does not have")
    if node.body is not None:
        _require(len(node.inputs) == len(node.body.inputs), f"{where} does not fit its body's inputs")
    elif node.op is not None and not node.op.is_join:
        count = (0 if node.op.is_source else 1) + node.op.values_read()
        _require(len(node.inputs) == count, f"{where} reads {len(node.inputs)} values")
    if node.repeat > 1:
        _require(bool(node.inputs) and node.reuses is None, f"{where} repeats, but is no simple step")
    if node.reuses is not None:
        first = graph.nodes.get(node.reuses)
        same = first is not None and first.op == node.op and first.body is node.body and first.reuses is None
        _require(same, f"{where} reuses {node.reuses!r}, which is not the same module")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise IllegalGraph(message)
