"""Put the nodes of a flat graph, whose names are paths, back into bodies that lie in each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from archdsl.ir.graph import Graph, Node, NodeId, Output, Value
from archdsl.ir.labels import UnlabelledNames
from archdsl.ir.listing import MAX_DEPTH
from archdsl.passes.rewrite import with_nodes


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a graph cannot be nested: a path, what no body can have of it, and the node where that was found."""

    path: str
    reason: str
    node: Node


def nest(graph: Graph) -> Graph | Obstacle:
    """Return the hierarchical graph of a model whose nodes have paths for names; itself where none has a dot.

    Nodes that share the first segment of their paths become a body of that name, and so on inside it. A body has an
    input for each value that it reads, in the order in which it first does, and no others stand between its nodes, so
    that no order changes; what is read of it beside its last value becomes a named output. Equal bodies are one, and a
    block where several calls share it. In the state_dict a tensor that is no module's stands first among those of its
    body, as in the network that was flattened.

    Requires: a verified graph. Ensures: a legal graph that flattens to the same one, or what stands in the way.
    """
    if not any("." in name for node in graph.topological() for name in node.names):
        return graph
    try:
        return _Nesting(graph).model()
    except _Stuck as stuck:
        return stuck.obstacle


class _Stuck(Exception):
    def __init__(self, path: str, reason: str, node: Node) -> None:
        super().__init__(path)
        self.obstacle = Obstacle(path, reason, node)


@dataclass(slots=True)
class _Level:
    """One body under way: the path before its names, its nodes, and what values from elsewhere are called in it."""

    prefix: str
    given: dict[NodeId, Node] = field(default_factory=dict[NodeId, Node])
    """The nodes of the flat graph that it is made of."""
    nodes: dict[NodeId, Node] = field(default_factory=dict[NodeId, Node])
    values: dict[Value, Value] = field(default_factory=dict[Value, Value])

    def name(self, path: str) -> str:
        """Return what a path is called in here, "" where it is no name of this level."""
        name = path.removeprefix(self.prefix)
        return name if path.startswith(self.prefix) and "." not in name else ""

    def value(self, value: Value) -> Value:
        """Return what a value of the flat graph is in here."""
        return self.values.get(value) or Value(value.node.removeprefix(self.prefix), value.output)

    def output(self, output: Output) -> Output:
        """Return an output of a value of the flat graph as one of this level."""
        return output._replace(value=self.value(output.value))


class _Nesting:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._bodies: dict[object, Graph] = {}
        """The bodies so far, by what they say."""
        self._paths: dict[object, str] = {}
        """Where they first were."""
        self._evaluated = _evaluated(graph)
        self._readers: dict[Value, list[NodeId]] = {}
        """Who reads a value, "" standing for the outputs."""
        for node in graph.topological():
            for value in node.inputs:
                self._readers.setdefault(value, []).append(node.id)
        for output in graph.outputs:
            self._readers.setdefault(output.value, []).append("")

    def model(self) -> Graph:
        level = _Level("")
        self._fill(level, list(self._graph.topological()))
        return with_nodes(self._graph, level.nodes, tuple(map(level.output, self._graph.outputs)))

    def _fill(self, level: _Level, nodes: Sequence[Node]) -> None:
        """Add the nodes below a level's path to it, in their order."""
        level.given = {node.id: node for node in nodes}
        for head, part in groupby(nodes, lambda node: node.id.removeprefix(level.prefix).split(".")[0]):
            run, path = list(part), f"{level.prefix}{head}"
            if head in level.nodes:
                raise _Stuck(path, "between whose steps others stand", run[0])
            level.nodes[head] = self._leaf(level, run[0]) if run[0].id == path else self._call(level, head, run)

    def _leaf(self, level: _Level, node: Node) -> Node:
        names = tuple(map(level.name, node.names))
        if not all(names):
            raise _Stuck(node.id, "which repeats under the path of another body", node)
        reuses = self._reused(level, node.id, node.reuses, node)
        is_labelled = node.is_labelled and not names[0].isdigit()
        inputs = tuple(map(level.value, node.inputs))
        return replace(node, names=names, inputs=inputs, reuses=reuses, is_labelled=is_labelled)

    def _reused(self, level: _Level, path: str, first: str | None, node: Node) -> str | None:
        """Return the name of what is applied again, which the language asks to stand in the same body."""
        name = level.name(first) if first is not None else None
        if name == "" or (name is not None and name not in level.nodes):
            raise _Stuck(path, f"which applies the weights of `{first}` again from another body", node)
        return name

    def _call(self, level: _Level, head: str, part: Sequence[Node]) -> Node:
        path = f"{level.prefix}{head}"
        arriving, first = self._arriving(path, part), _first(path, part)
        reuses = self._reused(level, path, first, part[0])
        inner = _Level(f"{path}.")
        for entry, value in zip(_entries(path, part), arriving, strict=False):
            inner.nodes[entry], inner.values[value] = Node((entry,), (), part[0].span), Value(entry)
        self._fill(inner, part if first is None else [_unused(level, node, path, first) for node in part])
        outputs = self._outputs(path, part)
        body = self._body(path, inner, tuple(map(inner.output, outputs)), part[0], reuses is None)
        if reuses is not None and level.nodes[reuses].body is not body:
            raise _Stuck(path, f"which applies the weights of `{first}` again with other steps", part[0])
        level.values.update({output.value: Value(head, output.name) for output in outputs})
        return Node((head,), tuple(map(level.value, arriving)), part[0].span, body=body, reuses=reuses)

    def _arriving(self, path: str, part: Sequence[Node]) -> list[Value]:
        """Return the values that the nodes below a path read from outside."""
        found = list(dict.fromkeys(v for node in part for v in node.inputs if not _is_below(v.node, path)))
        source = next((node for node in part if node.is_input), None)
        if source is not None:
            raise _Stuck(path, "which holds an input of the network", source)
        if path.count(".") >= MAX_DEPTH:
            raise _Stuck(path, f"which lies more than {MAX_DEPTH} bodies deep", part[0])
        return found

    def _outputs(self, path: str, part: Sequence[Node]) -> list[Output]:
        """Return the values below a path that are read outside, the last that evaluation needs being the main one."""
        given = [value for node in part for value in _values(node) if self._is_read_outside(value, path)]
        given.sort(key=lambda value: value in self._evaluated)  # stable: else in the order of the nodes
        *others, main = given or [Value(part[-1].id)]
        found = {"": Output("", main)}
        for value in others:
            name = _output_name(value, path)
            while name in found:
                name += "_"
            found[name] = Output(name, value, self._is_training_only(value, path))
        return list(found.values())

    def _is_read_outside(self, value: Value, path: str) -> bool:
        return any(not _is_below(reader, path) for reader in self._readers.get(value, ()))

    def _is_training_only(self, value: Value, path: str) -> bool:
        """Return whether only outputs of training need a value; the language lets no step read such a one."""
        readers = self._readers[value]
        return value not in self._evaluated and all(not reader or _is_below(reader, path) for reader in readers)

    def _body(self, path: str, inner: _Level, outputs: tuple[Output, ...], first: Node, is_called: bool) -> Graph:
        """Return the body of what a level holds, the same one for equal levels; it is a block if called twice."""
        told = [(n.names, n.inputs, repr(n.op), id(n.body), n.reuses) for n in inner.nodes.values()]
        key = repr((told, outputs))
        if key not in self._bodies:
            self._bodies[key] = Graph(path.rpartition(".")[2], "group", inner.nodes, outputs, first.span)
            self._paths[key] = path
        elif is_called:
            self._bodies[key].kind, self._bodies[key].name = "block", self._paths[key].replace(".", "_")
        return self._bodies[key]


def _values(node: Node) -> Iterator[Value]:
    """Yield all values that a node gives."""
    yield Value(node.id)
    if node.body is not None:
        yield from (Value(node.id, output.name) for output in node.body.outputs if output.name)


def _is_below(node: NodeId, path: str) -> bool:
    return node.startswith(f"{path}.")


def _evaluated(graph: Graph) -> set[Value]:
    """Return the values that evaluation needs."""
    needed = {output.value for output in graph.outputs if not output.is_training_only}
    nodes = {value.node for value in needed}
    for node in reversed(list(graph.topological())):
        if node.id in nodes:
            needed.update(node.inputs)
            nodes.update(value.node for value in node.inputs)
    return needed


def _output_name(value: Value, path: str) -> str:
    """Return a word for a value of a body, which no word of the language is."""
    name = ".".join(filter(None, ("at", value.node.removeprefix(f"{path}."), value.output)))
    return name.replace(".", "_").replace("-", "_")


def _entries(path: str, part: Sequence[Node]) -> Iterator[str]:
    """Yield names for the places where a body's values arrive, which none of its nodes has."""
    taken = {name.removeprefix(f"{path}.").split(".")[0] for node in part for name in node.names}
    names = UnlabelledNames(taken)
    yield names.next("input")
    while True:
        yield names.next("other")


def _first(path: str, part: Sequence[Node]) -> str | None:
    """Return the path whose body the one below another path applies again, None where it has weights of its own."""
    reused = part[0].reuses
    end = part[0].id.removeprefix(path)
    if reused is None or _is_below(reused, path) or not reused.endswith(end):
        return None
    return reused.removesuffix(end)


def _unused(level: _Level, node: Node, path: str, first: str) -> Node:
    """Return a node of a body that applies another of its level again, as if it had weights of its own."""
    same = level.given.get(f"{first}{node.id.removeprefix(path)}")
    if same is None or node.reuses != (same.reuses or same.id):
        raise _Stuck(path, f"which applies the weights of `{first}` again in part", node)
    is_inside = same.reuses is not None and _is_below(same.reuses, first)
    reuses = f"{path}{same.reuses.removeprefix(first)}" if same.reuses is not None and is_inside else same.reuses
    return replace(node, reuses=reuses)
