"""Lay out a flow as a chain of stations with branches between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby, pairwise

from archdsl.backends.picture.layout.block import Block, Node, Place, Run, Title
from archdsl.backends.picture.layout.layers import lay_out_layers

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
_NEAR = 5.0
"""From a line to the text beside it."""


@dataclass(frozen=True, slots=True)
class Wire:
    """An edge to be drawn, with the space along the flow that its label takes, and that of its text across."""

    source: str
    target: str
    label: float = 0.0
    text: float = 0.0


@dataclass(slots=True)
class Atom:
    """A station, or the branches between two; never split. `centres` are where branches and lanes are across."""

    block: Block
    groups: tuple[str, ...]
    station: str = ""
    centres: tuple[float, ...] = ()


@dataclass(slots=True)
class Aside:
    """A part of the flow that leaves a station and leads nowhere else: an auxiliary classifier, say."""

    block: Block
    host: str
    wires: tuple[int, ...]


@dataclass(slots=True)
class Chain:
    """A flow as the pieces that follow each other, within `depth` groups."""

    depth: int
    atoms: list[Atom] = field(default_factory=list[Atom])
    asides: list[Aside] = field(default_factory=list[Aside])


class Flow:
    """A flow to lay out: nodes in an order that follows the wires, which have numbers.

    `main` is the box where the main flow ends: what does not lead there stands aside.
    """

    def __init__(
        self, nodes: Sequence[Node], wires: Mapping[int, Wire], titles: Mapping[str, Title], main: str
    ) -> None:
        self.nodes = {node.name: node for node in nodes}
        self.wires, self.titles = wires, titles
        self.into: dict[str, list[int]] = {node.name: [] for node in nodes}
        self.out_of: dict[str, list[int]] = {node.name: [] for node in nodes}
        for index, wire in wires.items():
            self.into[wire.target].append(index)
            self.out_of[wire.source].append(index)
        self.aside = set(self.nodes) - self._leading_to(main)

    def _leading_to(self, main: str) -> set[str]:
        found, stack = {main}, [main]
        while stack:
            for source in self.sources(stack.pop()):
                if source not in found:
                    found.add(source)
                    stack.append(source)
        return found

    def sources(self, name: str) -> list[str]:
        return [self.wires[index].source for index in self.into[name]]

    def targets(self, name: str) -> list[str]:
        return [self.wires[index].target for index in self.out_of[name]]

    def chain(self, names: Sequence[str], depth: int = 0) -> Chain:
        """Take boxes apart into stations and what is between them. Requires: names in the order of the flow."""
        core = [name for name in names if name not in self.aside] or list(names)
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
            inside = set(part)
            entering = tuple(i for name in part for i in self.into[name] if self.wires[i].source not in inside)
            found.asides.append(Aside(self.stack(self.chain(part, depth)), host, entering))
        return found

    def _stations(self, core: Sequence[str]) -> list[int]:
        """List the places of the boxes that no wire goes past."""
        at = {name: index for index, name in enumerate(core)}
        end = len(core)
        passing = [0] * (end + 1)  # how many more wires go past a place than past the one before
        for index, name in enumerate(core):
            starts = [at.get(source, -1) for source in self.sources(name)] or [-1]
            ends = [at.get(t, end) for t in self.targets(name) if t in at or t not in self.aside] or [end]
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
        for part in self._parts(rest):
            hosts = [source for name in part for source in self.sources(name) if source in inside]
            host = next((name for name in hosts if name not in are_stations), "")
            if host:
                hosted.setdefault(host, []).extend(part)
            else:
                free.append((part, hosts[0] if hosts else core[0]))
        return free, hosted

    def _parts(self, names: Sequence[str]) -> list[list[str]]:
        """Split boxes into parts that no wire joins."""
        root = {name: name for name in names}

        def find(name: str) -> str:
            while root[name] != name:
                root[name] = root[root[name]]
                name = root[name]
            return name

        for name in names:
            for target in self.targets(name):
                if target in root:
                    root[find(target)] = find(name)
        parts: dict[str, list[str]] = {}
        for name in names:
            parts.setdefault(find(name), []).append(name)
        return list(parts.values())

    def _station(self, name: str, centres: Sequence[float]) -> Atom:
        """Place one box; a bar becomes as wide as the branches that enter it."""
        node = self.nodes[name]
        low, high = -node.across / 2, node.across / 2
        if node.is_bar and centres:
            low, high = min(low, *(c - 10 for c in centres)), max(high, *(c + 10 for c in centres))
        text = max((self.wires[index].text for index in self.out_of[name]), default=0.0)
        reach = max(high, _NEAR + text) if text else high
        block = Block(node.along, low, reach, {name: Place(low, 0, high, node.along)})
        return Atom(block, node.groups, station=name)

    def _between(self, names: Sequence[str], source: str, target: str, whole: set[str]) -> Atom:
        """Lay out what is between two stations: branches beside each other, then lanes for what goes past them.

        No name for a station stands for what comes before or after the `whole` chain.
        """
        groups = common([self.nodes[name].groups for name in names])
        parts = self._parts(names)
        is_tangle = len(parts) == 1 and set(names) == whole
        blocks = [lay_out_layers(self, names)] if is_tangle else [
            self.stack(self.chain(part, len(groups))) for part in parts
        ]  # fmt: skip
        lanes = self._past(source, target, whole)
        places = _side_by_side(blocks, has_lanes=bool(lanes))
        label = max((self.wires[index].label for index in self.out_of[source]), default=0.0) if source else 0.0
        first, height = _INTO + label, max(block.length for block in blocks)
        fork, merge = _FORK + label, first + height + _BRANCH - _FORK
        found = Block(first + height + _BRANCH)
        for part, block, across in zip(parts, blocks, places, strict=True):
            start = first + (height - block.length) / 2
            found.put(block, across, start)
            if not is_tangle:
                found.runs += [Run(i, across, fork, start, "in") for i in self._entering(part)]
                found.runs += [Run(i, across, start + block.length, merge, "out") for i in self._leaving(part)]
        centres = list(places)
        for lane, index in enumerate(lanes):
            found.high += _LANES if lane else _LANE
            found.runs.append(Run(index, found.high, fork, merge, "lane"))
            centres.append(found.high)
        return Atom(found, groups, centres=tuple(centres))

    def _past(self, source: str, target: str, whole: set[str]) -> list[int]:
        """List the wires that go past what is between two stations."""
        if source:
            ends = {target} if target else set(self.nodes) - whole - self.aside
            return [index for index in self.out_of[source] if self.wires[index].target in ends]
        return [index for index in self.into.get(target, ()) if self.wires[index].source not in whole]

    def _entering(self, part: Sequence[str]) -> list[int]:
        inside = set(part)
        return [index for name in part for index in self.into[name] if self.wires[index].source not in inside]

    def _leaving(self, part: Sequence[str]) -> list[int]:
        inside = set(part)
        return [index for name in part for index in self.out_of[name] if self.wires[index].target not in inside]

    def stack(self, chain: Chain) -> Block:
        """Put the pieces of a chain one after the other, with frames around those of a group."""
        found = self._stack(chain.atoms, chain.depth)
        for aside in reversed(chain.asides):  # so that the way to one never leads through another
            self._put_aside(found, aside)
        return found

    def _put_aside(self, found: Block, aside: Aside) -> None:
        host = found.boxes[aside.host]
        start = host.end + GAP
        across = found.beyond(host.start, start + aside.block.length) + _BESIDE - aside.block.low
        found.put(aside.block, across, start)
        found.runs += [Run(index, across, (host.start + host.end) / 2, start, "in") for index in aside.wires]

    def _stack(self, atoms: Sequence[Atom], depth: int) -> Block:
        found = Block()
        before: Atom | None = None
        for group, members in groupby(atoms, lambda atom: atom.groups[depth : depth + 1]):
            run = list(members)
            if not group:
                for atom in run:
                    found.put(atom.block, 0, found.length + self._gap(before, atom))
                    before = atom
                continue
            inner = self._stack(run, depth + 1)
            inner.length += self._label(run[-1])
            block = frame(inner, group[0], self.titles[group[0]])
            found.put(block, 0, found.length + self._gap(before, run[0]))
            before = run[-1]
        return found

    def _gap(self, before: Atom | None, after: Atom) -> float:
        if before is None:
            return 0.0
        if not before.station or not after.station:  # branches keep their distance themselves, frames do not
            return 0.0 if before.groups == after.groups else FRAME + self._label(before)
        return GAP + self._label(before)

    def _label(self, atom: Atom) -> float:
        """Give the space along the flow that the text at the wires out of a station needs."""
        return max((self.wires[index].label for index in self.out_of.get(atom.station, ())), default=0.0)


def frame(block: Block, group: str, title: Title) -> Block:
    """Put a frame with a title around a block: a title that no flow enters by stands above the middle of both."""
    low, high = block.low - FRAME - title.across, block.high + FRAME
    if title.is_entered and title.text_across <= _SHORT_TITLE:
        low = min(low, -title.text_across - FRAME - _CLEAR)  # the flow enters beside the title, not through it
    missing = max(0.0, title.text_across + 2 * FRAME - (high - low))
    if not title.is_entered:
        low -= missing / 2
    high += missing if title.is_entered else missing / 2
    length = max(block.length + title.along + FRAME, title.text_along + 2 * FRAME)
    found = Block()
    found.frames.append((group, Place(low, 0, high, length)))
    found.put(block, 0, title.along)
    found.length, found.low, found.high = length, low, high
    return found


def common(chains: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Give what several tuples have in common at their beginning."""
    first, last = min(chains), max(chains)
    count = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:count]


def _side_by_side(blocks: Sequence[Block], *, has_lanes: bool) -> list[float]:
    """Say where blocks go across the flow: the main one in its line, or none if all are alike."""
    longest = max(range(len(blocks)), key=lambda index: blocks[index].length)
    others = [len(block.boxes) for index, block in enumerate(blocks) if index != longest]
    has_main = has_lanes or (len(others) == 1 and len(blocks[longest].boxes) > others[0])
    order = [longest, *(index for index in range(len(blocks)) if index != longest)] if has_main else range(len(blocks))
    places = dict[int, float]()
    reach = 0.0
    for position, index in enumerate(order):
        block = blocks[index]
        places[index] = reach + _BESIDE - block.low if position else 0.0
        reach = places[index] + block.high
    found = [places[index] for index in range(len(blocks))]
    if has_main or len(blocks) == 1:
        return found
    middle = found[len(found) // 2] if len(found) % 2 else (found[0] + found[-1]) / 2
    return [place - middle for place in found]
