"""Tables that several runs share hold nothing that a mistake left unknown."""

from __future__ import annotations

import archdsl
from archdsl.ops.shape import Shape
from archdsl.passes.shapes import Known, infer_shapes


def test_a_run_with_misfits_leaves_no_table_to_the_next() -> None:
    graph, known = archdsl.load_text("model m { input [3, 16, 16]; x: { conv 4 k=5 p=0 }; act }").graph, Known()
    sizes = [Shape(3, 4, 4), Shape(3, 4, 4), Shape(3, 16, 16), Shape(3, 4, 4)]
    found = [infer_shapes(graph, [size], known) for size in sizes]
    assert [len(run.misfits) for run in found] == [1, 1, 0, 1]
    assert all(table.is_complete for table in known.values())
