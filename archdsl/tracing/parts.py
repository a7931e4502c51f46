"""Which calls and loops are noted by themselves, and how: the same lowering, for the numbers that reach them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

from archdsl.ir.trouble import Trouble
from archdsl.lower.blocks import Handed, instantiate
from archdsl.lower.dispatch import lower_body
from archdsl.lower.inputs import Inputs
from archdsl.lower.level import Draft, Flow
from archdsl.lower.lowering import Lowering
from archdsl.lower.place import Place
from archdsl.lower.rules import RULES
from archdsl.ops.shape import Dim, Shape
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.evaluate import unpack
from archdsl.semantics.module import Module
from archdsl.semantics.values import DeclaredBlock, Setting
from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Span
from archdsl.tracing.expressions import Expressions, Tracer, are_numbers
from archdsl.tracing.levels import TracedLevel
from archdsl.tracing.operators import TracedOperators
from archdsl.tracing.recorder import Recorder, Traced, Untraceable, plain
from archdsl.tracing.skeleton import key_of, own_names, rebuilt, traced_in, with_own
from archdsl.tracing.units import (
    MOST_KNOWN,
    Drawn,
    Opening,
    Structure,
    Structures,
    Turn,
    Unit,
    UnitBody,
    Way,
)

_FEW_STEPS = 6
STEP_EFFORT, SIZE_EFFORT, VALUE_EFFORT, ITEM_EFFORT, APPLICATION_EFFORT = 100, 1, 20, 1, 10
EFFORT = 1_000_000
"""Where what all parts take of a compilation's limits adds up to this, one of the limits may be reached."""


class TracedLowering(Lowering):
    """A lowering that knows how deep its calls nested."""

    deepest = 0

    def enter(self, declaration: tree.Block, span: Span) -> None:
        super().enter(declaration, span)
        self.deepest = max(self.deepest, len(self.calls))


class Run:
    """One run of a part: the lowering of what its recorder notes."""

    def __init__(
        self, recorder: Recorder, parts: Parts, running: Sequence[int] = (), inputs: Inputs | None = None
    ) -> None:
        self.recorder = recorder
        self.tracer = Tracer(recorder, parts.expressions)
        self.budget = Budget()
        self.budget.tracer = self.tracer
        main = TracedLevel()
        main.recorder = recorder
        self.lowering = TracedLowering(RULES, Reporter(), inputs or Inputs(None), set(), main=main, budget=self.budget)
        self.lowering.operators = TracedOperators(recorder)
        self.lowering.parts = parts
        self.lowering.running += running
        self.efforts: list[Any] = []
        """What the parts in it take."""
        self.depths: list[Any] = []
        """How deep calls nest in them, from here on."""

    def effort(self) -> tuple[Any, ...]:
        """Return what it takes of a compilation's limits, to be added up."""
        budget, lowering = self.budget, self.lowering
        own = STEP_EFFORT * lowering.steps + VALUE_EFFORT * budget.values + ITEM_EFFORT * budget.items
        own += APPLICATION_EFFORT * budget.applications + self.tracer.effort
        return (own, *self.efforts)

    def depth(self) -> tuple[Any, ...]:
        """Return how deep calls nest in it, in several places."""
        return (self.lowering.deepest, *self.depths)

    def settle(self) -> None:
        """Raise Untraceable where there was a mistake."""
        if self.lowering.is_broken:
            raise Untraceable("a mistake")


class Parts:
    """The parts of one spec, and what decides which they are."""

    def __init__(self, modules: Sequence[Module]) -> None:
        self.expressions = Expressions()
        self.structures = Structures()
        self.runs: dict[int, Run] = {}
        """The runs that are underway, by the identity of their lowering."""
        self.owners: dict[int, object] = {}
        """What the text of their own levels is, where that is no block's."""
        self._units: dict[Any, Unit] = {}
        self._loops: dict[Any, Loop] = {}
        self._small: dict[int, bool] = {}
        blocks = [
            declaration
            for module in modules
            for declaration, home in module.declarations.values()
            if isinstance(declaration, tree.Block) and home in modules
        ]
        words = [part for module in modules for part in nodes_of(module.file.declarations)]
        self._has_reuse = any(isinstance(part, tree.Reuse) for part in words)
        self._inline_refers = any(block.is_inline and _refers(block.body) for block in blocks)
        self._asserting: set[int] = {id(block) for block in blocks if _has(block, tree.Assert)}
        self._asserting_inline = any(block.is_inline and id(block) in self._asserting for block in blocks)

    def call(
        self,
        block: DeclaredBlock,
        node: tree.Call,
        values: Mapping[str, Setting],
        env: Env,
        place: Place,
        flow: Flow,
        lowering: Lowering,
    ) -> Flow | None:
        """Run a call of a block by itself, unless nothing traced reaches it, or more than numbers does."""
        declaration, shape = block.declaration, flow.shape
        if shape is None or flow.ref is None or place.edits:
            return None
        if id(declaration) in lowering.running or (place.label is not None and self._has_reuse):
            return None
        if (
            self._is_small(declaration)
            or id(declaration) in self._asserting
            or self._asserting_inline
            or place.level.is_aside
        ):
            return None
        order = [parameter.name.text for parameter in declaration.parameters]
        handed = {name: values[name] for name in order if name in values}
        try:
            leaves = traced_in((handed, env.context))
        except Untraceable:
            return None
        numbers = [size for size in shape if not isinstance(size, Dim)]
        if not leaves and not any(isinstance(size, Traced) for size in numbers):
            return None
        opening = Opening.of(shape)
        key = (id(declaration), id(block.module), key_of(handed), key_of(env.context), opening)
        unit = self._units.get(key)
        if unit is None:
            bare = replace(env, origins={}, budget=Budget(), sight=None)
            running = tuple(lowering.running)
            unit = self._units[key] = Unit(
                lambda recorder, own: self._draw(recorder, own, block, node, handed, bare, opening, running),
                self.structures,
            )
        run = self.runs[id(lowering)]
        made, result = self._made(unit, [*leaves, *numbers], run)
        structure = self.structures[made.structure]
        _take(structure, env)
        if structure.is_pass:
            return None  # a step that does nothing, which costs nothing to lower
        body = UnitBody(result, made, structure, (opening,))
        sizes = iter([run.recorder.part(result, f".sizes[{i}]", size) for i, size in enumerate(made.sizes)])
        shapes = {name: opening.filled(sizes) for name, _, opening in structure.outputs}
        draft = Draft(node.name.text, node.span, (flow.ref,), shapes, place.label, body=body)
        lowering.place_draft(draft, place.level)
        return place.level.add(draft)

    def _is_small(self, declaration: tree.Block) -> bool:
        """Return whether a block is so small that noting its steps takes no longer than calling it."""
        known = self._small.get(id(declaration))
        if known is None:
            parts = list(nodes_of(declaration.body))
            steps = sum(isinstance(part, tree.Call) for part in parts)
            branches = any(isinstance(part, tree.If | tree.For | tree.Residual) for part in parts)
            known = self._small[id(declaration)] = steps <= _FEW_STEPS and not branches
        return known

    def _made(self, function: Any, leaves: Sequence[Any], run: Run) -> tuple[Any, Traced]:
        """Call a part, and note the call and what its result looks like."""
        recorder = run.recorder
        made = function(*map(plain, leaves))
        result = recorder.call(function, leaves, made)
        recorder.hold(f"v{result.place}.structure == {made.structure}", (result.place,))
        run.efforts.append(recorder.part(result, ".effort", made.effort))
        depth = len(run.lowering.calls)
        run.depths.append(depth + recorder.part(result, ".depth", made.depth))
        return made, result

    def _draw(
        self,
        recorder: Recorder,
        leaves: Sequence[Any],
        block: DeclaredBlock,
        node: tree.Call,
        handed: dict[str, Any],
        env: Env,
        opening: Opening,
        running: Sequence[int],
    ) -> Drawn:
        """Lower a block's body for the numbers of a recorder."""
        left = iter(leaves)
        values, context = rebuilt((handed, env.context), lambda _: next(left))
        shape = opening.filled(left)
        run = Run(recorder, self, running)
        lowering = run.lowering
        self.runs[id(lowering)] = run
        try:
            inside = replace(env, context=context, budget=run.budget, entry=shape)
            place = Place(inside, lowering.main)
            instance = instantiate(block, node, Handed(block.declaration, values), inside, shape, place, lowering)
        finally:
            del self.runs[id(lowering)]
        run.settle()
        if instance.captured or lowering.assertions:
            raise Untraceable("a part that depends on more than numbers")
        taken = frozenset(context.outside.taken) if context.outside is not None else frozenset[str]()
        if instance.is_pass:
            return Drawn(Structure((), taken), (), None, (opening,), run.effort(), run.depth())
        named = {output.name: output.is_training_only for output in instance.graph.outputs}
        structure, sizes = _structure(instance.shapes, named, taken)
        return Drawn(structure, sizes, instance.graph, (opening,), run.effort(), run.depth())

    def loop(self, node: tree.For, place: Place, flow: Flow, lowering: Lowering) -> Flow | None:
        """Run a `for` by itself that goes through what is traced, and on whose steps nothing depends but by the flow."""
        level, shape, env = place.level, flow.shape, place.env
        run = self.runs[id(lowering)]
        if shape is None or flow.ref is None or place.edits or place.own or place.is_training:
            return None
        if place.stride is not None or level.is_aside or place.label is not None or self._inline_refers:
            return None
        if not run.tracer.reads_traced(node.source, env) or self._asserting_inline:
            return None
        if _refers(node.body) or _refers(self._owner(level, lowering)):
            return None
        mentioned = lowering.names_in(node.body)
        known = run.tracer.mentions(node.source).names
        if mentioned is None:
            return None
        if "in" in known:
            return None
        for_source = {name: value for name, value in env.names.items() if name in known}
        inside = {name: value for name, value in env.names.items() if name in mentioned}
        try:
            leaves = traced_in((for_source, inside, env.entry, env.context))
        except Untraceable:
            return None
        numbers = [size for size in shape if not isinstance(size, Dim)]
        opening = Opening.of(shape)
        own = own_names(for_source, env.context), own_names(inside, env.context)
        key = (
            id(node), id(env.module), key_of(for_source), key_of(inside), key_of(env.entry), key_of(env.context),
            own, opening, place.is_repeat,
        )  # fmt: skip
        loop = self._loops.get(key)
        if loop is None:
            bare = replace(env, names={}, origins={}, budget=Budget(), sight=None)
            loop = self._loops[key] = Loop(
                self, node, bare, (for_source, inside), opening, place.is_repeat, tuple(lowering.running)
            )
        made, result = self._made(loop, [*leaves, *numbers], run)
        structure = self.structures[made.structure]
        _take(structure, env)
        level.loops.append(result)
        level.is_numbered = False
        if structure.is_pass:
            return flow
        body = UnitBody(result, made, structure, (opening,))
        sizes = iter([run.recorder.part(result, f".sizes[{i}]", size) for i, size in enumerate(made.sizes)])
        ((_, _, after),) = structure.outputs
        draft = Draft("group", node.span, (flow.ref,), {"": after.filled(sizes)}, body=body)
        lowering.place_draft(draft, level)
        return level.add(draft)

    def _owner(self, level: Any, lowering: Lowering) -> object:
        """Return the declaration whose text a level's labels are read in."""
        while level is not None and level.block is None:
            level = level.outer
        return level.block if level is not None else self.owners.get(id(lowering))


_START = -1
"""The state before the first turn of a `for`."""


class Loop:
    """A `for`, as a function of the numbers that reach it: its turns are parts, one after another."""

    def __init__(
        self,
        parts: Parts,
        node: tree.For,
        env: Env,
        names: tuple[dict[str, Any], dict[str, Any]],
        opening: Opening,
        is_repeat: bool,
        running: Sequence[int],
    ) -> None:
        self._parts, self._node, self._opening = parts, node, opening
        for_source, names_inside = names
        self._env = replace(env, names=names_inside)
        self._is_repeat, self._running = is_repeat, running
        self._own = own_names(names_inside, env.context)
        given = (for_source, None, env.entry, env.context)
        self._source = parts.expressions.made(node.source, env, given, own_names(for_source, env.context))
        self._of_source, self._inside = len(traced_in(for_source)), len(traced_in(names_inside))
        self._turns: dict[Any, Unit] = {}
        self._known: dict[tuple[Any, ...], MadeLoop] = {}
        self._numbers: dict[tuple[int, frozenset[str]], int] = {}

    def __call__(self, *leaves: Any) -> MadeLoop:
        """Return what it makes of these numbers.

        Errors: Untraceable where that is a mistake, or cannot be noted
        """
        made = self._known.get(leaves)
        if made is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            made = self._known[leaves] = self._run(leaves)
        return made

    def _run(self, leaves: tuple[Any, ...]) -> MadeLoop:
        count, source = len(leaves) - self._opening.numbers, self._of_source
        rest, sizes = leaves[source + self._inside : count], leaves[count:]
        items = self._source(*leaves[:source], *rest)
        given = (*leaves[source : source + self._inside], *rest)
        if type(items) is not tuple:
            raise Untraceable("a mistake")
        structures, targets = self._parts.structures, self._node.targets
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
            if way.is_pass is False:
                state, sizes = way.structure, turn[2][way.first_size :]
            if way.taken:
                taken |= way.taken
        number = self._numbers.get((state, taken))
        if number is None:
            outputs = structures[state].outputs if state != _START else ()
            number = self._numbers[state, taken] = structures.number(Structure(outputs, taken))
        return MadeLoop(number, sizes if state != _START else (), turns, self._source.effort)

    def _turn(self, opening: Opening, names: Mapping[str, Any]) -> Unit:
        return Unit(lambda recorder, leaves: self._draw(recorder, leaves, opening, names), self._parts.structures)

    def _draw(self, recorder: Recorder, leaves: Sequence[Any], opening: Opening, names: Mapping[str, Any]) -> Drawn:
        """Lower one turn for the numbers of a recorder."""
        left = iter(leaves)
        known, entry, context = rebuilt((self._env.names, self._env.entry, self._env.context), lambda _: next(left))
        context = with_own(context, self._own, known)
        bound = {name: next(left) if _is_leaf(value) else value for name, value in names.items()}
        shape = opening.filled(left)
        run = Run(recorder, self._parts, self._running)
        lowering, level = run.lowering, run.lowering.main
        self._parts.runs[id(lowering)] = run
        self._parts.owners[id(lowering)] = self._node
        try:
            env = replace(self._env, names={**known, **bound}, entry=entry, context=context, budget=run.budget)
            start = level.arrive(shape, self._node.span)
            place = Place(env, level, is_repeat=self._is_repeat)
            lowering.count(self._node.span)
            flow = lower_body(self._node.body, place, start, lowering)
        finally:
            del self._parts.runs[id(lowering)], self._parts.owners[id(lowering)]
        run.settle()
        if lowering.assertions or flow.shape is None or level.outputs:
            raise Untraceable("a mistake, or more than what flows")
        labels = level.written_labels()
        taken = frozenset(context.outside.taken) if context.outside is not None else frozenset[str]()
        if level.is_empty:
            return Drawn(Structure((), taken), (), None, (opening,), run.effort(), run.depth(), labels=labels)
        graph = level.finish("turn", "group", flow, self._node.span)
        structure, sizes = _structure({"": flow.shape}, {}, taken)
        return Drawn(structure, sizes, graph, (opening,), run.effort(), run.depth(), labels=labels)


class MadeLoop:
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
        if len({*labels}) < len(labels):
            raise Untraceable("a label twice")

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


def _measured(way: Way, leaves: tuple[Any, ...], found: tuple[Any, ...], *dims: int) -> tuple[Any, ...]:
    return way.measure(leaves, found[4 : way.first_size], dims)


def _is_leaf(value: object) -> bool:
    return type(value) in (int, float, Fraction) or (type(value) is tuple and are_numbers(value))


def _structure(
    shapes: Mapping[str, Shape | None], named: Mapping[str, bool], taken: frozenset[str]
) -> tuple[Structure, tuple[Any, ...]]:
    outputs: list[tuple[str, bool, Opening]] = []
    sizes: list[Any] = []
    for name, shape in shapes.items():
        if shape is None:
            raise Untraceable("a mistake")
        outputs.append((name, named.get(name, False), Opening.of(shape)))
        sizes += [size for size in shape if not isinstance(size, Dim)]
    return Structure(tuple(outputs), taken), tuple(sizes)


def _take(structure: Structure, env: Env) -> None:
    if env.context.outside is not None:
        env.context.outside.taken.update(structure.taken)


def _has(part: object, kind: type) -> bool:
    return any(isinstance(node, kind) for node in nodes_of(part))


def _refers(part: object) -> bool:
    """Return whether a text has what depends on the labels of its level, or gives more than what flows."""
    kinds = tree.Reference | tree.Reuse | tree.OutputStatement | tree.Assert | tree.Broken
    return any(isinstance(node, kinds) for node in nodes_of(part))
