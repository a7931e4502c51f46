"""Shapes: what every node gives, for inputs of a certain size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from archdsl.ir.graph import Graph, Node, NodeId, Value
from archdsl.ops.base import OpError
from archdsl.ops.shape import LARGEST_TENSOR, Shape
from archdsl.text.diagnostic import Label, Reporter


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """The shapes in one body for certain input shapes. Compared by identity: equal calls share one table.

    `results` maps each node to its outputs' shapes by name, "" being the main one; a node is missing where an
    error upstream leaves it without. `inner` maps a call to the table of its body.
    """

    graph: Graph
    inputs: tuple[Shape, ...]
    results: Mapping[NodeId, Mapping[str, Shape]]
    inner: Mapping[NodeId, Shapes]

    def of(self, value: Value) -> Shape:
        return self.results[value.node][value.output]

    def inputs_of(self, node: Node) -> list[Shape]:
        return [self.of(value) for value in node.inputs]

    @property
    def outputs(self) -> Mapping[str, Shape]:
        """Give the graph's outputs' shapes by name; the main one is also under ""."""
        named = {output.name: self.of(output.value) for output in self.graph.outputs}
        return {"": self.of(self.graph.main), **named}


Known: TypeAlias = dict[tuple[int, tuple[Shape, ...]], Shapes]
"""The tables found so far, by the identity of a body and the shapes that enter it."""


def infer_shapes(graph: Graph, inputs: Sequence[Shape], report: Reporter, known: Known | None = None) -> Shapes:
    """Give every node's shape; each distinct pair of body and input shapes is worked out once.

    `known` are tables of earlier runs without errors, to use and to add to.
    Requires: a verified graph, and one shape for each of its inputs.
    Ensures: every node has a shape, or an error at its root cause is in `report`.
    """
    return _Inference(report, {} if known is None else known).run(graph, tuple(inputs))


def _check_size(shape: Shape) -> None:
    elements = shape.elements
    if isinstance(elements, int) and elements > LARGEST_TENSOR:
        raise OpError("E109", f"{shape} is larger than a tensor can be")


@dataclass(slots=True)
class _Inference:
    report: Reporter
    known: Known

    def run(self, graph: Graph, inputs: tuple[Shape, ...]) -> Shapes:
        key = (id(graph), inputs)
        if key not in self.known:
            self.known[key] = self._body(graph, inputs)
        return self.known[key]

    def _body(self, graph: Graph, inputs: tuple[Shape, ...]) -> Shapes:
        results: dict[NodeId, Mapping[str, Shape]] = {}
        inner: dict[NodeId, Shapes] = {}
        arriving = iter(inputs)
        for node in graph.topological():
            if node.is_input:
                results[node.id] = {"": next(arriving)}
                continue
            sources = [results[v.node][v.output] for v in node.inputs if v.output in results.get(v.node, ())]
            if len(sources) < len(node.inputs):
                continue  # already reported upstream: one mistake, one message
            if node.body is not None:
                table = self.run(node.body, tuple(sources))
                inner[node.id] = table
                if all(output.value.output in table.results.get(output.value.node, ()) for output in node.body.outputs):
                    results[node.id] = table.outputs
                continue
            assert node.op is not None
            try:
                shape = node.op.infer_shape(sources)
                _check_size(shape)
                results[node.id] = {"": shape}
            except OpError as error:
                self._fail(error, node)
        return Shapes(graph, inputs, MappingProxyType(results), MappingProxyType(inner))

    def _fail(self, error: OpError, node: Node) -> None:
        self.report.error(
            error.code,
            error.message,
            node.span_of(error.attribute),
            marker=error.marker,
            labels=[Label(span, f"in `{name}`, called here") for name, span in reversed(node.calls)],
            help=error.help,
        )
