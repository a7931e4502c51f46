"""Which operator reads which other's result, seen through the borders of blocks and groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from archdsl.ir.graph import Node, Value
from archdsl.ops.base import Op
from archdsl.passes.lint.step import OperatorUse
from archdsl.passes.shapes import Shapes
from archdsl.text.record import record


@record
class Wiring:
    """Every operator of a network once for each distinct body, in the order in which they first run.

    `readers` maps a step to those that read its result; None stands for the network's outputs. `sources` maps a step
    to those whose results it reads, port by port; a body that several calls share has the sources of all of them.
    """

    steps: tuple[OperatorUse, ...]
    readers: Mapping[OperatorUse, tuple[OperatorUse | None, ...]]
    sources: Mapping[OperatorUse, tuple[tuple[OperatorUse, ...], ...]]
    given_out: tuple[OperatorUse, ...]
    """The steps whose results are the main output, or one of training alone."""
    forked: frozenset[OperatorUse]
    """The steps whose result some body hands to several readers, or to one and out."""

    def sole_source(self, step: OperatorUse) -> OperatorUse | None:
        """Return the step whose result a step of one input reads, if it is the same in every call."""
        ports = self.sources[step]
        return ports[0][0] if len(ports) == 1 and len(ports[0]) == 1 else None


# An operator and its result, or a place where a value enters or leaves a body.
_Vertex: TypeAlias = "tuple[str, Shapes | None, str | int]"
_Ways: TypeAlias = "dict[_Vertex, list[_Vertex]]"


@dataclass(slots=True)
class _Flow:
    """The ways that values take; each distinct body adds its own once."""

    forward: _Ways = field(default_factory=dict["_Vertex", "list[_Vertex]"])
    backward: _Ways = field(default_factory=dict["_Vertex", "list[_Vertex]"])
    steps: dict[_Vertex, OperatorUse] = field(default_factory=dict["_Vertex", OperatorUse])
    ports: dict[_Vertex, list[list[_Vertex]]] = field(default_factory=dict["_Vertex", "list[list[_Vertex]]"])
    """What each operator reads, input by input: several where it feeds its own repetitions."""
    seen: set[Shapes] = field(default_factory=set[Shapes])
    forks: set[_Vertex] = field(default_factory=set["_Vertex"])

    def link(self, source: _Vertex, target: _Vertex) -> None:
        self.forward.setdefault(source, []).append(target)
        self.backward.setdefault(target, []).append(source)

    def add(self, table: Shapes) -> None:
        if table in self.seen:
            return
        self.seen.add(table)
        entries = {node.id: index for index, node in enumerate(table.graph.inputs)}
        for node in table.graph.topological():
            sources = [_leaving(table, value, entries) for value in node.inputs]
            if node.op is not None:
                self._operator(table, node, node.op, sources)
            elif node.body is not None:
                inner = table.inner[node.id]
                for port, source in enumerate(sources):
                    self.link(source, ("in", inner, port))
                if node.repeat > 1:
                    self.link(("out", inner, ""), ("in", inner, 0))
                self.add(inner)
        outputs = {"": table.graph.main, **{output.name: output.value for output in table.graph.outputs}}
        for name, value in outputs.items():
            self.link(_leaving(table, value, entries), ("out", table, name))
        uses = Counter(value for node in table.graph.topological() for value in node.inputs)
        uses.update(output.value for output in table.graph.outputs)
        self.forks.update(_leaving(table, value, entries) for value, count in uses.items() if count > 1)

    def _operator(self, table: Shapes, node: Node, op: Op, sources: Sequence[_Vertex]) -> None:
        own: _Vertex = ("op", table, node.id)
        self.steps[own] = OperatorUse(table, node, op)
        before = [own] if node.repeat > 1 else []
        self.ports[own] = [[source, *(before if port == 0 else ())] for port, source in enumerate(sources)]
        for source in (*sources, *before):
            self.forward.setdefault(source, []).append(own)

    def reached(self, starts: Sequence[_Vertex], ways: _Ways) -> Iterator[OperatorUse | None]:
        """Yield the steps that ways from `starts` on meet first, and None where they meet the end."""
        left, seen = [*reversed(starts)], set[_Vertex]()
        while left:
            vertex = left.pop()
            if vertex in seen:
                continue
            seen.add(vertex)
            if vertex in self.steps:
                yield self.steps[vertex]
            elif vertex == _END:
                yield None
            else:
                left += reversed(ways.get(vertex, ()))

    def is_forked(self, start: _Vertex) -> bool:
        """Return whether a way from `start` to where it is read first splits within a body."""
        left, seen = [start], set[_Vertex]()
        while left:
            vertex = left.pop()
            if vertex in self.forks:
                return True
            seen.add(vertex)
            left += [v for v in self.forward.get(vertex, ()) if v[0] in ("in", "out") and v not in seen]
        return False


_END: _Vertex = ("end", None, 0)


def _leaving(table: Shapes, value: Value, entries: Mapping[str, int]) -> _Vertex:
    """Return the vertex that a value of a body comes from."""
    node = table.graph.nodes[value.node]
    if node.body is not None:
        return "out", table.inner[node.id], value.output
    return ("op", table, node.id) if node.op is not None else ("in", table, entries[node.id])


def wire(shapes: Shapes) -> Wiring:
    """Find every operator's readers and sources, each distinct body once.

    Requires: shapes without errors. Ensures: calls are looked through; a body that several calls share is taken to
    hand the value of each to the readers of all, which matters only where it hands on its input untouched.
    """
    flow = _Flow()
    flow.add(shapes)
    main, *others = shapes.graph.outputs
    for output in shapes.graph.outputs:
        flow.link(("out", shapes, output.name), _END)
    trained = ["", *(output.name for output in others if output.is_training_only)]
    given_out = [step for name in trained for step in flow.reached([("out", shapes, name)], flow.backward)]
    if not main.name:
        flow.link(("out", shapes, ""), _END)
    readers = {
        step: tuple(flow.reached(flow.forward.get(vertex, ()), flow.forward)) for vertex, step in flow.steps.items()
    }
    sources = {
        step: tuple(_steps(flow.reached(port, flow.backward)) for port in flow.ports[vertex])
        for vertex, step in flow.steps.items()
    }
    forked = frozenset(step for vertex, step in flow.steps.items() if flow.is_forked(vertex))
    return Wiring(tuple(flow.steps.values()), readers, sources, _steps(given_out), forked)


def _steps(found: Iterator[OperatorUse | None] | Sequence[OperatorUse | None]) -> tuple[OperatorUse, ...]:
    return tuple(dict.fromkeys(step for step in found if step is not None))
