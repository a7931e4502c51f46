"""Symbolic shapes: what every node gives for an image of any height H and width W."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.ir.graph import Graph
from archdsl.ops.shape import Dim, Shape, Size
from archdsl.passes.shapes import Shapes, infer_shapes
from archdsl.text.diagnostic import Reporter


def symbolic_shapes(graph: Graph, inputs: Sequence[Shape]) -> Shapes:
    """Infer shapes in which the height and width of every feature map [C, H, W] among the inputs are left open.

    Inputs of one size share its symbol; a second height is H2, a second width W2. `Dim.evaluate` gives the numbers for
    an image, which hold where `infer_shapes` finds no error at that size: sizes that only the image can tell apart
    are taken as equal.

    Requires: a graph that has shapes at these inputs. Ensures: every node has a shape.
    """
    report = Reporter()
    shapes = infer_shapes(graph, symbols(inputs), report)
    report.raise_errors()
    return shapes


def symbols(inputs: Sequence[Shape]) -> tuple[Shape, ...]:
    """Replace the height and width of feature maps by symbols, equal sizes by the same."""
    known: dict[tuple[str, Size], Dim] = {}
    return tuple(_open(shape, known) if len(shape) == 3 else shape for shape in inputs)


def _open(shape: Shape, known: dict[tuple[str, Size], Dim]) -> Shape:
    sizes: list[Size] = [shape.channels]
    for letter, size in zip("HW", shape[1:], strict=True):
        number = sum(name == letter for name, _ in known) + 1
        symbol = Dim.variable(letter if number == 1 else f"{letter}{number}")
        sizes.append(known.setdefault((letter, size), symbol))
    return Shape(*sizes)
