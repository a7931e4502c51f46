"""Which steps of a level need labels, so that all of them get the names that the graph has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archdsl.ir.graph import Node
from archdsl.ir.labels import UnlabelledNames


@dataclass(slots=True)
class Unit:
    """What one step writes: a node, or some of its repeats."""

    node: Node
    names: tuple[str, ...]
    hint: str
    """What it goes by without a label."""
    is_labelled: bool = False

    @property
    def is_join(self) -> bool:
        return self.node.op is not None and self.node.op.is_join

    @property
    def has_own_name(self) -> bool:
        """Whether nothing hangs on its name: it has no weights, or those of another."""
        return self.is_join or self.node.reuses is not None


def are_numbers(units: Sequence[Unit]) -> bool:
    """Return whether the names are those of a level that numbers its steps."""
    names = [name for unit in units if not unit.node.is_input for name in unit.names]
    return names == [str(index) for index in range(len(names))]


def settle(units: list[Unit], arriving: Mapping[str, Sequence[str]]) -> list[Unit]:
    """Return the units with as many labels as are needed for their names, where the level is not numbered.

    `arriving` are the words that places where values arrive go by, by the node that they stand before. Repeats whose
    names are not what they would be stand one by one.
    """
    while True:
        wrong = _first_wrong(units, arriving)
        if wrong is None:
            return units
        unit = units[wrong]
        ones = [Unit(unit.node, (name,), unit.hint, is_labelled=True) for name in unit.names]
        units = [*units[:wrong], *ones, *units[wrong + 1 :]]


def _first_wrong(units: Sequence[Unit], arriving: Mapping[str, Sequence[str]]) -> int | None:
    """Return the first step without a label that would get another name than it has."""
    unlabelled = UnlabelledNames(unit.names[0] for unit in units if unit.is_labelled)
    for index, unit in enumerate(units):
        if index == 0 or units[index - 1].node is not unit.node:
            for word in arriving.get(unit.node.id, ()):
                unlabelled.next(word)
        if unit.is_labelled:
            continue
        found = tuple(unlabelled.next(unit.hint) for _ in unit.names)
        if found != unit.names and not unit.has_own_name:
            return index
    return None
