"""Symbolic shapes: what every node gives for an image of any height H and width W."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.ir.graph import Graph
from archdsl.ir.symbols import open_sizes
from archdsl.ops.shape import Shape
from archdsl.passes.shapes import Shapes, infer_shapes


def symbolic_shapes(graph: Graph, inputs: Sequence[Shape]) -> Shapes:
    """Infer shapes in which the height and width of every feature map [C, H, W] among the inputs are left open.

    Inputs of one size share its symbol; a second height is H2, a second width W2. `Dim.evaluate` gives the numbers for
    an image, which hold where `infer_shapes` finds no error at that size: sizes that only the image can tell apart
    are taken as equal.

    Requires: a graph that has shapes at these inputs. Ensures: every node has a shape.
    """
    shapes, misfits = infer_shapes(graph, open_sizes(inputs))
    assert not misfits, "a graph that has shapes at one size has them in symbols"
    return shapes
