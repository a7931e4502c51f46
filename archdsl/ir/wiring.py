"""How the nodes of a networkx graph may be wired: what each takes, what is reused, and in which order they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from archdsl.ir.graph import Graph
from archdsl.ir.listing import shown
from archdsl.ir.value import Output, Value
from archdsl.ops.base import Op
from archdsl.text import labels


class Wires:
    """The rules for one body, by the attributes of its nodes and the graphs of those that call a body.

    An objection is what is wrong, with help; "" where nothing is.
    """

    def __init__(
        self,
        path: str,
        data: Mapping[str, Mapping[str, object]],
        bodies: Mapping[str, Graph | None],
        *,
        is_model: bool,
    ) -> None:
        self.path, self.data, self.bodies, self.is_model = path, data, bodies, is_model
        self.circle: list[str] = []

    def where(self, node: object) -> str:
        return f"`{self.path}{shown(node)}`"

    @property
    def title(self) -> str:
        return f"`{self.path.removesuffix('.')}`" if self.path else "the model"

    def order(self, edges: Sequence[tuple[str, str]]) -> list[str] | None:
        """Return the nodes so that each comes after what it reads; None where they read each other in a `circle`.

        They keep their own order as far as they can; one that comes too late stands directly before who reads it.
        """
        import networkx

        graph: networkx.DiGraph[str] = networkx.DiGraph()
        graph.add_nodes_from(self.data)
        graph.add_edges_from(edges)
        reuses = [(data["reuses"], node) for node, data in self.data.items() if data.get("reuses") in self.data]
        graph.add_edges_from(cast("list[tuple[str, str]]", reuses))
        position = {node: number for number, node in enumerate(self.data)}
        try:
            order = list(networkx.lexicographical_topological_sort(graph, position.__getitem__))
        except networkx.NetworkXUnfeasible:
            edges = cast("list[tuple[str, str]]", networkx.find_cycle(graph))  # pyright: ignore[reportUnknownMemberType]
            self.circle = [node for node, _ in edges]
            return None
        due: dict[str, tuple[int, int]] = {}
        for node in reversed(order):
            latest = min((due[reader] for reader in graph.successors(node)), default=(len(position), 0))
            due[node] = min((position[node], position[node]), (latest[0], position[node]))
        return list(networkx.lexicographical_topological_sort(graph, due.__getitem__))

    def objection(self, node: str, inputs: Sequence[Value]) -> tuple[str, str]:
        data, where = self.data[node], self.where(node)
        op, body = cast("Op | None", data.get("op")), self.bodies.get(node)
        if op is None and body is None and (inputs or self.is_model):
            return f"{where} has neither `op` nor `body`", "give it one, or remove it with the edges that name it"
        if op is not None and op.category == "input" and not self.is_model:
            return f"{where} is an input of a model, inside a body", "leave `op` out: it is where an input arrives"
        for value in inputs:
            source = self.bodies.get(value.node)
            known = ["", *(output.name for output in source.outputs)] if source is not None else [""]
            if value.output not in known:
                listed = ", ".join(f'"{name}"' for name in known)
                message = f"{where} reads the output `{shown(value.output)}` of {self.where(value.node)}"
                return message, f"it has {listed}"
        needed = _count(op, body)
        if needed is not None and len(inputs) != needed:
            return f"{where} reads {len(inputs)} values, and takes {needed}", "lead as many edges to it as it takes"
        if op is not None and op.is_join and not inputs:
            return f"{where} joins nothing", "lead an edge to it from each branch"
        if repeats(data) and (not inputs or data.get("reuses") is not None):
            return f"{where} repeats, and is no step with an input", "write the repeats as nodes of their own"
        return self._reuse_objection(node)

    def _reuse_objection(self, node: str) -> tuple[str, str]:
        data, where = self.data[node], self.where(node)
        first = data.get("reuses")
        if first is None:
            return "", ""
        other = self.data.get(cast("str", first))
        reuses = f"{where} reuses `{shown(first)}`"
        if other is None or other.get("reuses") is not None or first == node:
            return f"{reuses}, which has no weights of its own here", "name the node that has them"
        is_same = other.get("op") == data.get("op") and self.bodies.get(cast("str", first)) is self.bodies.get(node)
        if not is_same or (isinstance(data.get("op"), Op) and cast("Op", data["op"]).category == "input"):
            return f"{reuses}, which is another operator or body", "give both the same `op` or `body`"
        return "", ""

    def output_objection(self, outputs: Sequence[Output]) -> tuple[str, str]:
        if not outputs:
            return f"{self.title} has no output", 'name one: `graph.graph["outputs"] = [Output("", Value("fc"))]`'
        taken: set[str] = set()
        for index, (name, (node, result), is_training) in enumerate(outputs):
            output = f"output `{shown(name) or 'output'}` of {self.title}"
            if node not in self.data:
                return f"{output} is `{shown(node)}`, and no node is", "name a node"
            body = self.bodies.get(node)
            if result and (body is None or all(result != output.name for output in body.outputs)):
                return f"{output} is the output `{shown(result)}` of `{shown(node)}`, which has none", ""
            problem = labels.objection(name) if name or index else ""
            if problem or (name and not name.isidentifier()):
                message = f"`{shown(name)}` cannot name an output: {problem or 'it is no plain word'}"
                return message, 'only the first may be ""'
            if name in taken:
                return f"{self.title} has two outputs `{name}`", "rename one of the two"
            taken.add(name)
            if index and outputs[index - 1].is_training_only and not is_training:
                return f"output `{name}` of {self.title} stands behind one of training only", "put these last"
        if outputs[0].is_training_only:
            return f"the main output of {self.title} exists in training alone", "put one that always exists first"
        return "", ""


def _count(op: Op | None, body: Graph | None) -> int | None:
    """Return how many values a node reads; None where any number will do."""
    if body is not None:
        return len(body.inputs)
    if op is None or op.category == "input" or op.is_source:
        return 0
    return None if op.is_join else 1 + op.values_read()


def repeats(data: Mapping[str, object]) -> tuple[str, ...]:
    """Return the further names of a node that stands for several equal steps in a row."""
    return tuple(cast("Sequence[str]", data.get("repeats") or ()))
