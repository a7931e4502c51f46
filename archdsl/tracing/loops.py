"""A `for` over what is not the same for all networks: its turns are parts, one after another."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# Traced numbers pass for plain ones, which no type can say.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

from archdsl.ir.trouble import Trouble
from archdsl.lower.dispatch import lower_body
from archdsl.lower.place import Place
from archdsl.semantics.env import Env
from archdsl.semantics.evaluate import unpack
from archdsl.syntax import tree
from archdsl.tracing.expressions import are_numbers
from archdsl.tracing.levels import are_distinct
from archdsl.tracing.passages import MOST_KNOWN, Drawn, Opening, Passage, SpecPart, Structure, Turn
from archdsl.tracing.recorder import Recorder, TracedList, Untraceable, exact
from archdsl.tracing.runs import Notes, Run, structure_of
from archdsl.tracing.skeleton import key_of, own_names, rebuilt, traced_in, with_own

_START = -1
"""The state before the first turn of a `for`."""


class Loop:
    """A `for`, as a function of the numbers that reach it: its turns are parts, one after another."""

    def __init__(
        self,
        notes: Notes,
        node: tree.For,
        env: Env,
        names: tuple[dict[str, Any], dict[str, Any]],
        opening: Opening,
        is_repeat: bool,
        running: Sequence[int],
    ) -> None:
        self._notes, self._node, self._opening = notes, node, opening
        for_source, names_inside = names
        self._env = replace(env, names=names_inside)
        self._is_repeat, self._running = is_repeat, running
        self._own = own_names(names_inside, env.context)
        given = (for_source, None, env.entry, env.context)
        self._source = notes.expressions.made(node.source, env, given, own_names(for_source, env.context))
        self._of_source, self._inside = len(traced_in(for_source)), len(traced_in(names_inside))
        self._turns: dict[Any, SpecPart] = {}
        self._known: dict[tuple[Any, ...], LoopResult] = {}
        self._has_lists = any(isinstance(leaf, TracedList) for leaf in traced_in((*names, env.entry, env.context)))
        self._numbers: dict[tuple[int, frozenset[str]], int] = {}

    def __call__(self, *leaves: Any) -> LoopResult:
        """Return what it makes of these numbers.

        Errors: Untraceable where that is a mistake, or cannot be noted
        """
        key = exact(leaves) if self._has_lists else leaves
        made = self._known.get(key)
        if made is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            made = self._known[key] = self._run(leaves)
        return made

    def _run(self, leaves: tuple[Any, ...]) -> LoopResult:
        count, source = len(leaves) - self._opening.numbers, self._of_source
        rest, sizes = leaves[source + self._inside : count], leaves[count:]
        items = self._source(*leaves[:source], *rest)
        given = (*leaves[source : source + self._inside], *rest)
        if type(items) is not tuple:
            raise Untraceable("a mistake")
        structures, targets = self._notes.structures, self._node.targets
        state, taken = _START, self._source.taken or frozenset[str]()
        turns: list[Turn] = []
        units, is_single = self._turns, len(targets) == 1
        for item in items:
            if type(item) is int and is_single:
                names, own, kinds = None, (item,), int
            else:
                try:
                    names = unpack(targets, item, self._node.source.span)
                except Trouble:
                    raise Untraceable("a mistake") from None
                own = tuple([value for value in names.values() if _is_leaf(value)])
                kinds = tuple([type(value) if _is_leaf(value) else key_of(value) for value in names.values()])
            unit = units.get((state, kinds))
            if unit is None:
                opening = self._opening if state == _START else structures[state].outputs[0][2]
                unit = units[state, kinds] = self._turn(opening, names or {targets[0].text: item})
            handed = (*given, *own, *sizes)
            turn = unit.found(handed)
            turns.append(turn)
            way = turn[0]
            if not way.is_pass:
                state, sizes = way.structure, turn[2][way.first_size :]
            if way.taken:
                taken |= way.taken
        number = self._numbers.get((state, taken))
        if number is None:
            outputs = structures[state].outputs if state != _START else ()
            number = self._numbers[state, taken] = structures.number(Structure(outputs, taken))
        return LoopResult(number, sizes if state != _START else (), turns, self._source.effort)

    def _turn(self, opening: Opening, names: Mapping[str, Any]) -> SpecPart:
        return SpecPart(lambda recorder, leaves: self._draw(recorder, leaves, opening, names), self._notes.structures)

    def _draw(self, recorder: Recorder, leaves: Sequence[Any], opening: Opening, names: Mapping[str, Any]) -> Drawn:
        """Lower one turn for the numbers of a recorder."""
        left = iter(leaves)
        known, entry, context = rebuilt((self._env.names, self._env.entry, self._env.context), lambda _: next(left))
        context = with_own(context, self._own, known)
        bound = {name: next(left) if _is_leaf(value) else value for name, value in names.items()}
        shape = opening.filled(left)
        run = Run(recorder, self._notes, self._running)
        level = run.level
        with run.underway(self._notes, self._node) as lowering:
            env = replace(self._env, names={**known, **bound}, entry=entry, context=context, budget=run.budget)
            start = level.arrive(shape, self._node.span)
            place = Place(env, level, is_repeat=self._is_repeat)
            lowering.count(self._node.span)
            flow = lower_body(self._node.body, place, start, lowering)
        run.settle()
        if lowering.assertions or flow.shape is None or level.outputs:
            raise Untraceable("a mistake, or more than what flows")
        labels = level.written_labels()
        taken = frozenset(context.outside.taken) if context.outside is not None else frozenset[str]()
        if level.is_empty:
            return Drawn(Structure((), taken), (), None, (opening,), run.effort(), run.depth(), labels=labels)
        graph = level.finish("turn", "group", flow, self._node.span)
        structure, sizes = structure_of({"": flow.shape}, {}, taken)
        return Drawn(structure, sizes, graph, (opening,), run.effort(), run.depth(), labels=labels)


class LoopResult:
    """What a `for` makes of certain numbers: what its turns do, one after another."""

    __slots__ = ("_turns", "depth", "effort", "labels", "size", "sizes", "structure")

    def __init__(self, structure: int, sizes: tuple[Any, ...], turns: Sequence[Turn], effort: int) -> None:
        self.structure, self.sizes = structure, sizes
        size = depth = 0
        labels: list[str] = []
        self._turns: list[list[Any]] = []
        """What its turns are, equal ones that follow each other together: what tells its costs, and how often."""
        last: object = None
        for way, leaves, found in turns:
            size += found[0]
            effort += found[1]
            if found[2] > depth:
                depth = found[2]
            labels += found[3]
            if way.is_pass:
                continue
            what = found[4 + way.only] if way.only >= 0 else None
            if what is not None and what is last:
                self._turns[-1][1] += 1
            elif what is not None:
                self._turns.append([what.costs, 1])
            else:
                self._turns.append([partial(_measured, way, leaves, found), 1])
            last = what
        self.size, self.effort, self.depth, self.labels = size, effort, depth, tuple(labels)
        are_distinct(frozenset(), labels)

    def costs(self, *dims: int) -> tuple[Any, ...]:
        """Return the sizes of its output that follow the image's, then parameters, buffers, macs and the rest."""
        a = b = c = d = e = 0
        for costs, count in self._turns:
            while count:
                found = costs(*dims)
                after, times = found[:-5], 1
                if after == dims:  # all that follow are equal to this one
                    times = count
                parameters, buffers, macs, elementwise, activations = found[-5:]
                a += times * parameters
                b += times * buffers
                c += times * macs
                d += times * elementwise
                e += times * activations
                dims = after
                count -= times
        return (*dims, a, b, c, d, e)


def _measured(way: Passage, leaves: tuple[Any, ...], found: tuple[Any, ...], *dims: int) -> tuple[Any, ...]:
    return way.measure(leaves, found[4 : way.first_size], dims)


def _is_leaf(value: object) -> bool:
    return type(value) in (int, float, Fraction) or (type(value) is tuple and are_numbers(value))
