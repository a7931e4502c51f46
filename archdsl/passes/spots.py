"""Steps of a network with the calls that lead to them, and the way back from one to what it reads."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.ir.graph import Node, Value
from archdsl.ops.shape import Shape
from archdsl.passes.shapes import CallFrame, Trail
from archdsl.text.record import record


@record
class Spot:
    """A step somewhere in a network, and which of its outputs is meant."""

    trail: Trail
    value: Value

    @property
    def node(self) -> Node:
        return self.trail[-1].graph.nodes[self.value.node]

    @property
    def shape(self) -> Shape:
        return self.trail[-1].results[self.value.node][self.value.output]

    @property
    def key(self) -> tuple[str, ...]:
        """Tell the step from every other one."""
        return (*(frame.call.id for frame in self.trail if frame.call is not None), self.value.node)

    def sources(self) -> list[Spot]:
        """Return what the step reads, out of calls and into them, down to single operators."""
        return [_settle(Spot(self.trail, value)) for value in self.node.inputs]


def spots_read(trail: Trail, node: Node) -> list[Spot]:
    """Return the operators whose results a step reads."""
    return [_settle(Spot(trail, value)) for value in node.inputs]


def _settle(spot: Spot) -> Spot:
    """Follow a value to the operator that gives it, or to the model's input."""
    while True:
        frame, node = spot.trail[-1], spot.node
        if node.body is not None:
            table = frame.inner[node.id]
            inner = CallFrame(node.body, table.inputs, table.results, table.inner, node)
            named = {output.name: output.value for output in node.body.outputs}
            spot = Spot((*spot.trail, inner), named.get(spot.value.output, node.body.main))
        elif node.is_input and frame.call is not None:
            position = frame.graph.inputs.index(node)
            spot = Spot(spot.trail[:-1], frame.call.inputs[position])
        else:
            return spot


def upstream(spot: Spot) -> Iterator[Spot]:
    """Yield a step and those before it, along the branch that has the image."""
    while True:
        yield spot
        sources = spot.sources()
        if not sources:
            return
        same = (source for source in sources if source.shape.positions == spot.shape.positions)
        spot = next(same, sources[0])
