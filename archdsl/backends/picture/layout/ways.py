"""The ways that edges take: along the flow where they can, with corners where branches part and meet."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.backends.picture.layout.patch import Bounds, Leg

Corner = tuple[float, float]
"""Across the flow, then along it."""

_EDGE = 5.0
"""As far from the end of a box's side an edge may begin or end."""
_TURN = 8.0
"""How far before a box an edge turns towards it, where nothing else says so."""


def way(
    source: Bounds, target: Bounds, legs: Sequence[Leg], *, is_circle: bool, line: float | None = None
) -> list[Corner]:
    """Lead an edge from a box to a box through its legs. Requires: legs in the order in which it takes them.

    With `line`, an edge that has legs leaves the source there if it can: where a frame is to be entered.
    """
    corners = _leave(source, target, legs, line)
    for index, leg in enumerate(legs):
        across, along = corners[-1]
        if leg.across != across:
            turn = along if leg.kind == "out" and index else leg.start
            corners += [(across, turn), (leg.across, turn)] if leg.kind != "soft" else [(leg.across, leg.start)]
        corners.append((leg.across, leg.end))
    return _plain([*corners, *_arrive(corners[-1], target, is_soft=_is_soft(legs), is_circle=is_circle)])


def _is_soft(legs: Sequence[Leg]) -> bool:
    return any(leg.kind == "soft" for leg in legs)


def _is_below(place: Bounds, across: float) -> bool:
    return place.low + _EDGE <= across <= place.high - _EDGE


def _leave(source: Bounds, target: Bounds, legs: Sequence[Leg], line: float | None) -> list[Corner]:
    """Begin below the source where the way goes on, beside it if the way begins there, else at its middle."""
    across = legs[0].across if legs else target.middle
    if legs and legs[0].start < source.end:
        side = source.high if across > source.middle else source.low
        return [(side, legs[0].start), (across, legs[0].start)]
    if legs and line is not None:
        return [(line if _is_below(source, line) else source.middle, source.end)]
    return [(across if _is_below(source, across) else source.middle, source.end)]


def _arrive(last: Corner, target: Bounds, *, is_soft: bool, is_circle: bool) -> list[Corner]:
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
