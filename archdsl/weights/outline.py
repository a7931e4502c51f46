"""The modules of a network and of a file, as a guess of renames sees them: in order here, as a tree there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from archdsl.ops.base import Tensor
from archdsl.weights.stored import Stored
from archdsl.weights.transfer import COUNTER

ModulePath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """A module of the network that has tensors of its own: what each part is called, and needs."""

    path: ModulePath
    parts: Mapping[str, Tensor]


@dataclass(slots=True)
class FileLevel:
    """A module of the file: its own tensors by part, with the keys of both kinds, and what stands below it."""

    path: ModulePath
    parts: dict[str, Stored] = field(default_factory=dict[str, Stored])
    below: dict[str, FileLevel] = field(default_factory=dict[str, "FileLevel"])

    def walk(self) -> Iterator[FileLevel]:
        """Yield the modules with tensors of their own, from here down, as a state_dict has them."""
        if self.parts:
            yield self
        for inner in self.below.values():
            yield from inner.walk()


def list_needs(state: Iterable[tuple[str, Tensor]]) -> list[Need]:
    """Return the network's modules in the order of its state_dict; counts of batches are none of their parts."""
    found: dict[ModulePath, dict[str, Tensor]] = {}
    for key, tensor in state:
        *path, part = key.split(".")
        if part != COUNTER:
            found.setdefault(tuple(path), {})[part] = tensor
    return [Need(path, parts) for path, parts in found.items()]


def build_levels(stored: Mapping[str, Stored]) -> FileLevel:
    """Return the tree of a file's modules."""
    root = FileLevel(())
    for key, tensor in stored.items():
        *path, part = key.split(".")
        level = root
        for place, name in enumerate(path):
            level = level.below.setdefault(name, FileLevel(tuple(path[: place + 1])))
        if part != COUNTER:
            level.parts[part] = tensor
    return root


def split_number(name: str) -> tuple[tuple[str, str], int] | None:
    """Return what stands around the last number of a name, and the number.

    >>> split_number("conv12a"), split_number("stem")
    ((('conv', 'a'), 12), None)
    """
    match = re.fullmatch(r"(.*?)(\d{1,9})(\D*)", name, re.DOTALL)
    return ((match[1], match[3]), int(match[2])) if match is not None else None


def chains(names: Sequence[str]) -> list[list[str]]:
    """Group names that only their last number tells apart, in the order of the numbers.

    >>> chains(["b10", "b2", "stem", "b1"])
    [['b1', 'b2', 'b10'], ['stem']]
    """
    found: dict[object, list[tuple[int, str]]] = {}
    for name in names:
        numbered = split_number(name)
        around, number = numbered if numbered is not None else (name, 0)
        found.setdefault(around, []).append((number, name))
    return [[name for _, name in sorted(chain)] for chain in found.values()]
