"""A stream: the boxes that a layout is to place, and the links between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archdsl.backends.picture.layout.patch import Tile

NEAR = 5.0
"""From a line to the text beside it."""


@dataclass(frozen=True, slots=True)
class Link:
    """An edge to be drawn, with the space along the flow that its label takes, and that of its text across."""

    source: str
    target: str
    label: float = 0.0
    text: float = 0.0


class Stream:
    """Boxes in an order that follows the links, which have numbers.

    `main` is the box where the main flow ends: what does not lead there stands `aside`.
    """

    def __init__(self, tiles: Sequence[Tile], links: Mapping[int, Link], main: str) -> None:
        self.tiles = {tile.name: tile for tile in tiles}
        self.links = links
        self.into: dict[str, list[int]] = {tile.name: [] for tile in tiles}
        self.out_of: dict[str, list[int]] = {tile.name: [] for tile in tiles}
        for index, link in links.items():
            self.into[link.target].append(index)
            self.out_of[link.source].append(index)
        self.aside = set(self.tiles) - self._leading_to(main)

    def _leading_to(self, main: str) -> set[str]:
        found, stack = {main}, [main]
        while stack:
            for source in self.sources(stack.pop()):
                if source not in found:
                    found.add(source)
                    stack.append(source)
        return found

    def sources(self, name: str) -> list[str]:
        return [self.links[index].source for index in self.into[name]]

    def targets(self, name: str) -> list[str]:
        return [self.links[index].target for index in self.out_of[name]]

    def entering(self, part: Sequence[str]) -> list[int]:
        """List the links that come into a part from outside."""
        inside = set(part)
        return [index for name in part for index in self.into[name] if self.links[index].source not in inside]

    def leaving(self, part: Sequence[str]) -> list[int]:
        """List the links that go out of a part."""
        inside = set(part)
        return [index for name in part for index in self.out_of[name] if self.links[index].target not in inside]

    def label(self, name: str) -> float:
        """Return the space along the flow that the text at the lines out of a box needs; none without such a box."""
        return max((self.links[index].label for index in self.out_of.get(name, ())), default=0.0)

    def text(self, name: str) -> float:
        """Return the space across the flow of the text at the lines out of a box."""
        return max((self.links[index].text for index in self.out_of[name]), default=0.0)

    def parts(self, names: Sequence[str]) -> list[list[str]]:
        """Split boxes into parts that no link joins."""
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
