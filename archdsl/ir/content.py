"""What a graph says, as one short text: equal graphs have equal ones, whoever made them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from hashlib import sha256
from typing import cast

from archdsl.ir.graph import Graph, Node, Value


def content_of(graph: Graph, *, is_bare: bool = False) -> str:
    """Return a digest of a graph with all bodies below it.

    It covers what is compiled: names, operators, wiring and outputs, and names of blocks, parameters and documentation
    beside them. With `is_bare` these are left out, a repeat is what it stands for, joins have no names, a body has no
    main result that nothing reads, values arrive in it in the order of `Graph.entries_read`, and a step that applies
    another's weights goes by that one's, so that graphs which build the same tensors and values in the same order are
    equal.
    """
    return contents_of(graph, is_bare=is_bare)[graph]


def contents_of(graph: Graph, *, is_bare: bool = False, tells_frozen: bool = True) -> Mapping[Graph, str]:
    """Return the digests of a graph and of all bodies below it, perhaps without what is frozen of them."""
    known: dict[Graph, str] = {}
    read = _read_mains(graph) if is_bare else frozenset[Graph]()
    for body in graph.bodies():
        told = _bare(body, known, read, tells_frozen) if is_bare else _whole(body, known)
        known[body] = sha256(repr(told).encode()).hexdigest()[:32]
    return known


def _whole(graph: Graph, known: dict[Graph, str]) -> object:
    nodes = [(n.names, n.inputs, _op(n), _below(n, known), n.is_labelled, n.reuses) for n in graph.topological()]
    bindings = [(name, _told(value)) for name, value in graph.bindings.items()]
    return graph.kind, graph.name, graph.doc, bindings, graph.outputs, nodes


def _told(value: object) -> str:
    """Tell a setting from others as far as compiled code shows it: operators and blocks as values do not."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_told, cast('tuple[object, ...]', value)))})"
    return repr(value) if isinstance(value, bool | int | float | str | Fraction) else type(value).__name__


def _read_mains(graph: Graph) -> frozenset[Graph]:
    """Return the graphs whose main result is read: the model, and the bodies of such calls."""
    found = {graph}
    for outer in reversed(list(graph.bodies())):  # those that call a body before it
        values = [value for node in outer.topological() for value in node.inputs]
        read = set(values) | {output.value for output in outer.outputs if output.name or outer in found}
        for node in outer.topological():
            if node.body is not None and (node.repeat > 1 or Value(node.id) in read):
                found.add(node.body)
    return frozenset(found)


def _bare(graph: Graph, known: dict[Graph, str], read: frozenset[Graph], tells_frozen: bool) -> object:
    numbers: dict[str, int] = {}
    if graph.kind != "model":
        numbers = {graph.inputs[index].id: -1 - place for place, index in enumerate(graph.entries_read)}
    steps: list[object] = []
    for node in graph.topological():
        if node.is_input and graph.kind != "model":
            continue
        sources = [_number(value, graph, numbers) for value in node.inputs_read]
        for name in node.names:
            is_join = node.op is not None and node.op.is_join
            shown = "" if node.is_input or is_join or node.reuses is not None else name
            op = _op(node) if tells_frozen else repr(node.op)
            steps.append((shown, sources, op, _below(node, known), node.reuses))
            sources = [(len(steps) - 1, _result("", node)), *sources[1:]]
        numbers[node.id] = len(steps) - 1
    told = [output for output in graph.outputs if output.name or graph in read]
    outputs = [(o.name, o.is_training_only, _number(o.value, graph, numbers)) for o in told]
    return steps, outputs


def _number(value: Value, graph: Graph, numbers: dict[str, int]) -> tuple[int, str]:
    """Return which step gives a value, and as which of its outputs."""
    return numbers[value.node], _result(value.output, graph.nodes[value.node])


def _result(output: str, node: Node) -> str:
    """Return the name that a node's output has in its body, where the main one may have one too."""
    return output or (node.body.outputs[0].name if node.body is not None else "")


def _op(node: Node) -> str:
    return f"{node.op!r}{' frozen' if node.is_frozen else ''}"


def _below(node: Node, known: dict[Graph, str]) -> str:
    return known[node.body] if node.body is not None else ""
