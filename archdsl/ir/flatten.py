"""The plain graph: one node per operator, all bodies written out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from archdsl.ir.attributes import BodyFacts
from archdsl.ir.graph import Graph, Node, node_attributes
from archdsl.ir.value import Output, Value
from archdsl.text.record import record

if TYPE_CHECKING:
    from networkx import MultiDiGraph


@record
class _Place:
    """Where a body is written out: the path before its nodes, that of the body it applies again, and what is known."""

    path: str
    first: str
    facts: BodyFacts | None


def flatten(graph: Graph) -> MultiDiGraph[str]:
    """Return a new networkx graph with a node per operator, named by its path, to read or rewrite.

    `archdsl.ir.attributes` lists what nodes and edges bear; bodies, repeats and names of blocks are gone.
    """
    from networkx import MultiDiGraph

    flat: MultiDiGraph[str] = MultiDiGraph(name=graph.name)
    results = _write_out(graph, _Place("", "", graph.facts), None, flat)
    outputs = tuple(Output(o.name, Value(results[o.name]), o.is_training_only) for o in graph.outputs)
    flat.graph.update(kind=graph.kind, bindings=dict(graph.bindings), doc=graph.doc, span=graph.span, outputs=outputs)
    if graph.facts is not None:
        flat.graph.update(graph.facts.about)
    return flat


def _write_out(
    graph: Graph, place: _Place, arriving: Sequence[str] | None, flat: MultiDiGraph[str]
) -> Mapping[str, str]:
    """Add a body's operators; return its outputs' nodes by name. `arriving` are the nodes that its inputs stand for."""
    found: dict[Value, str] = {}
    position = 0
    for node in graph.topological():
        if node.is_input and arriving is not None:
            found[Value(node.id)] = arriving[position]
            position += 1
            continue
        sources = [found[value] for value in node.inputs]
        shapes = [place.facts.shape(value) if place.facts is not None else None for value in node.inputs]
        results: Mapping[str, str] = {}
        for name in node.names:
            results = _write_node(node, name, place, sources, flat)
            if node.body is None:
                for port, (source, shape) in enumerate(zip(sources, shapes, strict=True)):
                    known = {"shape": shape} if shape is not None else {}
                    flat.add_edge(source, results[""], port=port, output="", **known)
            sources = [results[""], *sources[1:]]
        found.update({Value(node.id, output): target for output, target in results.items()})
    named = {output.name: found[output.value] for output in graph.outputs}
    return {"": found[graph.main], **named}


def _write_node(
    node: Node, name: str, place: _Place, sources: Sequence[str], flat: MultiDiGraph[str]
) -> Mapping[str, str]:
    path = f"{place.path}{name}"
    first = f"{place.first or place.path}{node.reuses or name}" if place.first or node.reuses else ""
    if node.body is not None:
        inside = place.facts.inside(node.id) if place.facts is not None else None
        below = _Place(f"{path}.", f"{first}." if first else "", inside)
        return _write_out(node.body, below, sources, flat)
    data = node_attributes(node, place.facts)
    data["path"], data["repeats"] = path, ()
    data.pop("reuses", None)
    if first:
        data["reuses"] = first
    flat.add_node(path, **data)
    return {"": path}
