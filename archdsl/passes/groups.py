"""Which numbers of groups all norms of a network can have: what a message says where one number does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import gcd

from archdsl.ops.base import Op
from archdsl.passes.costs import count_costs
from archdsl.passes.shapes import Misfit, Shapes
from archdsl.passes.tables import Tables, walk
from archdsl.text.diagnostic import Diagnostic

_MOST_SHOWN = 6


def refused_groups(misfits: Sequence[Misfit]) -> int | None:
    """Return the number of groups that a group norm is refused with, if one is."""
    return next((_groups(misfit.node.op) for misfit in misfits if _is_refused(misfit)), None)


def _is_refused(misfit: Misfit) -> bool:
    return _groups(misfit.node.op) is not None and misfit.trouble.code == "E214"


def _groups(op: Op | None) -> int | None:
    return op.channel_groups() if op is not None and op.category == "norm" else None


def name_divisors(
    explained: Sequence[tuple[Misfit, Diagnostic]], groups: int, shapes: Shapes
) -> list[tuple[Misfit, Diagnostic]]:
    """Add to what is said of refused group norms which numbers of groups all norms of the network would take.

    `shapes` are those of the same network with group norms of one group.
    """
    widths: dict[int, str] = {}
    for path, node, tables in walk(Tables(shapes, count_costs(shapes))):
        if _groups(node.op) is not None:
            widths.setdefault(tables.shapes.inputs_of(node)[0].numbers()[0], path)
    if not widths:
        return list(explained)
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
    return [
        (misfit, replace(told, notes=(*told.notes, *notes), help=f"use `group({best})`"))
        if _is_refused(misfit)
        else (misfit, told)
        for misfit, told in explained
    ]
