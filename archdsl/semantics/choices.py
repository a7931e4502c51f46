"""Every way through a program that chooses: it is run again and again, each time with other decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from archdsl.syntax import tree

T = TypeVar("T")


@dataclass(slots=True)
class Replay:
    """Follows decisions, each the number of an option from 0, and takes the first option beyond them."""

    decisions: tuple[int, ...] = ()
    taken: list[tuple[tree.Choose, int]] = field(default_factory=list[tuple[tree.Choose, int]])
    """What was asked for in this run, in order, with the options taken."""

    def pick(self, node: tree.Choose) -> tree.Expression:
        """Return the option that is taken."""
        place = len(self.taken)
        number = self.decisions[place] if place < len(self.decisions) else 0
        self.taken.append((node, number))
        return node.options[number]

    def options(self) -> Mapping[int, tree.Expression]:
        """Map the choices that were asked for, by identity, to the options taken last."""
        return {id(node): node.options[number] for node, number in self.taken}

    def next(self) -> tuple[int, ...] | None:
        """Return the decisions of the run behind this one, which differ as late as they can; None behind the last."""
        numbers = [number for _, number in self.taken]
        while numbers and numbers[-1] + 1 == len(self.taken[len(numbers) - 1][0].options):
            numbers.pop()
        return (*numbers[:-1], numbers[-1] + 1) if numbers else None


@dataclass(frozen=True, slots=True)
class ChosenRun(Generic[T]):
    """What one run gave, with the decisions that led to it."""

    replay: Replay
    result: T


def all_runs(program: Callable[[Replay], T]) -> Iterator[ChosenRun[T]]:
    """Yield each run of a program that picks options, its last choices varying fastest.

    Requires: that equal decisions lead to equal runs. So a choice may depend on those before it, and be in one branch.
    """
    decisions: tuple[int, ...] | None = ()
    while decisions is not None:
        replay = Replay(decisions)
        result = program(replay)
        yield ChosenRun(replay, result)
        decisions = replay.next()
