"""Diagrams of networks, by way of Graphviz."""

from __future__ import annotations

from typing import get_args

from archdsl.backends.picture.canvas import paint
from archdsl.backends.picture.drawing import FORMATS, Diagram, DrawError
from archdsl.backends.picture.levels import Level
from archdsl.backends.picture.steps import Call
from archdsl.ir.graph import Graph
from archdsl.passes.costs import Costs
from archdsl.passes.shapes import Shapes

__all__ = ["FORMATS", "Diagram", "DrawError", "Level", "diagram"]


def diagram(graph: Graph, shapes: Shapes, costs: Costs, level: Level, name: str) -> Diagram:
    """Draw a network.

    `stages` shows the architecture at a glance, a box for each top-level step; `blocks` folds repeats and shows the
    inside of each distinct block once; `layers` shows every operator, framed by the blocks around it.
    Requires: tables of this very graph. Raises ValueError for another level.
    """
    if level not in get_args(Level):
        raise ValueError(f"a diagram's level is {', '.join(get_args(Level))}, not {level!r}")
    if shapes.graph is not graph:
        raise ValueError("the shapes are of another graph")
    return Diagram(paint(Call(shapes, costs), level, name))
