"""The smallest image that a network takes."""

from __future__ import annotations

from archdsl.ops.shape import Shape
from archdsl.passes.shapes import Shapes, infer_shapes
from archdsl.passes.state import list_state

_LARGEST = 1024


def smallest_input(shapes: Shapes) -> int | None:
    """Return the smallest n for which the network runs on n x n images with the weights it has.

    A size is legal where no shape rule fails and every weight keeps the shape it has at the declared size. Sizes are
    tried upwards, since legal ones need not be neighbours, up to the declared one or 1024. The rules are those
    of the graph as it is: training-only parts count unless `for_inference` has removed them. Batch norms in training
    want more than one value per channel besides.

    Requires: shapes without errors, all numbers. Ensures: None where no input is an image, or none of these squares
    is legal, as may be where the declared image is none.
    """
    images = [shape.numbers()[1:] for shape in shapes.inputs if len(shape) == 3]
    if not images:
        return None
    declared = list_state(shapes)
    for size in range(1, min(max(map(max, images)), _LARGEST) + 1):
        inputs = [Shape(shape.channels, size, size) if len(shape) == 3 else shape for shape in shapes.inputs]
        found, misfits = infer_shapes(shapes.graph, inputs)
        if not misfits and list_state(found) == declared:
            return size
    return None
