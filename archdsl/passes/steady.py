"""What repeats a step: each time has to get a value of the same shape."""

from __future__ import annotations

from archdsl.passes.shapes import Shapes
from archdsl.text.diagnostic import Reporter


def check_steady(shapes: Shapes, report: Reporter) -> None:
    """Report steps that repeat where the shapes that reach them differ.

    Lowering makes no such graph; one that comes from elsewhere may be so.
    Requires: shapes without errors.

    Errors: E213 another shape reaches a step than the first time
    """
    for table in shapes.tables():
        for node in table.graph.topological():
            read = table.inputs_of(node)
            given = table.results[node.id][""]
            if node.repeat > 1 and given != read[0]:
                message = f"`{node.id}` repeats, and makes {read[0]} into {given}"
                report.error("E213", message, node.span, help="write the repeats as steps of their own")
