"""How long pictures take."""

from __future__ import annotations

from functools import partial
from statistics import median

import archdsl
from archdsl.backends.picture import DiagramLevel
from bench.cpu import Goal, Section, take_turns

LONG = """
block unit(c, stride s=1) {
  residual { conv c s=s; norm; act; conv c; norm } shortcut { conv c k=1 s=s; norm }
  act
}
model long { input [3, 32, 32]; conv 16; stages [200, 200, 200] double c=16 { unit c }; gap; flatten; fc 10 }
"""
_LIMITS: tuple[tuple[DiagramLevel, float], ...] = (("blocks", 2), ("layers", 20))


def _draw(network: archdsl.Network, level: DiagramLevel) -> str:
    return network.diagram(level).svg


def pictures(rounds: int = 3) -> Section:
    """Draw a residual network of 1,202 layers, and ResNet-50 for comparison, as SVG."""
    networks = {"1,202 layers": archdsl.load_text(LONG), "ResNet-50": archdsl.load("resnet50")}
    rows = [("network", "level", "boxes", "SVG", "time")]
    goals: list[Goal] = []
    for name, network in networks.items():
        for level, limit in _LIMITS:
            drawn = network.diagram(level)
            seconds = median(take_turns({"draw": partial(_draw, network, level)}, rounds)["draw"])
            boxes = f"{len(drawn.picture.boxes):,}"
            rows.append((name, level, boxes, f"{len(drawn.svg) / 1000:,.0f} kB", f"{1e3 * seconds:,.0f} ms"))
            if name != "ResNet-50":
                goals.append(Goal(f"{name} at `{level}` in under {limit} s", seconds < limit))
    return Section("Pictures", "From a compiled network to the text of the SVG.", rows, goals)
