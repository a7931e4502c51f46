"""Arithmetic intensity: how much a network computes per byte it moves, which tells what bounds its speed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from types import MappingProxyType

from archdsl.ir.graph import Node, NodeId
from archdsl.ir.walk import PerBody
from archdsl.passes.costs import BYTES
from archdsl.passes.shapes import Shapes


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a node or body computes and moves for a batch, in evaluation and in float32.

    `flops` are twice the multiply-adds; `elementwise` counts the other arithmetic apart. `bytes` are those of the
    weights (parameters and buffers, read once however large the batch), inputs and outputs of every operator run by
    itself, none fused with another and nothing kept in a cache; views move nothing.
    """

    flops: int = 0
    elementwise: int = 0
    bytes: int = 0

    @property
    def intensity(self) -> float:
        """Return flops per byte; 0 where nothing is moved."""
        return self.flops / self.bytes if self.bytes else 0.0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(self.flops + other.flops, self.elementwise + other.elementwise, self.bytes + other.bytes)

    def times(self, count: int) -> Traffic:
        """Count a repetition."""
        return Traffic(self.flops * count, self.elementwise * count, self.bytes * count)


@dataclass(frozen=True, slots=True, eq=False)
class Intensities:
    """A body's traffic: `nodes` maps each node to that of one application, `total` adds repeats up."""

    batch_size: int
    nodes: Mapping[NodeId, Traffic]
    inner: Mapping[NodeId, Intensities]
    total: Traffic


def arithmetic_intensity(shapes: Shapes, batch_size: int = 1) -> Intensities:
    """Count flops and moved bytes for every node.

    Requires: shapes without errors, all numbers. Ensures: each distinct body is worked out once; a module that is
    applied several times moves its weights each time.
    """
    return PerBody[Shapes, Intensities](partial(_body, batch_size))(shapes)


def _body(batch_size: int, shapes: Shapes, measure: Callable[[Shapes], Intensities]) -> Intensities:
    nodes: dict[NodeId, Traffic] = {}
    inner: dict[NodeId, Intensities] = {}
    total = Traffic()
    for node in shapes.graph.topological():
        if node.id in shapes.inner:
            inner[node.id] = measure(shapes.inner[node.id])
            nodes[node.id] = inner[node.id].total
        else:
            nodes[node.id] = _operator(node, shapes, batch_size)
        total += nodes[node.id].times(node.repeat)
    return Intensities(batch_size, MappingProxyType(nodes), MappingProxyType(inner), total)


def _operator(node: Node, shapes: Shapes, batch_size: int) -> Traffic:
    if node.is_input or node.op is None or node.op.is_view(in_training=False):
        return Traffic()
    inputs = shapes.inputs_of(node)
    cost = node.op.cost(inputs)
    activations = sum(prod(shape.numbers()) for shape in (*inputs, shapes.results[node.id][""]))
    moved = activations * batch_size + cost.parameters + cost.buffers
    return Traffic(cost.flops * batch_size, cost.elementwise * batch_size, BYTES * moved)
