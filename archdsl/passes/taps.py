"""Taps: a network that ends at places inside it, and gives what flows there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from archdsl.ir.graph import Graph, Node, NodeId, Output, Value
from archdsl.ir.trouble import Trouble
from archdsl.passes.dead import remove_dead
from archdsl.passes.rewrite import with_changes, with_nodes
from archdsl.text.source import Source, Span
from archdsl.text.suggest import nearest

_MOST_PATHS = 20_000


class _Inside(NamedTuple):
    """A place on its way down: the segments that are left of its path."""

    segments: tuple[str, ...]

    @property
    def name(self) -> str:
        """The output that a body gives for it; no output of a spec is called so."""
        return f".{'.'.join(self.segments)}"


def tap(graph: Graph, paths: Sequence[str]) -> Graph:
    """Return the graph whose outputs are what flows behind some steps, by their paths, and what only they need.

    The path of a call is its main result, that of a level whose steps simply follow each other its last step's. What is
    applied again has the path of its first application for that one.

    Requires: a verified graph. Ensures: a legal graph of the names that the remaining nodes had, with an output for
    each path, in their order; equal steps that follow each other are cut apart where one of them is looked into.
    Errors: Trouble with E374 for a path that no step has
    """
    wanted = [_Inside(tuple(path.split("."))) for path in dict.fromkeys(paths)]
    missing = [path for path, one in zip(dict.fromkeys(paths), wanted, strict=True) if _find(graph, one) is None]
    if missing:
        raise _missing(graph, missing[0])
    made, values = _opened(graph, wanted)
    outputs = tuple(Output(path, value) for path, value in zip(dict.fromkeys(paths), values, strict=True))
    return remove_dead(with_nodes(made, made.nodes, outputs))


def list_places(graph: Graph) -> Iterator[str]:
    """Yield the paths that `tap` takes, outer ones first."""
    for node in graph.topological():
        if node.is_input:
            continue
        for name in node.names:
            yield name
    yield from (level for level in _levels(graph) if _find(graph, _Inside(tuple(level.split(".")))) is not None)
    for node in graph.topological():
        if node.body is not None:
            for name in node.names:
                yield from (f"{name}.{place}" for place in list_places(node.body))


def _levels(graph: Graph) -> list[str]:
    """List the paths of levels that are no steps themselves, since only names of steps have them."""
    names = [name.split(".") for node in graph.topological() for name in node.names]
    return list(dict.fromkeys(".".join(name[:depth]) for name in names for depth in range(1, len(name))))


class _Place(NamedTuple):
    """Where a path leads in a body: a step, by its node and name, and what is left of the path inside it."""

    node: Node
    name: str
    rest: _Inside | None = None


def _find(graph: Graph, wanted: _Inside) -> _Place | None:
    """Return the step of a body that a path leads to, or into; None where there is none."""
    for node in graph.topological():
        for name in node.names if not node.is_input else ():
            own = tuple(name.split("."))
            if wanted.segments == own:
                return _Place(node, name)
            if wanted.segments[: len(own)] == own and node.body is not None:
                rest = _Inside(wanted.segments[len(own) :])
                return _Place(node, name, rest) if _find(node.body, rest) is not None else None
    return _last_of(graph, wanted)


def _last_of(graph: Graph, level: _Inside) -> _Place | None:
    """Return the last step of a level whose steps follow each other, with nothing else between them."""
    depth = len(level.segments)
    nodes = [n for n in graph.topological() if any(tuple(x.split("."))[:depth] == level.segments for x in n.names)]
    if not nodes or any(tuple(name.split("."))[:depth] != level.segments for node in nodes for name in node.names):
        return None
    if any(after.inputs[:1] != (Value(before.id),) for before, after in pairwise(nodes)):
        return None
    return _Place(nodes[-1], nodes[-1].names[-1])


def _opened(graph: Graph, wanted: Sequence[_Inside]) -> tuple[Graph, list[Value]]:
    """Return a body that has what is wanted of it as values of its own, and these."""
    places = [place for one in wanted if (place := _find(graph, one)) is not None]
    inside: dict[str, list[_Inside]] = {}
    for place in places:
        if place.rest is not None:
            # One module has one body, whichever of its applications is looked into.
            inside.setdefault(place.node.reuses or place.name, []).append(place.rest)
    ends = {place.name for place in places if place.rest is None}
    nodes: dict[NodeId, Node] = {}
    moved: dict[NodeId, NodeId] = {}
    last: dict[str, NodeId] = {}
    """The run whose result is that of a step, by the step's name."""
    for node in graph.topological():
        inputs = tuple(value._replace(node=moved.get(value.node, value.node)) for value in node.inputs)
        if node.reuses is not None:
            nodes[node.id] = with_changes(node, inputs=inputs, body=nodes[node.reuses].body)
            last[node.id] = node.id
            continue
        runs: list[Node] = []
        for names in _cut(node.names, ends, inside):
            own = inputs if not runs else (Value(runs[-1].id), *inputs[1:])
            body = _with_outputs(node.body, inside[names[0]]) if node.body and names[0] in inside else node.body
            runs.append(with_changes(node, names=names, inputs=own, body=body))
            last[names[-1]] = runs[-1].id
        nodes |= {run.id: run for run in runs}
        moved[node.id] = runs[-1].id
    outputs = tuple(
        o._replace(value=o.value._replace(node=moved.get(o.value.node, o.value.node))) for o in graph.outputs
    )
    values = [Value(last[place.name], place.rest.name if place.rest is not None else "") for place in places]
    return with_nodes(graph, nodes, outputs), values


def _cut(names: Sequence[str], ends: Iterable[str], inside: Mapping[str, object]) -> Iterator[tuple[str, ...]]:
    """Cut equal steps behind those whose result is wanted, and on both sides of those that are looked into."""
    run: list[str] = []
    for name in names:
        if name in inside and run:
            yield tuple(run)
            run = []
        run.append(name)
        if name in inside or name in ends:
            yield tuple(run)
            run = []
    if run:
        yield tuple(run)


def _with_outputs(body: Graph, wanted: Sequence[_Inside]) -> Graph:
    """Return a body that also gives what is wanted of it."""
    wanted = list(dict.fromkeys(wanted))
    made, values = _opened(body, wanted)
    more = tuple(Output(one.name, value) for one, value in zip(wanted, values, strict=True))
    return with_nodes(made, made.nodes, (*made.outputs, *more))


def _missing(graph: Graph, path: str) -> Trouble:
    near = nearest(path, list(islice(list_places(graph), _MOST_PATHS)))
    help = f"the nearest is `{near}`" if near else "`archdsl summary` lists the paths"
    return Trouble(
        "E374", f"no step of {graph.name} has the path `{path}`", Span(0, 0, Source("", "<taps>")), help=help
    )
