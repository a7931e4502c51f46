"""What is known of a compiled network: its shapes and costs, all that follows from its graph alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from archdsl.ir.graph import Graph
from archdsl.ops.shape import Shape
from archdsl.passes.costs import Total
from archdsl.passes.shapes import Shapes
from archdsl.passes.tables import Tables
from archdsl.text.record import record

if TYPE_CHECKING:
    from archdsl.ops.base import Tensor
    from archdsl.passes.intensity import Intensities
    from archdsl.passes.memory import Memory
    from archdsl.passes.receptive import Fields, ReceptiveField


@record
class NodeCosts:
    """One operator of the written-out network: its path, what it is, and what it costs for one image."""

    path: str
    op: str
    output: Shape
    parameters: int
    buffers: int
    macs: int
    elementwise: int
    activation_bytes: int
    frozen: int = 0
    """How many of the parameters training leaves as they are."""

    @property
    def flops(self) -> int:
        """Twice the multiply-adds."""
        return 2 * self.macs


@dataclass(frozen=True, eq=False)
class NetworkCosts:
    """A network's costs for one image: in total, and per operator in the order of the text.

    `macs` are the multiply-adds of convolutions and matrix products without bias, `flops` twice that. `elementwise`
    counts norms, activations, pools and joins apart. `activation_bytes` are the bytes that operators write in float32.
    """

    total: Total
    _tables: Tables = field(repr=False)

    @cached_property
    def nodes(self) -> tuple[NodeCosts, ...]:
        """A row for every operator, written out when it is first asked for: deep networks have many."""
        return tuple(_costs_of_nodes(self._tables))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NetworkCosts):
            return NotImplemented
        return self.total == other.total and self.nodes == other.nodes

    def __hash__(self) -> int:
        return hash(self.total)

    def __getstate__(self) -> dict[str, object]:
        """Hand on the rows, and not what they are made of."""
        return {"total": self.total, "nodes": self.nodes}

    @property
    def parameters(self) -> int:
        """How many numbers are weights, frozen ones included; those that several steps share count once."""
        return self.total.parameters

    @property
    def trainable(self) -> int:
        """How many of the parameters training changes."""
        return self.total.trainable

    @property
    def buffers(self) -> int:
        """How many numbers of the state are not trained, such as running statistics."""
        return self.total.buffers

    @property
    def macs(self) -> int:
        """The multiply-adds of convolutions and matrix products."""
        return self.total.macs

    @property
    def flops(self) -> int:
        """Twice the multiply-adds."""
        return self.total.flops

    @property
    def elementwise(self) -> int:
        """The operations of norms, activations, pools and joins."""
        return self.total.elementwise

    @property
    def activation_bytes(self) -> int:
        """The bytes that operators write in float32."""
        return self.total.activation_bytes


class NetworkFacts:
    """What can be asked of a network without torch, worked out when asked for."""

    graph: Graph
    """The hierarchical graph, in which equal calls share one body."""
    tables: Tables
    """The shapes and costs of the graph, body by body; `costs` has them written out."""
    shapes: Shapes

    @property
    def inputs(self) -> Mapping[str, Shape]:
        """Map each input's name to its shape, without the batch."""
        return MappingProxyType(dict(zip((n.id for n in self.graph.inputs), self.shapes.inputs, strict=True)))

    @property
    def outputs(self) -> Mapping[str, Shape]:
        """Map each output's name to its shape, without the batch; an unnamed main output is called "output"."""
        return MappingProxyType({o.name or "output": self.shapes.of(o.value) for o in self.graph.outputs})

    @cached_property
    def costs(self) -> NetworkCosts:
        """Parameters, buffers, multiply-adds and bytes for one image, in total and for each operator written out."""
        return NetworkCosts(self.tables.costs.total, self.tables)

    @property
    def state(self) -> tuple[tuple[str, Tensor], ...]:
        """List the keys and tensors of the state_dict, in torch's order."""
        from archdsl.passes.state import list_state

        return list_state(self.shapes)

    @cached_property
    def frozen_keys(self) -> frozenset[str]:
        """The keys of the state_dict, parameters and buffers, that training leaves as they are."""
        from archdsl.passes.frozen import frozen_keys

        return frozen_keys(self.shapes)

    @property
    def symbolic_shapes(self) -> Shapes:
        """The shapes for images of any height H and width W, as polynomials in them."""
        from archdsl.passes.symbolic import symbolic_shapes

        return symbolic_shapes(self.graph, self.shapes.inputs)

    @property
    def receptive_fields(self) -> Fields:
        """What every value sees of the inputs, in pixels."""
        from archdsl.passes.receptive import receptive_fields

        return receptive_fields(self.shapes)

    @property
    def receptive_field(self) -> ReceptiveField:
        """What an element of the last feature map, which enters the global pooling, sees of the first input."""
        return self.receptive_fields.last_feature_map()[next(iter(self.inputs))]

    def memory(self, batch_size: int = 1, *, in_place: bool = False) -> Memory:
        """Work out the bytes that an evaluation and a training step need in float32.

        With `in_place`, activations in evaluation write over an input that nothing else reads.
        """
        from archdsl.passes.memory import measure_memory

        return measure_memory(self.shapes, batch_size, in_place=in_place)

    def intensity(self, batch_size: int = 1) -> Intensities:
        """Work out flops per moved byte, for each node and in total."""
        from archdsl.passes.intensity import arithmetic_intensity

        return arithmetic_intensity(self.shapes, batch_size)


def _costs_of_nodes(tables: Tables) -> Iterator[NodeCosts]:
    from archdsl.backends.summary import operators

    for row in operators(tables):
        if row.node.op is not None:
            costs = row.costs
            yield NodeCosts(
                row.path,
                row.node.op.keyword,
                row.output,
                costs.parameters,
                costs.buffers,
                costs.macs,
                costs.elementwise,
                costs.activation_bytes,
                costs.frozen,
            )
