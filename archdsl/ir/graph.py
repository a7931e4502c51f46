"""The graph: a plain table of nodes, in which block bodies are graphs of their own, shared by equal calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from archdsl.ir.again import Again
from archdsl.ir.trouble import Trouble, Turns
from archdsl.ir.value import NodeId, Output, Value
from archdsl.ir.walk import inner_first
from archdsl.ops.base import Op
from archdsl.text.record import record
from archdsl.text.source import Span

if TYPE_CHECKING:
    from networkx import MultiDiGraph

    from archdsl.ir.attributes import BodyFacts, NodeAttributes


@record
class Node:
    """An operator, a call of a block's body, or (with neither) the place where a body's input arrives.

    A call has as many `inputs` as its body, in the order of `Graph.inputs`, whose first is what flows. What repeats
    hands its main result on as its first input, and reads the others each time.

    `names` are segments of state_dict paths: one, or several for equal calls that follow each other.
    `turns` are the names, with their values, of the `for` that it stands in, as far as its own body has them.
    `reuses` names the node whose module, and so whose weights, this one applies again.
    `word` is what the text says for it: an operator, a block, `norm` where a default chose the operator, `group` for
    braces, `stages` for one of those; "" where no text was lowered.
    `is_frozen` says of an operator that training leaves its tensors as they are, and that it acts as in evaluation.
    """

    names: tuple[str, ...]
    inputs: tuple[Value, ...]
    span: Span
    op: Op | None = None
    body: Graph | None = None
    is_labelled: bool = False
    reuses: str | None = None
    attribute_spans: Mapping[str, Span] = field(default_factory=dict[str, Span])
    calls: tuple[tuple[str, Span], ...] = ()
    turns: Turns = ()
    word: str = ""
    is_frozen: bool = False

    @property
    def id(self) -> NodeId:
        return self.names[0]

    @property
    def repeat(self) -> int:
        return len(self.names)

    @property
    def inputs_read(self) -> tuple[Value, ...]:
        """Return what it reads, in a call what the body reads of it, in the order in which it first does."""
        return self.inputs if self.body is None else tuple(self.inputs[index] for index in self.body.entries_read)

    @property
    def is_input(self) -> bool:
        if self.op is not None:
            return self.op.category == "input"
        return self.body is None and not self.inputs

    def span_of(self, attribute: str) -> Span:
        """Return the place where an attribute was written, or that of the whole step."""
        return self.attribute_spans.get(attribute, self.span)


_NONE: frozenset[NodeId] = frozenset()
_NOTHING: Mapping[NodeId, Trouble] = MappingProxyType({})


class Graph:
    """A body: nodes in the order of the text, which is a topological order, and named outputs.

    The first output is the main one, called "" unless the spec names it. Compared by identity: equal calls share one
    object, so that whatever is worked out for it once holds for all of them. The nodes are kept as a plain table, and
    the networkx graph is made when asked for: importing networkx takes longer than checking a spec.
    """

    def __init__(
        self,
        name: str,
        kind: Literal["model", "block", "group"],
        nodes: Mapping[NodeId, Node],
        outputs: tuple[Output, ...],
        span: Span,
        bindings: Mapping[str, object] | None = None,
        doc: str = "",
    ) -> None:
        self.name, self.nodes, self.outputs = name, nodes, outputs
        self.kind: Literal["model", "block", "group"] = kind
        self.span, self.bindings, self.doc = span, bindings or {}, doc
        self.unfed: frozenset[NodeId] = _NONE
        """Nodes of which nothing can be said, since they are or read what a mistake in the spec left unknown."""
        self.mistakes: Mapping[NodeId, Trouble] = _NOTHING
        """What lowering found wrong with a node whose inputs are known; whoever has their sizes tells it."""
        self.again: Again[Graph] | None = None
        self.facts: BodyFacts | None = None
        """What is known of a model's nodes, to be shown in `networkx`; set once by who has worked it out."""

    def __repr__(self) -> str:
        return f"Graph({self.name!r}, {len(self.nodes)} nodes)"

    def topological(self) -> Iterator[Node]:
        """Yield the nodes, each after its inputs; the order is also that of the state_dict."""
        yield from self.nodes.values()

    @cached_property
    def inputs(self) -> tuple[Node, ...]:
        """The places where values arrive, in the order of the nodes, among which they may stand anywhere."""
        return tuple(node for node in self.nodes.values() if node.is_input)

    @cached_property
    def entries_read(self) -> tuple[int, ...]:
        """Return the positions of the inputs: the first, which flows, and the others as they are first read, if any."""
        places = {node.id: index for index, node in enumerate(self.inputs)}
        read = [value.node for node in self.nodes.values() for value in node.inputs_read]
        read += [output.value.node for output in self.outputs]
        return tuple(dict.fromkeys([0, *(places[node] for node in read if node in places)])) if places else ()

    @property
    def main(self) -> Value:
        """Return the value of the main output."""
        return self.outputs[0].value

    @cached_property
    def size(self) -> int:
        """Count the operators once all bodies are written out, the places where inputs arrive included."""
        inner = (node.repeat * node.body.size for node in self.nodes.values() if node.body is not None)
        return sum(inner) + sum(node.repeat for node in self.nodes.values() if node.op is not None)

    @cached_property
    def consumers(self) -> Mapping[NodeId, tuple[Node, ...]]:
        """Map each node to those that read any output of it, in order."""
        found: dict[NodeId, list[Node]] = {name: [] for name in self.nodes}
        for node in self.nodes.values():
            for source in dict.fromkeys(value.node for value in node.inputs):
                found[source].append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    @cached_property
    def is_chain(self) -> bool:
        """Whether the value simply flows from each node to the next, as in nn.Sequential."""
        nodes = list(self.nodes.values())
        if len(nodes) < 2 or not nodes[0].is_input or len(self.outputs) != 1 or self.outputs[0].is_training_only:
            return False
        links = all(b.inputs == (Value(a.id),) and not b.reuses for a, b in pairwise(nodes))
        return links and self.main == Value(nodes[-1].id)

    def bodies(self) -> Iterator[Graph]:
        """Yield each distinct body below this graph once, inner ones first, then the graph itself."""
        return inner_first(self, Graph._called)

    def _called(self) -> Iterator[Graph]:
        """Yield the bodies of the calls in this one."""
        return (node.body for node in self.nodes.values() if node.body is not None)

    @property
    def networkx(self) -> MultiDiGraph[str]:
        """Return a new networkx graph of this one, to read or rewrite; `archdsl.from_networkx` compiles it.

        `archdsl.ir.attributes` lists what its nodes, its edges and the graph itself bear. A body is a networkx graph
        too, which equal calls share. BodyFacts such as shapes are known below a model, and not of a body on its own.
        """
        return _networkx(self, self.facts, "", {})


def _networkx(
    graph: Graph, facts: BodyFacts | None, path: str, known: dict[int, MultiDiGraph[str]]
) -> MultiDiGraph[str]:
    """Convert a body; `known` has those that are converted, by the identity of what is known of them."""
    from networkx import MultiDiGraph

    key = id(facts or graph)
    if key in known:
        return known[key]
    made = known[key] = MultiDiGraph(name=graph.name)
    made.graph.update(kind=graph.kind, outputs=graph.outputs, bindings=dict(graph.bindings), doc=graph.doc)
    made.graph["span"] = graph.span
    if graph.again is not None:
        made.graph["again"] = graph.again
    if facts is not None:
        made.graph.update(facts.about)
    for node in graph.nodes.values():
        data = node_attributes(node, facts)
        data["path"] = f"{path}{node.id}"
        if node.body is not None:
            inside = facts.inside(node.id) if facts is not None else None
            data["body"] = _networkx(node.body, inside, f"{path}{node.id}.", known)
        made.add_node(node.id, **data)
    for node in graph.nodes.values():
        for port, value in enumerate(node.inputs):
            shape = facts.shape(value) if facts is not None else None
            known_shape = {"shape": shape} if shape is not None else {}
            made.add_edge(value.node, node.id, port=port, output=value.output, **known_shape)
    return made


def node_attributes(node: Node, facts: BodyFacts | None) -> NodeAttributes:
    """Return what a node's counterpart in networkx bears, but for its path and body."""
    data: NodeAttributes = {"repeats": node.names[1:], "labelled": node.is_labelled, "span": node.span}
    data["arguments"], data["calls"] = dict(node.attribute_spans), node.calls
    if node.op is not None:
        data["op"] = node.op
    if node.reuses is not None:
        data["reuses"] = node.reuses
    if node.is_frozen:
        data["frozen"] = True
    if facts is not None:
        data.update(facts.of(node.id))
    return data
