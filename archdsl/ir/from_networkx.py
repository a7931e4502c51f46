"""A networkx graph back to the graph: every rule that it may break is reported at the path of the node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from archdsl.ir.again import Again
from archdsl.ir.content import content_of
from archdsl.ir.graph import Graph, Node
from archdsl.ir.listing import MAX_DEPTH, NAME, Listing, is_graph, shown
from archdsl.ir.schema import GRAPH, NODE, AttributeRules, complaints
from archdsl.ir.value import Output, Value
from archdsl.ir.wiring import Wires, repeats
from archdsl.ops.base import Op
from archdsl.text import labels
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source, Span

if TYPE_CHECKING:
    from networkx import MultiDiGraph


def read_networkx(graph: object, report: Reporter, *, by_path: bool = False) -> Graph | None:
    """Return the graph that a networkx graph describes, hierarchical or flat; None where that is none.

    With `by_path` what is said of its nodes later points at their paths, else at their places in a text if they have
    any. Nodes keep their order as far as it is topological, others come directly before those that read them.

    Errors: E310 a wrong attribute; E311 wiring; E312 a name that cannot be a path; E313 a body that contains itself
    """
    if not is_graph(graph):
        source = Source(f"from_networkx({type(graph).__name__})", NAME)
        help = "hand it what `network.graph.networkx` or `network.flatten()` gives, changed as you like"
        message = f"a {type(graph).__name__} is no directed graph of networkx"
        report.error("E310", message, Span(0, len(source.text), source), help=help)
        return None
    result = _Reader(Listing(graph), report, by_path).body(graph, None)
    return None if report.has_errors else result


@dataclass
class _Reader:
    listing: Listing
    report: Reporter
    by_path: bool
    known: dict[int, Graph | None] = field(default_factory=dict[int, "Graph | None"])
    running: list[int] = field(default_factory=list[int])

    def body(self, graph: MultiDiGraph[str], call: str | None) -> Graph | None:
        """Read a body once; `call` is the name of the first node that calls it, None for the model."""
        if id(graph) not in self.known:
            self.running.append(id(graph))
            self.known[id(graph)] = _Body(self, graph, call).read()
            self.running.pop()
        return self.known[id(graph)]


class _Body:
    """Reads one body. What is wrong is reported, and what depends on it left out."""

    def __init__(self, reader: _Reader, graph: MultiDiGraph[str], call: str | None) -> None:
        self.reader, self.graph, self.call = reader, graph, call
        self.path = reader.listing.paths[id(graph)]
        self.data: Mapping[str, Mapping[str, object]] = dict(graph.nodes.items())
        self.bodies: dict[str, Graph | None] = {}
        self.wiring = Wires(self.path, self.data, self.bodies, is_model=call is None)

    def fail(self, code: str, message: str, node: str | None = None, help: str = "") -> None:
        self.reader.report.error(code, message, self.reader.listing.span(self.graph, node), help=help)

    def read(self) -> Graph | None:
        about: dict[str, object] = dict(self.graph.graph)
        is_sound = self._check_attributes(GRAPH, about, None)
        for node in self.data:
            if not isinstance(node, str):  # pyright: ignore[reportUnnecessaryIsInstance] -- users may do anything
                message = f"the node {shown(node)} of {self.wiring.title} is no text"
                self.fail("E312", message, node, "name nodes by their paths")
                is_sound = False
        for node, data in self.data.items():
            is_sound &= self._check_attributes(NODE, data, node)
        if not is_sound or not self._check_names() or not self._read_bodies():
            return None
        inputs = {node: self._inputs(node) for node in self.data}
        order = self._order()
        if order is None or any(values is None for values in inputs.values()):
            return None
        wired = {node: values for node, values in inputs.items() if values is not None}
        checks = [self._check_node(node, wired[node]) for node in order]
        outputs = self._outputs(about)
        if outputs is None or not all(checks) or not self._check_model(order):
            return None
        if not self._check_training(outputs, wired):
            return None
        reused = {data["reuses"] for data in self.data.values() if data.get("reuses") is not None}
        nodes = {node: self._node(node, wired[node], reused) for node in order}
        kind = about.get("kind") or ("model" if self.call is None else "group")
        span = self._place(about.get("span"), None)
        bindings = cast("Mapping[str, object]", about.get("bindings") or {})
        doc = about.get("doc") or ""
        name = about.get("name") or self.call or "network"
        made = Graph(name, kind, nodes, outputs, span, bindings, doc)  # pyright: ignore[reportArgumentType] -- checked
        again = about.get("again")
        made.again = cast("Again[Graph]", again) if isinstance(again, Again) else None
        return made

    def _check_attributes(self, rules: AttributeRules, data: Mapping[str, object], node: str | None) -> bool:
        where = self.wiring.where(node) if node is not None else self.wiring.title
        found = complaints(where, rules, data)
        for message, help in found:
            self.fail("E310", message, node, help)
        return not found

    # Names.

    def _check_names(self) -> bool:
        kind = self.graph.graph.get("kind") or ("model" if self.call is None else "group")
        if (kind == "model") is not (self.call is None):
            help = 'set `kind` to "block" or "group"' if self.call is not None else 'set `kind` to "model"'
            self.fail("E310", f'`kind` of {self.wiring.title} is "{kind}"', None, help)
            return False
        name = self.graph.graph.get("name") or self.call or "network"
        # A level is called by its label, which may be a path.
        parts = name.split(".") if kind == "group" else [name]
        problems = [problem for part in parts if (problem := labels.objection(part))]
        problem = problems[0] if problems and not (kind == "model" and name.isidentifier()) else ""
        if problem or (kind == "model" and not name.isidentifier()):
            message = f"`{shown(name)}` cannot be the name of {self.wiring.title}: {problem or 'it is no plain word'}"
            self.fail("E312", message, None, 'set another: `graph.graph["name"] = …`')
            return False
        return all(map(self._check_name, self.data)) and self._check_unique()

    def _check_name(self, node: str) -> bool:
        for name in (node, *repeats(self.data[node])):
            problem = next((problem for problem in map(labels.objection, name.split(".")) if problem), "")
            if problem:
                self.fail("E312", f"{self.wiring.where(name)} is no legal path: {problem}", node, "rename the node")
                return False
        return True

    def _check_unique(self) -> bool:
        taken: dict[str, str] = {}
        for node, data in self.data.items():
            for name in (node, *repeats(data)):
                if name in taken:
                    message = f"{self.wiring.where(name)} is the path of two nodes"
                    self.fail("E312", message, node, "give one of them another name, or fewer `repeats`")
                    return False
                taken[name] = node
        for name, node in taken.items():
            outer = [name[:i] for i, letter in enumerate(name) if letter == "."]
            inside = next((path for path in outer if path in taken), None)
            if inside is not None:
                message = f"{self.wiring.where(name)} stands below `{inside}`, which is a node itself"
                self.fail("E312", message, node, "rename one of the two")
                return False
        return True

    # Bodies.

    def _read_bodies(self) -> bool:
        is_sound = True
        for node, data in self.data.items():
            body = data.get("body")
            if body is None:
                continue
            if id(body) in self.reader.running:
                help = 'give the node a body of its own: `graph.nodes[…]["body"].copy()`'
                self.fail("E313", f"the body of {self.wiring.where(node)} contains itself", node, help)
            elif len(self.reader.running) >= MAX_DEPTH:
                message = f"bodies stand in each other more than {MAX_DEPTH} deep"
                self.fail("E313", f"{message} at {self.wiring.where(node)}", node, "put some of their nodes a level up")
            else:
                self.bodies[node] = self.reader.body(cast("MultiDiGraph[str]", body), node)
            is_sound &= self.bodies.get(node) is not None
        if is_sound:
            self._share_bodies()
        return is_sound

    def _share_bodies(self) -> None:
        """Give what applies another's weights that one's body, where theirs are equal.

        What is known of the two differs where images of other sizes reach them, and so do their graphs in networkx.
        """
        for node, data in self.data.items():
            body, first = self.bodies.get(node), self.bodies.get(cast("str", data.get("reuses")))
            if body is not None and first is not None and content_of(body) == content_of(first):
                self.bodies[node] = first

    # Wires.

    def _inputs(self, node: str) -> tuple[Value, ...] | None:
        """Return what a node reads, by its ports."""
        found: dict[int, Value] = {}
        for source, _, data in self.graph.in_edges(node, data=True):
            port, output = data.get("port", 0), data.get("output", "")
            if type(port) is not int or port < 0 or not isinstance(output, str):
                edge = f"the edge from {self.wiring.where(source)} to {self.wiring.where(node)}"
                message = f"{edge} has the port {shown(port)} and the output {shown(output)}"
                self.fail("E310", message, node, "a port is 0, 1, …, an output a name")
                return None
            if port in found:
                message = (
                    f"{self.wiring.where(node)} reads `{found[port].node}` and `{source}` as its input {shown(port)}"
                )
                self.fail("E311", message, node, "give each edge a `port` of its own")
                return None
            found[port] = Value(source, output)
        missing = next((port for port in range(len(found)) if port not in found), None)
        if missing is not None:
            message = f"{self.wiring.where(node)} has an input {shown(max(found))} and no input {missing}"
            self.fail("E311", message, node, "number the edges that lead to it by `port`, from 0")
            return None
        return tuple(found[port] for port in range(len(found)))

    def _order(self) -> list[str] | None:
        order = self.wiring.order([(source, node) for source, node in self.graph.edges()])
        circle = self.wiring.circle
        if order is None:
            steps = " → ".join(f"`{self.path}{node}`" for node in [*circle, circle[0]])
            self.fail("E311", f"nodes read each other in a circle: {steps}", circle[0], "remove one of these edges")
        return order

    def _check_node(self, node: str, inputs: Sequence[Value]) -> bool:
        problem, help = self.wiring.objection(node, inputs)
        if problem:
            self.fail("E311", problem, node, help)
        return not problem

    def _outputs(self, about: Mapping[str, object]) -> tuple[Output, ...] | None:
        outputs = tuple(_output(item) for item in cast("Sequence[Output]", about.get("outputs") or ()))
        problem, help = self.wiring.output_objection(outputs)
        if problem:
            self.fail("E311", problem, None, help)
            return None
        return outputs

    def _check_training(self, outputs: Sequence[Output], inputs: Mapping[str, Sequence[Value]]) -> bool:
        """Check that evaluation needs nothing that exists in training alone."""
        stack = [output.value for output in outputs if not output.is_training_only]
        seen: set[str] = set()
        while stack:
            node, result = stack.pop()
            body = self.bodies.get(node)
            if body is not None and any(o.name == result and o.is_training_only for o in body.outputs):
                message = f"evaluation needs the output `{result}` of {self.wiring.where(node)}"
                self.fail("E311", f"{message}, which exists in training alone", node, "read it in training only")
                return False
            if node not in seen:
                seen.add(node)
                stack += inputs[node]
        return True

    def _check_model(self, order: Sequence[str]) -> bool:
        has_input = any(isinstance(op := self.data[node].get("op"), Op) and op.category == "input" for node in order)
        arrives = any(self.data[node].get("op") is None and node not in self.bodies for node in order)
        if not (has_input or arrives):
            help = "a node with an `input` operator" if self.call is None else "a node without `op` and `body`"
            self.fail("E311", f"{self.wiring.title} has no input", None, f"give it {help}")
        return has_input or arrives

    # Nodes.

    def _node(self, node: str, inputs: tuple[Value, ...], reused: set[object]) -> Node:
        data = self.data[node]
        is_placed = isinstance(data.get("span"), Span) and not self.reader.by_path
        arguments = cast("Mapping[str, Span]", data.get("arguments") or {})
        calls = tuple(cast("Sequence[tuple[str, Span]]", data.get("calls") or ()))
        return Node(
            names=(node, *repeats(data)),
            inputs=inputs,
            span=self._place(data.get("span"), node),
            op=cast("Op | None", data.get("op")),
            body=self.bodies.get(node),
            is_labelled=bool(data.get("labelled", False)) or node in reused,
            reuses=cast("str | None", data.get("reuses")),
            attribute_spans=dict(arguments) if is_placed else {},
            calls=calls if is_placed else (),
            is_frozen=self._is_frozen(node),
        )

    def _is_frozen(self, node: str) -> bool:
        """Return whether an operator is frozen; what applies another's weights is as that one."""
        data = self.data[cast("str", self.data[node].get("reuses") or node)]
        return data.get("op") is not None and bool(data.get("frozen", False))

    def _place(self, given: object, node: str | None) -> Span:
        if isinstance(given, Span) and not self.reader.by_path:
            return given
        return self.reader.listing.span(self.graph, node)


def _output(item: Output) -> Output:
    name, value, is_training = item
    return Output(name, Value(*value), is_training)
