"""What a network's graph in networkx shows of its nodes: shapes, costs and tensors."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.ir.attributes import GraphAttributes, NodeAttributes
from archdsl.ir.value import NodeId, Value
from archdsl.ir.walk import PerBody
from archdsl.ops.shape import Shape
from archdsl.passes.tables import Tables


class Annotations:
    """The facts of a body where certain shapes enter it, by the tables that have them. Equal calls share one object."""

    def __init__(
        self,
        tables: Tables,
        about: Callable[[], GraphAttributes] = GraphAttributes,
        inside: Callable[[Tables], Annotations] | None = None,
    ) -> None:
        self._tables, self._about = tables, about
        self._inside = inside or PerBody[Tables, Annotations](lambda body, inside: Annotations(body, inside=inside))

    @property
    def about(self) -> GraphAttributes:
        return self._about()

    def of(self, node: NodeId) -> NodeAttributes:
        shapes = self._tables.shapes
        one = shapes.graph.nodes[node]
        is_op = one.op is not None and not one.is_input
        tensors = one.op.state(shapes.inputs_of(one)) if one.op is not None and is_op else ()
        return {"shapes": dict(shapes.results[node]), "costs": self._tables.costs.nodes[node], "tensors": tensors}

    def shape(self, value: Value) -> Shape | None:
        return self._tables.shapes.of(value)

    def inside(self, call: NodeId) -> Annotations:
        return self._inside(self._tables.inner(self._tables.graph.nodes[call]))
