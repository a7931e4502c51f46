"""The picture: what is drawn, before any drawing program's syntax. Writers such as `dot` read nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from archdsl.backends.theme import Kind
from archdsl.passes.costs import Total


@dataclass(frozen=True, slots=True)
class Box:
    """One thing drawn. A join holds its symbol as its only line: one character is a circle, more a bar.

    `lines` describe what it does in the field's shorthand, `name` is what the spec calls it, and `shape` what it gives,
    as far as that is one shape. `paths` are the state_dict paths of the operators it stands for, in full, and `costs`
    what they cost together; none inside a block shown for all its calls. `group` is the innermost group around it.
    `is_frozen` says that training leaves all of it as it is.
    """

    id: str
    kind: Kind
    lines: tuple[str, ...]
    group: str | None = None
    paths: tuple[str, ...] = ()
    name: str = ""
    shape: str = ""
    costs: Total | None = None
    is_frozen: bool = False

    @property
    def is_circle(self) -> bool:
        return self.kind == "join" and len(self.lines[0]) == 1

    @property
    def is_bar(self) -> bool:
        return self.kind == "join" and len(self.lines[0]) > 1

    @property
    def texts(self) -> tuple[str, ...]:
        """List what it says, its part of the costs aside."""
        return tuple(text for text in (self.name, *self.lines, self.shape) if text)


@dataclass(frozen=True, slots=True)
class Edge:
    """A value that flows. A shortcut goes past boxes that another path from source to target goes through.

    `label` is the value's shape where the source changed it, `argument` what the target calls a value that it takes
    beside what flows.
    """

    source: str
    target: str
    label: str = ""
    is_shortcut: bool = False
    argument: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """List what it says."""
        return tuple(text for text in (self.label, self.argument) if text)


@dataclass(frozen=True, slots=True)
class BoxGroup:
    """A frame around boxes. The inside of a block, shown for all its calls, stands apart from the main flow."""

    id: str
    title: str
    parent: str | None = None
    is_detail: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes in an order that follows the edges, except for the edges of details, which join nothing else."""

    title: str
    subtitle: str
    direction: Literal["right", "down"]
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    groups: tuple[BoxGroup, ...]
    total: Total = field(default_factory=Total)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """List the kinds of box that a legend explains, in order of appearance."""
        return tuple(dict.fromkeys(box.kind for box in self.boxes if box.kind not in ("join", "input", "output")))


def mark_shortcuts(boxes: Sequence[Box], edges: Sequence[Edge]) -> Iterator[Edge]:
    """Yield the edges, with those marked past which a longer path leads.

    Requires: boxes in topological order.
    """
    position = {box.id: index for index, box in enumerate(boxes)}
    targets: dict[str, list[str]] = {box.id: [] for box in boxes}
    for edge in edges:
        targets[edge.source].append(edge.target)
    # Sets of boxes as bits of a number: the closure of a thousand boxes then costs little.
    below: dict[str, int] = {}
    for box in reversed(boxes):
        below[box.id] = 0
        for target in targets[box.id]:
            below[box.id] |= below[target] | 1 << position[target]
    for edge in edges:
        others = (below[other] for other in targets[edge.source] if other != edge.target)
        is_shortcut = any(reached >> position[edge.target] & 1 for reached in others)
        yield replace(edge, is_shortcut=is_shortcut)
