"""Costs: parameters, buffers, multiply-adds and activation sizes, for one image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from archdsl.ir.graph import Node, NodeId
from archdsl.ir.walk import PerBody
from archdsl.ops.base import Cost
from archdsl.passes.shapes import Shapes
from archdsl.text.record import record

BYTES = 4
"""Bytes of a float32, in which activations and weights are counted."""


@record
class Total:
    """What a body or node costs for one image, everything inside it included.

    `macs` are the multiply-adds of convolutions and matrix products without bias, `flops` twice that; `elementwise`
    counts the other arithmetic apart. `activations` counts the elements that operators write. `frozen` are those of the
    parameters that training leaves as they are.
    """

    parameters: int = 0
    buffers: int = 0
    macs: int = 0
    elementwise: int = 0
    activations: int = 0
    frozen: int = 0

    @property
    def is_frozen(self) -> bool:
        """Whether there are parameters, and training leaves all of them as they are."""
        return bool(self.frozen) and self.frozen == self.parameters

    @property
    def trainable(self) -> int:
        """The parameters that training changes."""
        return self.parameters - self.frozen

    @property
    def flops(self) -> int:
        return 2 * self.macs

    @property
    def activation_bytes(self) -> int:
        return BYTES * self.activations

    def times(self, count: int, *, is_reused: bool = False) -> Total:
        """Return the costs of several equal steps; what is applied again has no tensors of its own."""
        own = 0 if is_reused else count
        return Total(
            self.parameters * own,
            self.buffers * own,
            self.macs * count,
            self.elementwise * count,
            self.activations * count,
            self.frozen * own,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """A body's costs: `nodes` maps each node to those of one application, `total` adds repeats up."""

    nodes: Mapping[NodeId, Total]
    inner: Mapping[NodeId, Costs]
    total: Total


def count_costs(shapes: Shapes) -> Costs:
    """Count what every node costs, each distinct body once.

    Requires: shapes without errors, all numbers. Ensures: weights that several nodes share are counted once.
    """
    return PerBody(count_body)(shapes)


def count_body(shapes: Shapes, count: Callable[[Shapes], Costs]) -> Costs:
    """Count what the nodes of one body cost; `count` is asked for the bodies that it calls."""
    nodes: dict[NodeId, Total] = {}
    inner: dict[NodeId, Costs] = {}
    parameters = buffers = macs = elementwise = activations = frozen = 0
    for node in shapes.graph.topological():
        if node.id in shapes.inner:
            inner[node.id] = count(shapes.inner[node.id])
            one = inner[node.id].total
        else:
            one = _operator(node, shapes)
        nodes[node.id] = one
        times = node.repeat
        if node.reuses is None:
            parameters += one.parameters * times
            buffers += one.buffers * times
            frozen += one.frozen * times
        macs += one.macs * times
        elementwise += one.elementwise * times
        activations += one.activations * times
    total = Total(parameters, buffers, macs, elementwise, activations, frozen)
    return Costs(MappingProxyType(nodes), MappingProxyType(inner), total)


def _operator(node: Node, shapes: Shapes) -> Total:
    if node.is_input or node.op is None:
        return Total()
    inputs = shapes.inputs_of(node)
    cost: Cost = node.op.cost(inputs)
    elements = shapes.results[node.id][""].elements
    assert isinstance(elements, int)
    written = elements if cost.elementwise or cost.macs else 0
    frozen = cost.parameters if node.is_frozen else 0
    return Total(cost.parameters, cost.buffers, cost.macs, cost.elementwise, written, frozen)
