"""Weights that no tensor can hold."""

from __future__ import annotations

from archdsl.ops.shape import LARGEST_TENSOR
from archdsl.passes.shapes import Shapes
from archdsl.text.diagnostic import Label, Reporter

# What makes a tensor of weights large, the most telling first.
_MAKES_LARGE = ("channels", "features", "kernel")


def check_weights(shapes: Shapes, report: Reporter) -> None:
    """Report operators with a tensor of more elements than torch can count, each where its size was written.

    Requires: every node has a shape.
    """
    for table in shapes.tables():
        for node in table.graph.nodes.values():
            if node.op is None or node.is_input:
                continue
            for tensor in node.op.state(table.inputs_of(node)):
                if tensor.elements > LARGEST_TENSOR:
                    size = "x".join(map(str, tensor.shape))
                    given = (node.attribute_spans[name] for name in _MAKES_LARGE if name in node.attribute_spans)
                    report.error(
                        "E109",
                        f"`{tensor.name}` of `{node.op.keyword}` is {size}, larger than a tensor can be",
                        next(given, node.span),
                        labels=[Label(span, f"in `{name}`, called here") for name, span in reversed(node.calls)],
                        help="use fewer channels or a smaller kernel",
                    )
                    break
