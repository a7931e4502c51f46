"""The ways that edges take: along the flow where they can, with corners where branches part and meet."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.backends.picture.layout.block import Place, Run

Corner = tuple[float, float]
"""Across the flow, then along it."""

_EDGE = 5.0
"""As far from the end of a box's side an edge may begin or end."""
_TURN = 8.0
"""How far before a box an edge turns towards it, where nothing else says so."""


def way(
    source: Place, target: Place, runs: Sequence[Run], *, is_circle: bool, line: float | None = None
) -> list[Corner]:
    """Lead an edge from a box to a box through its runs. Requires: runs in the order in which it takes them.

    With `line`, an edge that has runs leaves the source there if it can: where a frame is to be entered.
    """
    corners = _leave(source, target, runs, line)
    for index, run in enumerate(runs):
        across, along = corners[-1]
        if run.across != across:
            turn = along if run.kind == "out" and index else run.start
            corners += [(across, turn), (run.across, turn)] if run.kind != "soft" else [(run.across, run.start)]
        corners.append((run.across, run.end))
    return _plain([*corners, *_arrive(corners[-1], target, is_soft=_is_soft(runs), is_circle=is_circle)])


def _is_soft(runs: Sequence[Run]) -> bool:
    return any(run.kind == "soft" for run in runs)


def _is_below(place: Place, across: float) -> bool:
    return place.low + _EDGE <= across <= place.high - _EDGE


def _leave(source: Place, target: Place, runs: Sequence[Run], line: float | None) -> list[Corner]:
    """Begin below the source where the way goes on, beside it if the way begins there, else at its middle."""
    across = runs[0].across if runs else target.middle
    if runs and runs[0].start < source.end:
        side = source.high if across > source.middle else source.low
        return [(side, runs[0].start), (across, runs[0].start)]
    if runs and line is not None:
        return [(line if _is_below(source, line) else source.middle, source.end)]
    return [(across if _is_below(source, across) else source.middle, source.end)]


def _arrive(last: Corner, target: Place, *, is_soft: bool, is_circle: bool) -> list[Corner]:
    across, along = last
    if _is_below(target, across) and not is_circle:
        return [(across, target.start)]
    if is_soft or across == target.middle:
        return [(target.middle, target.start)]
    if is_circle:
        middle = (target.start + target.end) / 2
        return [(across, middle), (target.high if across > target.middle else target.low, middle)]
    turn = max(along, target.start - _TURN - 6)
    return [(across, turn), (target.middle, turn), (target.middle, target.start)]


def _plain(corners: Sequence[Corner]) -> list[Corner]:
    """Drop corners where nothing turns."""
    found: list[Corner] = []
    for corner in corners:
        if found and corner == found[-1]:
            continue
        if len(found) > 1 and (found[-2][0] == found[-1][0] == corner[0] or found[-2][1] == found[-1][1] == corner[1]):
            found.pop()
        found.append(corner)
    return found
