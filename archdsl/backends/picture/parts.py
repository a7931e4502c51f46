"""Steps: what one body is made of once small operators share boxes and equal ones that follow each other are folded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from archdsl.backends.picture.chunks import Chunk, head_of
from archdsl.backends.picture.picture import Kind
from archdsl.backends.picture.symbols import Symbols
from archdsl.backends.words import join_symbol, shape_text
from archdsl.ir.graph import Graph, Node, NodeId, Value
from archdsl.ops.shape import Shape
from archdsl.passes.costs import Total
from archdsl.passes.frozen import are_frozen
from archdsl.passes.tables import Tables


@dataclass(frozen=True, slots=True)
class Frame:
    """A body to draw: in the main flow its one call; in a detail every call of the block at once.

    Requires: calls whose bodies have the same nodes and differ in numbers only.
    """

    calls: tuple[Tables, ...]
    symbols: Symbols

    @property
    def graph(self) -> Graph:
        return self.calls[0].graph

    def nodes(self, name: NodeId) -> list[Node]:
        """Return a node of the body in every call."""
        return [call.graph.nodes[name] for call in self.calls]

    def inside(self, node: Node) -> Frame:
        """Return the frame of a body that is called in this one."""
        return Frame(tuple(call.inner(node) for call in self.calls), self.symbols)

    def shape(self, value: Value) -> str:
        """Write a value's shape, or nothing where the calls differ."""
        shapes: set[Shape] = {call.shapes.of(value) for call in self.calls}
        return shape_text(shapes.pop()) if len(shapes) == 1 else ""


@dataclass(frozen=True, slots=True)
class Part:
    """One box to be, or with `frame` a frame around the `parts` of a body.

    `nodes` are those of the body that it stands for; `before` and `after` are the shapes that it reads and gives.
    `calls` names the block that it calls, with the arguments in `bound`.
    """

    nodes: tuple[Node, ...]
    kind: Kind
    lines: tuple[str, ...]
    before: str
    after: str
    costs: Total
    names: tuple[str, ...] = ()
    count: int = 1
    frame: Frame | None = None
    parts: tuple[Part, ...] = ()
    calls: str = ""
    bound: tuple[tuple[str, object], ...] = ()
    is_frozen: bool = False

    @property
    def inputs(self) -> tuple[Value, ...]:
        return self.nodes[0].inputs

    @property
    def arguments(self) -> list[str]:
        """Name what is read, in the order of the inputs: a block's parameter, an operator's attribute, else nothing."""
        node = self.nodes[0]
        names = [""] * len(self.inputs)
        if node.body is not None and node.body.kind == "block":
            names[1:] = [entry.id for entry in node.body.inputs[1:]]
        for attribute in node.op.value_attributes() if node.op is not None else ():
            place = getattr(node.op, attribute)
            if place is not None:
                names[place.input] = attribute
        return names

    @property
    def head(self) -> NodeId:
        return head_of(self.nodes).id

    @property
    def result(self) -> NodeId:
        return self.nodes[-1].id


def operator_part(frame: Frame, chunk: Chunk) -> Part:
    """Describe operators that share a box."""
    head = head_of(chunk)
    assert head.op is not None
    is_join = head.op.is_join
    lines = (join_symbol(head.op),) if is_join else _lines(frame, chunk, head)
    before, after = _ends(frame, chunk)
    names = (head.id,) if head.is_labelled and not is_join else ()
    total, is_frozen = _sum(frame, chunk), _is_frozen(frame, chunk)
    return Part(chunk, head.op.category, lines, before, after, total, names, head.repeat, is_frozen=is_frozen)


def _lines(frame: Frame, chunk: Chunk, head: Node) -> tuple[str, ...]:
    texts = [frame.symbols.spell([node.op.describe() for node in frame.nodes(n.id) if node.op]) for n in chunk]
    if len(chunk) > 1 and all(node.op and node.op.category in ("norm", "activation", "regularise") for node in chunk):
        return (", ".join(texts),)
    at = chunk.index(head)
    shared = () if head.reuses is None else (f"weights of {head.reuses}",)
    lines = (", ".join(texts[:at]), texts[at], ", ".join(texts[at + 1 :]), *shared)
    return tuple(line for line in lines if line)


def call_part(frame: Frame, node: Node, kind: Kind, lines: tuple[str, ...]) -> Part:
    """Describe a call by lines of its own."""
    before, after = _ends(frame, (node,))
    assert node.body is not None
    names = (node.id,) if node.is_labelled else ()
    bound = tuple(node.body.bindings.items())
    shared = () if node.reuses is None else (f"weights of {node.reuses}",)
    total = _sum(frame, (node,))
    name = node.body.name if node.body.kind == "block" else ""
    made = Part((node,), kind, (*lines, *shared), before, after, total, names, node.repeat, calls=name, bound=bound)
    return replace(made, is_frozen=_is_frozen(frame, (node,)))


def _ends(frame: Frame, chunk: Chunk) -> tuple[str, str]:
    first, last = chunk[0], chunk[-1]
    return frame.shape(first.inputs[0]) if first.inputs else "", frame.shape(Value(last.id))


def _is_frozen(frame: Frame, chunk: Chunk) -> bool:
    """Return whether training leaves all that it could change of some nodes as it is, in every call."""
    return all(are_frozen(call, [call.graph.nodes[node.id] for node in chunk]) for call in frame.calls)


def _sum(frame: Frame, chunk: Chunk) -> Total:
    nodes = frame.calls[0].costs.nodes
    total = Total()
    for node in chunk:
        parameters = nodes[node.id].parameters * node.repeat if node.reuses is None else 0
        macs = nodes[node.id].macs * node.repeat
        written = nodes[node.id].activations * node.repeat
        total = _plus(total, Total(parameters=parameters, macs=macs, activations=written))
    return total


def _plus(one: Total, other: Total) -> Total:
    return Total(
        parameters=one.parameters + other.parameters,
        macs=one.macs + other.macs,
        activations=one.activations + other.activations,
    )


def lift(part: Part, frame: Frame, node: Node) -> Part:
    """Let the only part of a body stand for the call of the body."""
    outer = call_part(frame, node, part.kind, part.lines)
    names = outer.names or part.names
    return replace(outer, names=names, count=part.count * node.repeat, calls=part.calls, bound=part.bound)


def fold(graph: Graph, parts: Sequence[Part], is_loose: bool) -> list[Part]:
    """Make one part of equal ones that follow each other.

    Calls of a block are equal if they read the same; loosely, if they bind the same or give the same shape.
    """
    kept = {output.value.node for output in graph.outputs}
    folded: list[Part] = []
    for part in parts:
        last = folded[-1] if folded else None
        if last is not None and _follows(graph, last, part, kept) and _equal(last, part, is_loose):
            folded[-1] = _both(last, part)
        else:
            folded.append(part)
    return folded


def _follows(graph: Graph, last: Part, part: Part, kept: set[NodeId]) -> bool:
    """Return whether a part does nothing but go on from another one, with the same further values."""
    is_next = part.inputs == (Value(last.result), *last.inputs[1:]) and last.result not in kept
    return is_next and len(graph.consumers[last.result]) == 1


def _equal(one: Part, other: Part, is_loose: bool) -> bool:
    if one.frame or other.frame or one.kind != other.kind or one.kind == "join" or one.lines != other.lines:
        return False
    if one.is_frozen != other.is_frozen:
        return False
    if is_loose and one.calls:
        return one.bound == other.bound or one.after == other.after
    return True


def _both(one: Part, other: Part) -> Part:
    costs = _plus(one.costs, other.costs)
    nodes, names = (*one.nodes, *other.nodes), (*one.names, *other.names)
    return replace(one, nodes=nodes, after=other.after, costs=costs, names=names, count=one.count + other.count)
