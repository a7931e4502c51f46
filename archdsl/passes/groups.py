"""Which numbers of groups all norms of a network can have: what a message says where one number does not fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from math import gcd

from archdsl.ops.norm import GroupNorm
from archdsl.passes.costs import count_costs
from archdsl.passes.shapes import Shapes
from archdsl.passes.tables import Tables, walk
from archdsl.text.diagnostic import Diagnostic

_MESSAGE = re.compile(r"(\d+) groups do not divide \d+ channels")
_MOST_SHOWN = 6


def misfit(diagnostics: Sequence[Diagnostic]) -> int | None:
    """Give the number of groups that a group norm has been refused with, if one has."""
    found = (_MESSAGE.fullmatch(diagnostic.message) for diagnostic in diagnostics if diagnostic.code == "E214")
    return next((int(match[1]) for match in found if match), None)


def name_divisors(diagnostics: Sequence[Diagnostic], groups: int, shapes: Shapes) -> tuple[Diagnostic, ...]:
    """Add to a refused group norm what the others in the network would need.

    `shapes` are those of the same network with group norms of one group. Ensures: no other diagnostic changes.
    """
    widths: dict[int, str] = {}
    for path, node, tables in walk(Tables(shapes, count_costs(shapes))):
        if isinstance(node.op, GroupNorm):
            widths.setdefault(tables.shapes.inputs_of(node)[0].numbers()[0], path)
    if not widths:
        return tuple(diagnostics)
    common = gcd(*widths)
    divisors = [n for n in range(1, common + 1) if common % n == 0]
    best = max(n for n in divisors if n <= groups)
    refused = [f"{width} at `{path}`" for width, path in sorted(widths.items()) if width % groups]
    more = f" and {len(refused) - _MOST_SHOWN} more" if len(refused) > _MOST_SHOWN else ""
    counts = ", ".join(map(str, divisors))
    notes = [f"groups that divide {'all of them' if len(widths) > 1 else 'them'}: {counts}"]
    if len(widths) > 1:
        places = f"{', '.join(refused[:_MOST_SHOWN])}{more}"
        notes.insert(
            0,
            f"{groups} groups do not divide {len(refused)} of the {len(widths)} widths that norms have here: {places}",
        )
    return tuple(
        replace(d, notes=(*d.notes, *notes), help=f"use `group({best})`")
        if d.code == "E214" and _MESSAGE.fullmatch(d.message)
        else d
        for d in diagnostics
    )
