"""The head: the last steps with weights before the outputs of the classes' shape, found in the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archdsl.ir.graph import Node, Value
from archdsl.ops.base import Tensor
from archdsl.passes.shapes import Shapes
from archdsl.passes.state import is_at

_ASIDE = ("norm", "activation")
_MOST_STEPS = 50_000


class HeadTooFar(Exception):
    """More steps lie before the outputs than are looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """A body where it is written out: its table, the path before its nodes, and the call that it is of.

    `index` counts the call's repeats. `first` is the path before the nodes whose weights this one applies again.
    """

    shapes: Shapes
    path: str = ""
    first: str = ""
    outer: _Level | None = None
    node: Node | None = None
    index: int = 0


class _Step(NamedTuple):
    """An operator where it is written out: one of a node's repeats in a level."""

    level: _Level
    node: Node
    turn: int

    @property
    def path(self) -> str:
        return f"{self.level.path}{self.node.names[self.turn]}"

    @property
    def state_path(self) -> str:
        """Return the path below which its tensors lie."""
        return f"{self.level.first}{self.node.reuses or self.node.names[self.turn]}"


def find_head(shapes: Shapes) -> frozenset[str]:
    """Return the paths of the last steps with weights before each output of the main output's shape, norms left aside.

    Outputs that are there in training alone count, such as an auxiliary classifier's. Where ways join before an output
    each of them has a last step, unless that comes before another one. A learned factor behind a linear map, and a
    learned matrix that a product reads, belong to the head.

    Requires: shapes without errors. Ensures: nothing where no output follows from weights.
    Errors: HeadTooFar where a hostile network has too many steps
    """
    classes = shapes.outputs[""]
    found: dict[str, list[_Step]] = {}
    for output in shapes.graph.outputs:
        if shapes.of(output.value) == classes:
            for step in _last_steps(_Level(shapes), output.value):
                found.setdefault(step.state_path, []).append(step)
    if len(found) < 2:
        return frozenset(found)
    ahead = _before_others(found)
    return frozenset(path for path in found if path not in ahead or not _is_linear(found[path][0]))


def is_of(key: str, head: frozenset[str]) -> bool:
    """Return whether a tensor belongs to a head."""
    return any(is_at(key, path) for path in head)


def _last_steps(level: _Level, value: Value) -> Iterator[_Step]:
    """Yield the steps with weights that a walk back from a value meets, up to the first linear map on each way."""
    seen: set[str] = set()
    left = [*_producers(level, value)]
    while left:
        step = left.pop()
        if step.path in seen:
            continue
        seen.add(step.path)
        if len(seen) > _MOST_STEPS:
            raise HeadTooFar
        op = step.node.op
        assert op is not None
        sources = _sources(step)
        matrices = [source for source in sources if _is_matrix(source)]
        if _has_weights(step) and op.category not in _ASIDE:
            yield step
        if not _is_linear(step):
            left += matrices or sources


def _before_others(found: Mapping[str, Sequence[_Step]]) -> set[str]:
    """Return the paths of found steps that come before another found linear map."""
    # Of the steps that lie behind one, two of different paths tell as much as all of them.
    origins: dict[str, set[str]] = {}
    maps = {path: steps for path, steps in found.items() if _is_linear(steps[0])}
    left = [(before, path) for path, steps in maps.items() for step in steps for before in _sources(step)]
    ahead: set[str] = set()
    while left:
        step, origin = left.pop()
        known = origins.setdefault(step.path, set())
        if origin in known or len(known) > 1:
            continue
        if len(origins) > _MOST_STEPS:
            raise HeadTooFar
        known.add(origin)
        if step.state_path in found and step.state_path != origin:
            ahead.add(step.state_path)
        left += [(before, origin) for before in _sources(step)]
    return ahead


def _has_weights(step: _Step) -> bool:
    return any(tensor.kind == "parameter" for tensor in _tensors(step))


def _tensors(step: _Step) -> tuple[Tensor, ...]:
    assert step.node.op is not None
    return step.node.op.state(step.level.shapes.inputs_of(step.node))


def _is_linear(step: _Step) -> bool:
    op, inputs = step.node.op, step.level.shapes.inputs_of(step.node)
    return op is not None and bool(inputs) and op.linear_map(inputs) is not None


def _is_matrix(step: _Step) -> bool:
    """Return whether a step is a learned tensor of more than one axis, which what reads it applies as its weights."""
    is_source = step.node.op is not None and step.node.op.is_source
    sizes = [tensor.shape for tensor in _tensors(step) if tensor.kind == "parameter"] if is_source else []
    return any(sum(size > 1 for size in shape) > 1 for shape in sizes)


def _sources(step: _Step) -> list[_Step]:
    """Return the operators whose results a step reads; nothing for the network's inputs."""
    inputs = step.node.inputs
    if step.turn > 0:
        before = step._replace(turn=step.turn - 1)
        return [before, *(found for value in inputs[1:] for found in _producers(step.level, value))]
    return [found for value in inputs for found in _producers(step.level, value)]


def _producers(level: _Level, value: Value) -> Iterator[_Step]:
    """Yield the operator that gives a value, if any does, through the borders of bodies."""
    while True:
        node = level.shapes.graph.nodes[value.node]
        if node.op is not None:
            if not node.is_input:
                yield _Step(level, node, node.repeat - 1)
            return
        if node.body is not None:
            level = _inside(level, node, node.repeat - 1)
            named = {output.name: output.value for output in node.body.outputs}
            value = named.get(value.output, node.body.main)
            continue
        call, outer = level.node, level.outer
        if call is None or outer is None:
            return
        port = [entry.id for entry in level.shapes.graph.inputs].index(node.id)
        if port == 0 and level.index > 0:
            level = _inside(outer, call, level.index - 1)
            value = level.shapes.graph.main
        else:
            level, value = outer, call.inputs[port]


def _inside(level: _Level, node: Node, index: int) -> _Level:
    name = node.names[index]
    first = f"{level.first}{node.reuses or name}."
    return _Level(level.shapes.inner[node.id], f"{level.path}{name}.", first, level, node, index)
