"""Which calls and loops are noted by themselves: the same lowering, for the numbers that reach them."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# Traced numbers pass for plain ones, which no type can say.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from archdsl.lower.blocks import Handed, instantiate
from archdsl.lower.level import Draft, Flow
from archdsl.lower.lowering import Lowering
from archdsl.lower.place import Place
from archdsl.ops.shape import Dim
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.module import Module
from archdsl.semantics.values import DeclaredBlock, Setting
from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.tracing.levels import TracedLevel
from archdsl.tracing.loops import Loop
from archdsl.tracing.passages import CalledPart, Drawn, Opening, SpecPart, Structure
from archdsl.tracing.recorder import Recorder, Traced, Untraceable
from archdsl.tracing.runs import Notes, Run, structure_of, take
from archdsl.tracing.skeleton import key_of, own_names, rebuilt, traced_in

_FEW_STEPS = 6
"""A block of so few steps is noted with its caller's, since calling it would take as long."""


class PartNotes:
    """The parts of one spec, and what decides which they are."""

    def __init__(self, modules: Sequence[Module]) -> None:
        self.notes = Notes()
        self.notes.maker = self
        self._units: dict[Any, SpecPart] = {}
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
        self.notes.open_labels = _open_labels(
            [part for module in modules for part, home in module.declarations.values() if home in modules]
        )
        self._asserting_inline = any(block.is_inline and id(block) in self._asserting for block in blocks)

    @property
    def count(self) -> int:
        """How many parts and expressions are noted."""
        return len(self._units) + len(self._loops) + len(self.notes.expressions)

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
            unit = self._units[key] = SpecPart(
                lambda recorder, leaves: self._draw(recorder, leaves, block, node, handed, bare, opening, running),
                self.notes.structures,
            )
        run = self.notes.runs[id(lowering)]
        made, result = run.called(unit, [*leaves, *numbers])
        structure = self.notes.structures[made.structure]
        take(structure, env)
        if structure.is_pass:
            return None  # a step that does nothing, which costs nothing to lower
        body = CalledPart(result, made, structure, (opening,))
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
        run = Run(recorder, self.notes, running)
        with run.underway(self.notes, block.declaration) as lowering:
            inside = replace(env, context=context, budget=run.budget, entry=shape)
            place = Place(inside, run.level)
            instance = instantiate(block, node, Handed(block.declaration, values), inside, shape, place, lowering)
        run.settle()
        if instance.captured or lowering.assertions:
            raise Untraceable("a part that depends on more than numbers")
        taken = frozenset(context.outside.taken) if context.outside is not None else frozenset[str]()
        if instance.is_pass:
            return Drawn(Structure((), taken), (), None, (opening,), run.effort(), run.depth())
        named = {output.name: output.is_training_only for output in instance.graph.outputs}
        structure, sizes = structure_of(instance.shapes, named, taken)
        return Drawn(structure, sizes, instance.graph, (opening,), run.effort(), run.depth())

    def loop(self, node: tree.For, place: Place, flow: Flow, lowering: Lowering) -> Flow | None:
        """Run a `for` by itself that goes through what is traced, and of whose steps only the flow is read."""
        level, shape, env = cast("TracedLevel", place.level), flow.shape, place.env
        run = self.notes.runs[id(lowering)]
        if shape is None or flow.ref is None or place.edits or place.own or place.is_training:
            return None
        if place.stride is not None or level.is_aside or place.label is not None or self._inline_refers:
            return None
        if not run.tracer.reads_traced(node.source, env) or self._asserting_inline:
            return None
        if _refers(node.body) or _refers(self._owner(level, lowering)):
            return None
        labels = (part for part in nodes_of(node.body) if isinstance(part, tree.LabelText))
        if not all(id(label) in self.notes.open_labels for label in labels):
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
                self.notes, node, bare, (for_source, inside), opening, place.is_repeat, tuple(lowering.running)
            )
        made, result = run.called(loop, [*leaves, *numbers])
        structure = self.notes.structures[made.structure]
        take(structure, env)
        level.loops.append(result)
        level.is_numbered = False
        if structure.is_pass:
            return flow
        body = CalledPart(result, made, structure, (opening,))
        sizes = iter([run.recorder.part(result, f".sizes[{i}]", size) for i, size in enumerate(made.sizes)])
        ((_, _, after),) = structure.outputs
        draft = Draft("group", node.span, (flow.ref,), {"": after.filled(sizes)}, body=body)
        lowering.place_draft(draft, level)
        return level.add(draft)

    def _owner(self, level: Any, lowering: Lowering) -> object:
        """Return the declaration whose text a level's labels are read in."""
        while level is not None and level.block is None:
            level = level.outer
        return level.block if level is not None else self.notes.owners.get(id(lowering))


def _open_labels(declarations: Iterable[object]) -> frozenset[int]:
    """List by identity the labels that nothing is looked for by, so that two runs may do without telling them apart."""
    bodies = [part for part in declarations if isinstance(part, tree.Block | tree.Model)]
    referring = {id(body) for body in bodies if _has(body, tree.Reference) or _has(body, tree.Reuse)}
    joining = {id(body) for body in bodies if isinstance(body, tree.Block) and (body.is_inline or _takes_body(body))}
    if referring & joining:  # labels of any body may be those of the levels that these look at
        return frozenset()
    found: set[int] = set()
    for body in bodies:
        if id(body) in referring or (referring and id(body) in joining):
            continue
        own = [part for part in nodes_of(body) if isinstance(part, tree.LabelText)]
        found.update(map(id, own))
        if any("." in piece for label in own for piece in label.pieces if isinstance(piece, str)):
            # A label that is a path may name a step in a labelled level too.
            steps = [part for part in nodes_of(body) if isinstance(part, tree.Step) and part.label is not None]
            found -= {id(label) for step in steps for label in nodes_of(step.action)}
    return frozenset(found)


def _takes_body(block: tree.Block) -> bool:
    return any(parameter.type is not None and parameter.type.text == "body" for parameter in block.parameters)


def _has(part: object, kind: type) -> bool:
    return any(isinstance(node, kind) for node in nodes_of(part))


def _refers(part: object) -> bool:
    """Return whether a text has what depends on the labels of its level, or gives more than what flows."""
    kinds = tree.Reference | tree.Reuse | tree.OutputStatement | tree.Assert | tree.Broken
    return any(isinstance(node, kinds) for node in nodes_of(part))
