"""Networks whose bodies take several values, made of ones whose bodies take one: runs of steps put into a body."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import TypeVar

from hypothesis import strategies as st

import archdsl
from archdsl.ir.graph import Graph, Node
from archdsl.ir.value import Output, Value
from archdsl.ir.verify import verify
from archdsl.ir.walk import PerBody
from archdsl.network import Network
from archdsl.passes.shapes import infer_shapes
from archdsl.text.source import Span

T = TypeVar("T")
_LONGEST_RUN = 5
_OURS = re.compile(r"outlined\d+\.")


def stripped(path: str) -> str:
    """Return a path or a key without the bodies that were made."""
    return _OURS.sub("", path)


def network_of(graph: Graph) -> Network:
    """Return the network of a graph, which is verified first."""
    verify(graph)
    return archdsl.from_networkx(graph.networkx)


class Outliner:
    """Puts runs of steps into bodies with as many inputs as the run reads values, in any order."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data
        self._numbers = count()

    def pick(self, options: Sequence[T]) -> T:
        return self._data.draw(st.sampled_from(options))

    def outline(self, graph: Graph) -> Graph:
        """Return the graph with one run of steps, somewhere in it, as a body of its own; the same values flow."""
        chosen = self.pick(list(graph.bodies()))
        nodes = list(chosen.nodes.values())
        start = self._data.draw(st.integers(0, len(nodes) - 1))
        run = nodes[start : start + self._data.draw(st.integers(1, _LONGEST_RUN))]
        run = run[: next((i for i, node in enumerate(run) if node.is_input), len(run))]
        made = self._outlined(chosen, run) if run else None
        return exchanged(graph, {chosen: made}) if made is not None else graph

    def _outlined(self, graph: Graph, run: Sequence[Node]) -> Graph | None:
        inside = {node.id for node in run}
        if any(
            node.reuses is not None and (node.id in inside) != (node.reuses in inside) for node in graph.nodes.values()
        ):
            return None
        outputs = _read_outside(graph, run, inside)
        if not outputs or outputs[0].is_training_only:
            return None
        name = f"outlined{next(self._numbers)}"
        taken = {name for node in run for name in node.names}
        read = list(dict.fromkeys(value for node in run for value in node.inputs if value.node not in inside))
        entries = {
            value: f"arrives{i}" if f"arrives{i}" not in taken else f"arriving{i}" for i, value in enumerate(read)
        }
        # What flows is what the main result is made of. Others that stand in front come in any order, the rest where
        # they are first read.
        needed = [value for value in read if value in _made_of(outputs[0].value, run)]
        if not needed:  # it is a parameter or a constant, and nothing flows into it
            return None
        flowing = self.pick(needed)
        front = [v for v in self._data.draw(st.permutations(read)) if v != flowing and self.pick((True, False))]
        front.insert(0, flowing)
        nodes = {entries[value]: _entry(entries[value]) for value in front}
        for node in run:
            nodes |= {entries[v]: _entry(entries[v]) for v in node.inputs if v in entries and entries[v] not in nodes}
            inputs = tuple(Value(entries[value]) if value in entries else value for value in node.inputs)
            nodes[node.id] = replace(node, inputs=inputs)
        kind = self.pick(("group", "block"))
        body = Graph(name, kind, nodes, tuple(outputs), run[0].span)
        values = {entry: value for value, entry in entries.items()}
        call = Node((name,), tuple(values[node.id] for node in body.inputs), run[0].span, body=body, is_labelled=True)
        given = {output.value: Value(name, output.name) for output in outputs}
        return _replaced(graph, run, call, given)

    def repeat(self, graph: Graph) -> tuple[Graph, Graph] | None:
        """Return the graph with a call that takes several values repeated, and with its repetitions written out."""
        found = [pair for body in graph.bodies() for pair in self._repeatable(graph, body)]
        if not found:
            return None
        body, node, flowing = self.pick(found)
        call = _with_first(node, flowing)
        names = tuple(f"{node.id}{suffix}" for suffix in ("", "a", "b", "c"))[: self.pick((2, 3, 4))]
        repeated = replace(call, names=names)
        single = [replace(call, names=(name,)) for name in names]
        for index in range(1, len(single)):
            single[index] = replace(single[index], inputs=(Value(names[index - 1]), *call.inputs[1:]))
        last = {Value(node.id): Value(names[-1])}
        return (
            exchanged(graph, {body: _replaced(body, [node], repeated, {})}),
            exchanged(graph, {body: _replaced(body, [node], single[0], last, single[1:])}),
        )

    @staticmethod
    def _repeatable(graph: Graph, body: Graph) -> list[tuple[Graph, Node, int]]:
        given = [node.op.infer_shape([]) for node in graph.inputs if node.op is not None]
        tables = [table for table in infer_shapes(graph, given).shapes.tables() if table.graph is body]
        reused = {node.reuses for node in body.nodes.values()}
        found: list[tuple[Graph, Node, int]] = []
        for node in body.nodes.values():
            is_plain = node.body is not None and len(node.inputs) > 1 and len(node.body.outputs) == 1
            if not is_plain or node.repeat > 1 or node.reuses is not None or node.id in reused:
                continue
            found += [
                (body, node, position)
                for position in range(len(node.inputs))
                if all(table.inputs_of(node)[position] == table.results[node.id][""] for table in tables)
            ]
        return found


def _made_of(value: Value, run: Sequence[Node]) -> set[Value]:
    """Return the values that one is made of in a run of steps."""
    found = {value}
    for node in reversed(run):
        if any(other.node == node.id for other in found):
            found.update(node.inputs)
    return found


def _entry(name: str) -> Node:
    return Node((name,), (), Span(0, 0))


def _with_first(node: Node, flowing: int) -> Node:
    """Return a call, and its body, with one of its inputs as the first."""
    assert node.body is not None
    entries = list(node.body.inputs)
    order = [flowing, *(i for i in range(len(entries)) if i != flowing)]
    nodes = {entries[i].id: entries[i] for i in order} | dict(node.body.nodes)
    body = Graph(node.body.name, node.body.kind, nodes, node.body.outputs, node.body.span)
    return replace(node, body=body, inputs=tuple(node.inputs[i] for i in order))


def _read_outside(graph: Graph, run: Sequence[Node], inside: set[str]) -> list[Output]:
    """Return what a body of some steps has to give out, the main one first and those of training only last."""
    outer = [value for node in graph.nodes.values() if node.id not in inside for value in node.inputs]
    evaluated = _evaluated(graph)
    given: dict[Value, Output] = {}
    for value in [*outer, *(output.value for output in graph.outputs)]:
        if value.node in inside and value not in given:
            is_training_only = value not in evaluated and value not in outer
            given[value] = Output(f"out{len(given)}" if given else "", value, is_training_only)
    found = sorted(given.values(), key=lambda output: output.is_training_only)
    if not found:  # nobody reads it, and a body has an output all the same
        return [Output("", Value(run[-1].id))]
    return [output._replace(name="" if index == 0 else f"out{index}") for index, output in enumerate(found)]


def _evaluated(graph: Graph) -> set[Value]:
    found = {output.value for output in graph.outputs if not output.is_training_only}
    nodes = {value.node for value in found}
    for node in reversed(list(graph.nodes.values())):
        if node.id in nodes:
            found.update(node.inputs)
            nodes.update(value.node for value in node.inputs)
    return found


def _replaced(
    graph: Graph, run: Sequence[Node], call: Node, given: Mapping[Value, Value], more: Sequence[Node] = ()
) -> Graph:
    """Return a graph with a call, and perhaps more steps behind it, in the place of a run of steps."""
    nodes: dict[str, Node] = {}
    left = {node.id for node in run}
    for node in graph.nodes.values():
        if node.id == run[0].id:
            nodes |= {step.id: step for step in (call, *more)}
        if node.id not in left:
            nodes[node.id] = replace(node, inputs=tuple(given.get(value, value) for value in node.inputs))
    outputs = tuple(output._replace(value=given.get(output.value, output.value)) for output in graph.outputs)
    return Graph(graph.name, graph.kind, nodes, outputs, graph.span, graph.bindings, graph.doc)


def exchanged(graph: Graph, made: Mapping[Graph, Graph]) -> Graph:
    """Return a graph with other bodies below it; equal calls go on sharing theirs."""

    def change(body: Graph, below: Callable[[Graph], Graph]) -> Graph:
        if body in made:
            return made[body]
        bodies = {node.id: below(node.body) for node in body.nodes.values() if node.body is not None}
        if all(bodies[node.id] is node.body for node in body.nodes.values() if node.body is not None):
            return body
        nodes = {node.id: replace(node, body=bodies.get(node.id)) for node in body.nodes.values()}
        return Graph(body.name, body.kind, nodes, body.outputs, body.span, body.bindings, body.doc)

    return PerBody[Graph, Graph](change)(graph)


def outlined(graph: Graph, data: st.DataObject, *, most: int = 4) -> Graph:
    """Return a graph in which some runs of steps are bodies, in each other too."""
    outliner = Outliner(data)
    for _ in range(data.draw(st.integers(1, most))):
        graph = outliner.outline(graph)
    return graph
