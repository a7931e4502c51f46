"""One operator of a network, and what the lints ask of it where it stands."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.ir.graph import Node
from archdsl.ops.base import LinearMap, Op, Window
from archdsl.ops.shape import Shape
from archdsl.passes.shapes import Shapes


@dataclass(frozen=True, slots=True, eq=False)
class OperatorUse:
    """One operator in one body, which equal calls share. Compared by identity."""

    table: Shapes
    node: Node
    op: Op

    @property
    def inputs(self) -> list[Shape]:
        return self.table.inputs_of(self.node)

    @property
    def output(self) -> Shape:
        return self.table.results[self.node.id][""]

    @property
    def linear_map(self) -> LinearMap | None:
        return self.op.linear_map(self.inputs) if self.inputs else None

    @property
    def windows(self) -> tuple[Window, ...]:
        """Return what an element sees along the rows and columns of a map; nothing where it sees all of it."""
        inputs = self.inputs
        return (self.op.windows(inputs) if inputs else None) or ()

    @property
    def is_dense(self) -> bool:
        """Return whether it is one matrix for all channels, at every position or window of what it reads."""
        linear = self.linear_map
        return linear is not None and linear.groups == 1 and all(window.up == 1 for window in self.windows)

    @property
    def sees_one_position(self) -> bool:
        """Return whether an element sees a single position."""
        return all(window.kernel == window.up == 1 for window in self.windows)
