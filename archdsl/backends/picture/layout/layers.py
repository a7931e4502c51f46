"""Lay out what is no chain: in layers, with as few crossings as some sweeps find (Sugiyama, Tagawa and Toda 1981)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from archdsl.backends.picture.layout.patch import Bounds, Leg, Patch
from archdsl.backends.picture.layout.stream import NEAR, Stream

_SWEEPS = 12
_GAP, _BESIDE = 30.0, 18.0
_WIDE = 10.0
"""The space that a passing link takes across the flow."""


@dataclass(slots=True, eq=False)
class _Spot:
    """A place in a layer: a box, or where a link passes."""

    layer: int
    across: float
    name: str = ""
    link: int = -1
    before: list[_Spot] = field(default_factory=list["_Spot"])
    after: list[_Spot] = field(default_factory=list["_Spot"])
    at: float = 0.0


def lay_out_layers(stream: Stream, names: Sequence[str]) -> Patch:
    """Lay out boxes in layers. Requires: names in the order of the flow."""
    layers = _spots(stream, names)
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            near = [(spot.before if sweep % 2 == 0 else spot.after) for spot in layer]
            wish = [_mean(spots, spot.at) for spot, spots in zip(layer, near, strict=True)]
            order = sorted(range(len(layer)), key=lambda index: wish[index])
            layer[:] = [layer[index] for index in order]
            for index, spot in enumerate(layer):
                spot.at = index - (len(layer) - 1) / 2
    for layer in layers:
        _pack(layer)
    for sweep in range(2 * _SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            _spread(layer, [_mean([*spot.before, *spot.after], spot.at) for spot in layer])
    return _patch(stream, layers, names)


def _spots(stream: Stream, names: Sequence[str]) -> list[list[_Spot]]:
    """Return each box its layer, the earliest that its inputs allow, and each link a spot in the layers it passes."""
    inside = set(names)
    depth: dict[str, int] = {}
    for name in names:
        depth[name] = max((depth[source] + 1 for source in stream.sources(name) if source in inside), default=0)
    for name in reversed(names):  # what could come later goes where its readers are
        after = [depth[target] for target in stream.targets(name) if target in inside]
        if after and not any(source in inside for source in stream.sources(name)):
            depth[name] = max(depth[name], min(after) - 1)
    count = max(depth.values()) + 1
    layers: list[list[_Spot]] = [[] for _ in range(count)]
    boxes = {name: _Spot(depth[name], _width(stream, name), name) for name in names}
    for spot in boxes.values():
        layers[spot.layer].append(spot)
    for index, link in stream.links.items():
        if link.source not in inside and link.target not in inside:
            continue
        first = boxes[link.source].layer if link.source in inside else -1
        last = boxes[link.target].layer if link.target in inside else count
        way = [_Spot(layer, _WIDE, link=index) for layer in range(first + 1, last)]
        for spot in way:
            layers[spot.layer].append(spot)
        ends = [boxes[link.source]] if link.source in inside else []
        ends += [*way, *([boxes[link.target]] if link.target in inside else [])]
        for one, other in pairwise(ends):
            one.after.append(other)
            other.before.append(one)
    return layers


def _width(stream: Stream, name: str) -> float:
    """Return the space across the flow of a box and of the text at the line that leaves it."""
    text = stream.text(name)
    return max(stream.tiles[name].across, 2 * (NEAR + text) if text else 0.0)


def _mean(spots: Sequence[_Spot], default: float) -> float:
    return sum(spot.at for spot in spots) / len(spots) if spots else default


def _distance(one: _Spot, other: _Spot) -> float:
    return (one.across + other.across) / 2 + _BESIDE


def _pack(layer: Sequence[_Spot]) -> None:
    at = 0.0
    for index, spot in enumerate(layer):
        at += _distance(layer[index - 1], spot) if index else 0.0
        spot.at = at
    for spot in layer:
        spot.at -= at / 2


def _spread(layer: Sequence[_Spot], wishes: Sequence[float]) -> None:
    """Bring spots as near to their wishes, in least squares, as their order and sizes allow.

    Without the distances between them, wishes need only not decrease: that is isotonic regression, by pooling.
    """
    offsets = [0.0]
    for one, other in pairwise(layer):
        offsets.append(offsets[-1] + _distance(one, other))
    pools: list[tuple[float, int]] = []  # the sum of wishes, and how many
    for wish, offset in zip(wishes, offsets, strict=True):
        total, count = wish - offset, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            more, others = pools.pop()
            total, count = total + more, count + others
        pools.append((total, count))
    places = [total / count for total, count in pools for _ in range(count)]
    for spot, place, offset in zip(layer, places, offsets, strict=True):
        spot.at = place + offset


def _patch(stream: Stream, layers: Sequence[Sequence[_Spot]], names: Sequence[str]) -> Patch:
    """Return boxes and links their places. A link to the next layer is a curve too, from below its text on."""
    inside = set(names)
    found = Patch()
    along = 0.0
    for layer in layers:
        height = max((stream.tiles[spot.name].along for spot in layer if spot.name), default=0.0)
        for spot in layer:
            low, high = spot.at - spot.across / 2, spot.at + spot.across / 2
            found.low, found.high = min(found.low, low), max(found.high, high)
            if spot.name:
                tile = stream.tiles[spot.name]
                own, low, high = tile.along, spot.at - tile.across / 2, spot.at + tile.across / 2
                start = along + (height - own) / 2
                found.boxes[spot.name] = Bounds(low, start, high, start + own)
                near = {other.name for other in spot.after if other.name}
                passing = {other.link for other in spot.after if not other.name}
                for link in stream.out_of[spot.name]:
                    if stream.links[link].target in near & inside or link in passing:
                        end = along + height
                        found.legs.append(Leg(link, spot.at, end, end + stream.label(spot.name), "soft"))
            else:
                found.legs.append(Leg(spot.link, spot.at, along, along + height, "soft"))
        along += height + _GAP + max((stream.label(spot.name) for spot in layer if spot.name), default=0.0)
    found.length = along - _GAP
    return found
