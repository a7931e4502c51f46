"""Pictures of networks."""

from __future__ import annotations

from typing import get_args

from archdsl.backends.picture.canvas import sketch
from archdsl.backends.picture.drawing import FORMATS, SUFFIXES, Diagram, Format, ThemeName
from archdsl.backends.picture.failure import DrawError
from archdsl.backends.picture.levels import DiagramLevel
from archdsl.backends.picture.measure import COSTS, CostName
from archdsl.backends.theme import THEMES
from archdsl.passes.tables import Tables

__all__ = [
    "COSTS",
    "FORMATS",
    "SUFFIXES",
    "THEMES",
    "CostName",
    "Diagram",
    "DiagramLevel",
    "DrawError",
    "Format",
    "ThemeName",
    "diagram",
]


def diagram(
    tables: Tables,
    level: DiagramLevel,
    name: str,
    *,
    theme: ThemeName = "light",
    cost: CostName | None = None,
) -> Diagram:
    """Draw a network.

    `stages` shows the architecture at a glance, a box for each top-level step; `blocks` folds repeats and shows the
    inside of each distinct block once; `layers` shows every operator, framed by the blocks around it. With `cost`,
    boxes are coloured by their part of that cost.
    Raises ValueError for another level, theme or cost.
    """
    for what, given, known in (
        ("level", level, get_args(DiagramLevel)),
        ("theme", theme, THEMES),
        ("cost", cost, COSTS),
    ):
        if given is not None and given not in known:
            raise ValueError(f"a diagram's {what} is {', '.join(known)}, not {given!r}")
    return Diagram(sketch(tables, level, name), theme, cost)
