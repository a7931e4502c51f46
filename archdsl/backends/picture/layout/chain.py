"""Lay out a flow as a chain of stations with branches between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby, pairwise

from archdsl.backends.picture.layout.layers import lay_out_layers
from archdsl.backends.picture.layout.patch import Bounds, Leg, Patch, Title
from archdsl.backends.picture.layout.stream import NEAR, Stream

GAP = 17.0
"""Between boxes that follow each other."""
FRAME = 8.0
"""Between a frame and its content."""
_FORK, _INTO, _BRANCH = 9.0, 24.0, 16.0
"""From a station to where its edges part, from the station to the branches, and from these to the next station.

Edges turn into the branches, and after the turn there is to be room for an arrow's head.
"""
_BESIDE = 16.0
"""Between branches beside each other."""
_LANE, _LANES = 15.0, 9.0
"""From branches to the first shortcut beside them, and between shortcuts."""
_SHORT_TITLE, _CLEAR = 140.0, 6.0
"""Up to this width, a frame's title stands beside the flow that enters the frame, and so far from it."""


@dataclass(slots=True)
class Atom:
    """A station, or the branches between two; never split. `centres` are where branches and lanes are across."""

    patch: Patch
    groups: tuple[str, ...]
    station: str = ""
    centres: tuple[float, ...] = ()


@dataclass(slots=True)
class Aside:
    """A part of the flow that leaves a station and leads nowhere else: an auxiliary classifier, say."""

    patch: Patch
    host: str
    links: tuple[int, ...]


@dataclass(slots=True)
class Chain:
    """A flow as the pieces that follow each other, within `depth` groups."""

    depth: int
    atoms: list[Atom] = field(default_factory=list[Atom])
    asides: list[Aside] = field(default_factory=list[Aside])


class Weaver:
    """Lays a stream out as chains, with the `titles` of the groups for frames around their pieces."""

    def __init__(self, stream: Stream, titles: Mapping[str, Title]) -> None:
        self.stream, self.titles = stream, titles

    def cut(self, names: Sequence[str], depth: int = 0) -> Chain:
        """Take boxes apart into stations and what is between them. Requires: names in the order of the flow."""
        core = [name for name in names if name not in self.stream.aside] or list(names)
        stations = self._stations(core)
        free, hosted = self._split_aside(names, core, stations)
        found = Chain(depth)
        for before, after in pairwise([-1, *stations, len(core)]):
            between = core[before + 1 : after]
            source = core[before] if before >= 0 else ""
            target = core[after] if after < len(core) else ""
            if between:
                between += [extra for name in between for extra in hosted.get(name, ())]
                found.atoms.append(self._between(between, source, target, set(names)))
            if target:
                found.atoms.append(self._station(target, found.atoms[-1].centres if between else ()))
        for part, host in free:
            entering = tuple(self.stream.entering(part))
            found.asides.append(Aside(self.stack(self.cut(part, depth)), host, entering))
        return found

    def _stations(self, core: Sequence[str]) -> list[int]:
        """List the places of the boxes that no link goes past."""
        at = {name: index for index, name in enumerate(core)}
        end = len(core)
        passing = [0] * (end + 1)  # how many more links go past a place than past the one before
        for index, name in enumerate(core):
            starts = [at.get(source, -1) for source in self.stream.sources(name)] or [-1]
            ends = [at.get(t, end) for t in self.stream.targets(name) if t in at or t not in self.stream.aside] or [end]
            for low, high in [(start, index) for start in starts] + [(index, last) for last in ends if last == end]:
                if high - low > 1:
                    passing[low + 1] += 1
                    passing[high] -= 1
        return [index for index, count in enumerate(accumulate(passing[:end])) if not count]

    def _split_aside(
        self, names: Sequence[str], core: Sequence[str], stations: Sequence[int]
    ) -> tuple[list[tuple[list[str], str]], dict[str, list[str]]]:
        """Find what stands aside: parts that leave a station, and by box those that leave what is between stations."""
        inside = set(core)
        rest = [name for name in names if name not in inside]
        are_stations = {core[index] for index in stations}
        free: list[tuple[list[str], str]] = []
        hosted: dict[str, list[str]] = {}
        for part in self.stream.parts(rest):
            hosts = [source for name in part for source in self.stream.sources(name) if source in inside]
            host = next((name for name in hosts if name not in are_stations), "")
            if host:
                hosted.setdefault(host, []).extend(part)
            else:
                free.append((part, hosts[0] if hosts else core[0]))
        return free, hosted

    def _station(self, name: str, centres: Sequence[float]) -> Atom:
        """Place one box; a bar becomes as wide as the branches that enter it."""
        tile = self.stream.tiles[name]
        low, high = -tile.across / 2, tile.across / 2
        if tile.is_bar and centres:
            low, high = min(low, *(c - 10 for c in centres)), max(high, *(c + 10 for c in centres))
        text = self.stream.text(name)
        reach = max(high, NEAR + text) if text else high
        patch = Patch(tile.along, low, reach, {name: Bounds(low, 0, high, tile.along)})
        return Atom(patch, tile.groups, station=name)

    def _between(self, names: Sequence[str], source: str, target: str, whole: set[str]) -> Atom:
        """Lay out what is between two stations: branches beside each other, then lanes for what goes past them.

        No name for a station stands for what comes before or after the `whole` chain.
        """
        groups = common([self.stream.tiles[name].groups for name in names])
        parts = self.stream.parts(names)
        is_tangle = len(parts) == 1 and set(names) == whole
        patches = [lay_out_layers(self.stream, names)] if is_tangle else [
            self.stack(self.cut(part, len(groups))) for part in parts
        ]  # fmt: skip
        lanes = self._past(source, target, whole)
        places = _side_by_side(patches, has_lanes=bool(lanes))
        label = self.stream.label(source)
        first, height = _INTO + label, max(patch.length for patch in patches)
        fork, merge = _FORK + label, first + height + _BRANCH - _FORK
        found = Patch(first + height + _BRANCH)
        for part, patch, across in zip(parts, patches, places, strict=True):
            start = first + (height - patch.length) / 2
            found.put(patch, across, start)
            if not is_tangle:
                found.legs += [Leg(i, across, fork, start, "in") for i in self.stream.entering(part)]
                found.legs += [Leg(i, across, start + patch.length, merge, "out") for i in self.stream.leaving(part)]
        centres = list(places)
        for lane, index in enumerate(lanes):
            found.high += _LANES if lane else _LANE
            found.legs.append(Leg(index, found.high, fork, merge, "lane"))
            centres.append(found.high)
        return Atom(found, groups, centres=tuple(centres))

    def _past(self, source: str, target: str, whole: set[str]) -> list[int]:
        """List the links that go past what is between two stations."""
        if source:
            ends = {target} if target else set(self.stream.tiles) - whole - self.stream.aside
            return [index for index in self.stream.out_of[source] if self.stream.links[index].target in ends]
        return [index for index in self.stream.into.get(target, ()) if self.stream.links[index].source not in whole]

    def stack(self, chain: Chain) -> Patch:
        """Put the pieces of a chain one after the other, with frames around those of a group."""
        found = self._stack(chain.atoms, chain.depth)
        for aside in reversed(chain.asides):  # so that the way to one never leads through another
            self._put_aside(found, aside)
        return found

    def _put_aside(self, found: Patch, aside: Aside) -> None:
        host = found.boxes[aside.host]
        start = host.end + GAP
        across = found.beyond(host.start, start + aside.patch.length) + _BESIDE - aside.patch.low
        found.put(aside.patch, across, start)
        found.legs += [Leg(index, across, (host.start + host.end) / 2, start, "in") for index in aside.links]

    def _stack(self, atoms: Sequence[Atom], depth: int) -> Patch:
        found = Patch()
        before: Atom | None = None
        for group, members in groupby(atoms, lambda atom: atom.groups[depth : depth + 1]):
            run = list(members)
            if not group:
                for atom in run:
                    found.put(atom.patch, 0, found.length + self._gap(before, atom))
                    before = atom
                continue
            inner = self._stack(run, depth + 1)
            inner.length += self.stream.label(run[-1].station)
            patch = frame(inner, group[0], self.titles[group[0]])
            found.put(patch, 0, found.length + self._gap(before, run[0]))
            before = run[-1]
        return found

    def _gap(self, before: Atom | None, after: Atom) -> float:
        if before is None:
            return 0.0
        if not before.station or not after.station:  # branches keep their distance themselves, frames do not
            return 0.0 if before.groups == after.groups else FRAME + self.stream.label(before.station)
        return GAP + self.stream.label(before.station)


def frame(patch: Patch, group: str, title: Title) -> Patch:
    """Put a frame with a title around a patch: a title that no flow enters by stands above the middle of both."""
    low, high = patch.low - FRAME - title.across, patch.high + FRAME
    if title.is_entered and title.text_across <= _SHORT_TITLE:
        low = min(low, -title.text_across - FRAME - _CLEAR)  # the flow enters beside the title, not through it
    missing = max(0.0, title.text_across + 2 * FRAME - (high - low))
    if not title.is_entered:
        low -= missing / 2
    high += missing if title.is_entered else missing / 2
    length = max(patch.length + title.along + FRAME, title.text_along + 2 * FRAME)
    found = Patch()
    found.frames.append((group, Bounds(low, 0, high, length)))
    found.put(patch, 0, title.along)
    found.length, found.low, found.high = length, low, high
    return found


def common(chains: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return what several tuples have in common at their beginning."""
    first, last = min(chains), max(chains)
    count = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:count]


def _side_by_side(patches: Sequence[Patch], *, has_lanes: bool) -> list[float]:
    """Say where patches go across the flow: the main one in its line, or none if all are alike."""
    longest = max(range(len(patches)), key=lambda index: patches[index].length)
    others = [len(patch.boxes) for index, patch in enumerate(patches) if index != longest]
    has_main = has_lanes or (len(others) == 1 and len(patches[longest].boxes) > others[0])
    order = (
        [longest, *(index for index in range(len(patches)) if index != longest)] if has_main else range(len(patches))
    )
    places = dict[int, float]()
    reach = 0.0
    for position, index in enumerate(order):
        patch = patches[index]
        places[index] = reach + _BESIDE - patch.low if position else 0.0
        reach = places[index] + patch.high
    found = [places[index] for index in range(len(patches))]
    if has_main or len(patches) == 1:
        return found
    middle = found[len(found) // 2] if len(found) % 2 else (found[0] + found[-1]) / 2
    return [place - middle for place in found]
