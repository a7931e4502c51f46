"""Shapes: what every node gives, for inputs of a certain size; what does not fit is data, which `blame` explains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from archdsl.ir.graph import Graph, Node, NodeId, Value
from archdsl.ir.trouble import Trouble
from archdsl.ir.walk import inner_first
from archdsl.ops.base import Op, OpError
from archdsl.ops.shape import LARGEST_TENSOR, Shape


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """The shapes in one body for certain input shapes. Compared by identity: equal calls share one table.

    `results` maps each node to its outputs' shapes by name, "" being the main one; a node is missing where an
    error upstream leaves it without. `inner` maps a call to the table of its body.
    """

    graph: Graph
    inputs: tuple[Shape, ...]
    results: Mapping[NodeId, Mapping[str, Shape]]
    inner: Mapping[NodeId, Shapes]

    def of(self, value: Value) -> Shape:
        return self.results[value.node][value.output]

    def inputs_of(self, node: Node) -> list[Shape]:
        return [self.of(value) for value in node.inputs]

    def tables(self) -> Iterator[Shapes]:
        """Yield each distinct table below this one once, inner ones first, then the table itself."""
        return inner_first(self, Shapes._called)

    def _called(self) -> Iterator[Shapes]:
        return iter(self.inner.values())

    @property
    def is_complete(self) -> bool:
        """Whether every output has a shape, since no mistake left one unknown."""
        outputs = self.graph.outputs
        return bool(outputs) and all(o.value.output in self.results.get(o.value.node, ()) for o in outputs)

    @property
    def outputs(self) -> Mapping[str, Shape]:
        """Return the graph's outputs' shapes by name; the main one is also under ""."""
        named = {output.name: self.of(output.value) for output in self.graph.outputs}
        return {"": self.of(self.graph.main), **named}


Known: TypeAlias = dict[tuple[Graph, tuple[Shape, ...]], Shapes]
"""The tables found so far, by a body and the shapes that enter it."""


class CallFrame(NamedTuple):
    """A body that is being worked out, what is known of it so far, and the call in the frame above, if it has one."""

    graph: Graph
    inputs: tuple[Shape, ...]
    results: Mapping[NodeId, Mapping[str, Shape]]
    inner: Mapping[NodeId, Shapes]
    call: Node | None


Trail: TypeAlias = tuple[CallFrame, ...]
"""From the model's own frame to the one that a step stands in."""


class Misfit(NamedTuple):
    """A step that a shape rule refuses, or that lowering objects to, and the frames that it stands in."""

    trouble: Trouble
    trail: Trail
    node: Node


class Inference(NamedTuple):
    """Every node's shape, as far as mistakes leave any, and these mistakes, each at its root cause."""

    shapes: Shapes
    misfits: tuple[Misfit, ...]


def infer_shapes(graph: Graph, inputs: Sequence[Shape], known: Known | None = None) -> Inference:
    """Infer every node's shape; each distinct pair of body and input shapes is worked out once.

    `known` are tables of earlier runs, to use and to add to; a run with misfits adds none.
    Requires: a verified graph, and one shape for each of its inputs.
    Ensures: every node has a shape, or is behind a misfit, or lowering found a mistake there.
    """
    tables = {} if known is None else known
    before = len(tables)
    run = Inferrer(tables)
    found = Inference(run.table(graph, tuple(inputs), None), tuple(run.misfits))
    while found.misfits and len(tables) > before:  # tables with gaps: a later run would meet no misfit in them
        tables.popitem()
    return found


def _check_size(shape: Shape) -> None:
    elements = shape.elements
    if isinstance(elements, int) and elements > LARGEST_TENSOR:
        raise OpError("E109", f"{shape} is larger than a tensor can be")


@dataclass(slots=True)
class Inferrer:
    """One run of the inference: the tables that it knows, and the misfits that it met."""

    known: Known
    misfits: list[Misfit] = field(default_factory=list[Misfit])
    trail: list[CallFrame] = field(default_factory=list[CallFrame])

    def table(self, graph: Graph, inputs: tuple[Shape, ...], call: Node | None) -> Shapes:
        key = (graph, inputs)
        known = self.known.get(key)
        if known is None:
            known = self.known[key] = self._body(graph, inputs, call)
        return known

    def _body(self, graph: Graph, inputs: tuple[Shape, ...], call: Node | None) -> Shapes:
        results: dict[NodeId, Mapping[str, Shape]] = {}
        inner: dict[NodeId, Shapes] = {}
        self.trail.append(CallFrame(graph, inputs, results, inner, call))
        arriving = iter(inputs)
        unfed, mistakes = graph.unfed, graph.mistakes
        for node in graph.topological():
            if unfed and node.id in unfed:
                continue  # a mistake that is reported leaves nothing to say
            if node.is_input:
                results[node.id] = {"": next(arriving)}
                continue
            sources = [results[v.node][v.output] for v in node.inputs if v.output in results.get(v.node, ())]
            if len(sources) < len(node.inputs):
                continue  # already reported upstream: one mistake, one message
            trouble = mistakes.get(node.id) if mistakes else None
            if node.body is not None:
                if trouble is not None:
                    self._fail(trouble, node, trouble)
                    continue
                table = inner[node.id] = self.table(node.body, tuple(sources), node)
                if table.is_complete:
                    results[node.id] = table.outputs
                if node.reuses is not None:
                    self.check_again(node, sources)
                continue
            assert node.op is not None
            try:
                shape = node.op.infer_shape(sources)
                _check_size(shape)
            except OpError as error:
                self._fail(error, node, trouble)
                continue
            if trouble is None:
                results[node.id] = {"": shape}
                if node.reuses is not None:
                    self.check_again(node, sources)
            else:
                self._fail(trouble, node, trouble)
        self.trail.pop()
        return Shapes(graph, inputs, MappingProxyType(results), MappingProxyType(inner))

    def check_again(self, node: Node, now: list[Shape]) -> None:
        """Keep an objection where what reaches a step makes the module that it applies again another one."""
        graph, _, results, inner, _ = self.trail[-1]
        assert node.reuses is not None
        values = graph.nodes[node.reuses].inputs
        first = [results[v.node][v.output] for v in values if v.output in results.get(v.node, ())]
        are_numbers = all(isinstance(size, int) for shape in (*first, *now) for size in shape)
        if first == now or len(first) < len(values) or not are_numbers:
            return
        path = _unlike(node.op, first, now)
        if path is None and node.body is not None and node.reuses in inner:
            path = self.unlike_inside(node.body, inner[node.reuses], inner[node.id])
        if path is not None:
            shown, handed = (", ".join(map(str, shapes)) for shapes in (first, now))
            why = f", on which its step `{path}` depends" if path else ""
            message = f"`{node.reuses}` took {shown} and is handed {handed}{why}"
            help = f"reuse it where {shown} flows in, or write a step with weights of its own"
            trouble = Trouble("E213", message, node.span_of("reuse"), help=help)
            self.misfits.append(Misfit(trouble, tuple(self.trail), node))

    def unlike_inside(self, body: Graph, first: Shapes, now: Shapes) -> str | None:
        """Return the path of the first step in a body that is another module than the first time, else None."""
        return _unlike_inside(first, now)

    def _fail(self, error: OpError | Trouble, node: Node, lowered: Trouble | None) -> None:
        """Keep a broken rule, or what lowering found in its place, with the calls that led to it."""
        if lowered is not None and lowered.code != error.code:
            error = lowered
        if isinstance(error, OpError):
            error = Trouble.of(error, node.span, node.attribute_spans)
        self.misfits.append(Misfit(error, tuple(self.trail), node))


def _unlike(op: Op | None, first: Sequence[Shape], now: Sequence[Shape]) -> str | None:
    """Return "" where what reaches a step makes it another module than the first time, else None.

    A module is the same where no tensor and no number in its code depends on the image's size. A body takes equal
    channels each time: what it holds may count them.
    """
    if op is None:
        return None if [(len(x), x[:1]) for x in first] == [(len(x), x[:1]) for x in now] else ""
    return None if op.state(first) == op.state(now) and op.to_torch(first) == op.to_torch(now) else ""


def _unlike_inside(first: Shapes, now: Shapes) -> str | None:
    """Return the path of the first step inside a body that is another module than the first time, else None."""
    for node in first.graph.topological():
        if node.id not in first.results or node.id not in now.results:
            return None  # a mistake inside, which is told there
        path = None if node.op is None else _unlike(node.op, first.inputs_of(node), now.inputs_of(node))
        if node.body is not None:
            path = _unlike_inside(first.inner[node.id], now.inner[node.id])
        if path is not None:
            return f"{node.id}.{path}".removesuffix(".")
    return None
