"""Freezing: which operators stay as they are while the others train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from itertools import groupby
from typing import NamedTuple, TypeAlias

from archdsl.ir.freezing import HEAD, FreezePattern, Freezing
from archdsl.ir.graph import Graph, Node, NodeId, Value
from archdsl.ir.trouble import Trouble
from archdsl.ops.shape import Shape
from archdsl.passes.frozen import can_freeze, keys_by_step
from archdsl.passes.heads import HeadTooFar, find_head
from archdsl.passes.rewrite import with_changes, with_nodes
from archdsl.passes.shapes import Shapes, infer_shapes
from archdsl.text.source import Span
from archdsl.text.suggest import nearest

_MOST_COMPARISONS = 300_000
_MOST_PATHS = 20_000


class _Segments(NamedTuple):
    """What is left of a pattern on its way down; nothing where it covers all that is below.

    `statement` and `is_except` say whose pattern it is, and `place` counts it among those.
    """

    statement: int
    is_except: bool
    place: int
    left: tuple[str, ...]


_State: TypeAlias = frozenset[_Segments]


def freeze(shapes: Shapes, freezings: Sequence[Freezing]) -> Shapes:
    """Return the shapes of a new graph with `Node.is_frozen` on what the statements reach, but for their exceptions.

    A node is frozen where it has tensors, or does other in training than in evaluation: for the others it says
    nothing. What is frozen already stays so. A step that applies another's weights is frozen with that one.

    Requires: shapes without errors. Ensures: paths, operators, wiring and order stay; bodies are shared by the calls
    whose frozen steps are the same, and equal steps that follow each other are cut apart where they differ in that.
    Errors: Trouble with E132 for a pattern that reaches no step with weights of its own, or a `head` that is not there
    """
    state = _state(shapes, freezings)
    made = _Freezer({table.graph: table for table in shapes.tables()}, freezings[0].span_of(0))
    graph = made.body(shapes.graph, frozenset(state))
    _check(shapes, freezings, made.matched)
    # A network's graph bears what is known of that network, so another network gets one of its own.
    own = Graph(graph.name, graph.kind, graph.nodes, graph.outputs, graph.span, graph.bindings, graph.doc)
    return infer_shapes(own, shapes.inputs).shapes


def covered_keys(shapes: Shapes, covering: Freezing) -> frozenset[str]:
    """Return the keys of the tensors that belong to what patterns reach, as `freeze` takes them.

    Errors: Trouble with E132 as there, and where that is none
    """
    freeze(shapes, [covering])
    state = _state(shapes, [covering])
    found: set[str] = set()
    for path, keys in keys_by_step(shapes):
        segments = path.split(".")
        sides = {
            part.is_except
            for part in state
            if len(part.left) <= len(segments) and all(map(fnmatchcase, segments, part.left))
        }
        found.update(keys if sides == {False} else ())
    if not found:
        raise Trouble(
            "E132", f"`{covering}` reaches no weights", covering.span_of(0), help="name others, or leave it out"
        )
    return frozenset(found)


def _state(shapes: Shapes, freezings: Sequence[Freezing]) -> list[_Segments]:
    """Take the patterns apart, with the head's paths in its place."""
    state: list[_Segments] = []
    head: frozenset[str] | None = None
    for number, freezing in enumerate(freezings):
        index = 0
        for is_except, patterns in ((False, freezing.patterns), (True, freezing.excepts)):
            for place, pattern in enumerate(patterns):
                paths = [pattern]
                if pattern is HEAD:
                    head = _head(shapes, freezing.span_of(index)) if head is None else head
                    paths = sorted(head)
                    if not head:
                        raise _headless(shapes, freezing.span_of(index))
                state += [_Segments(number, is_except, place, tuple(str(path).split("."))) for path in paths]
                index += 1
    return state


def _head(shapes: Shapes, span: Span) -> frozenset[str]:
    try:
        return find_head(shapes)
    except HeadTooFar:
        message = f"`{shapes.graph.name}` has too many steps to look for its head"
        raise Trouble("E109", message, span, help="name paths instead") from None


def _headless(shapes: Shapes, span: Span) -> Trouble:
    message = f"`{shapes.graph.name}` has no step with weights that `head` could mean"
    return Trouble("E132", message, span, help="name paths instead; `archdsl summary` lists them")


@dataclass
class _Freezer:
    """Marks nodes, each pair of a body and what reaches it once; `tables` has any one table of each body."""

    tables: Mapping[Graph, Shapes]
    span: Span
    """Where too much is told."""
    matched: set[tuple[int, bool, int]] = field(default_factory=set[tuple[int, bool, int]])
    """The patterns that reached a step."""
    comparisons: int = 0
    _known: dict[tuple[Graph, _State], Graph] = field(default_factory=dict[tuple[Graph, _State], Graph])
    _shared: dict[object, Graph] = field(default_factory=dict[object, Graph])
    """The results by what they say, so that calls which different patterns freeze alike share a body."""

    def body(self, graph: Graph, state: _State) -> Graph:
        """Return a body with what the patterns reach in it frozen."""
        if not state:
            return graph
        key = (graph, state)
        if key not in self._known:
            made = self._marked(graph, state)
            told = (graph, tuple((n.names, n.is_frozen, n.body) for n in made.nodes.values()))
            self._known[key] = self._shared.setdefault(told, made)
        return self._known[key]

    def _marked(self, graph: Graph, state: _State) -> Graph:
        nodes: dict[NodeId, Node] = {}
        moved: dict[NodeId, NodeId] = {}
        for node in graph.topological():
            inputs = tuple(value._replace(node=moved.get(value.node, value.node)) for value in node.inputs)
            if node.is_input:
                nodes[node.id] = node
            elif node.reuses is not None:
                owner = nodes[node.reuses]
                nodes[node.id] = with_changes(node, inputs=inputs, is_frozen=owner.is_frozen, body=owner.body)
            else:
                for run in self._runs(node, inputs, state, graph):
                    nodes[run.id] = run
                    moved[node.id] = run.id
        outputs = tuple(
            o._replace(value=o.value._replace(node=moved.get(o.value.node, o.value.node))) for o in graph.outputs
        )
        return with_nodes(graph, nodes, outputs, partial(_freeze_again, state, self.span))

    def _runs(self, node: Node, inputs: tuple[Value, ...], state: _State, graph: Graph) -> list[Node]:
        """Return a node, cut where its repeats differ in what is frozen of them."""
        runs: list[Node] = []
        made = [(name, *self._one(node, self._inside(name, state), graph)) for name in node.names]
        for (is_frozen, body), group in groupby(made, key=lambda item: item[1:]):
            names = tuple(name for name, _, _ in group)
            if len(names) == node.repeat:
                return [with_changes(node, inputs=inputs, is_frozen=is_frozen, body=body)]
            own = inputs if not runs else (Value(runs[-1].id), *inputs[1:])
            runs.append(with_changes(node, names=names, inputs=own, is_frozen=is_frozen, body=body))
        return runs

    def _one(self, node: Node, state: _State, graph: Graph) -> tuple[bool, Graph | None]:
        """Return what becomes of one of a node's repeats: whether it is frozen, and its body."""
        if node.body is not None:
            return False, self.body(node.body, state)
        if node.is_frozen:
            return True, None
        covered = {(part.statement, part.is_except) for part in state if not part.left}
        is_reached = any((number, True) not in covered for number, is_except in covered if not is_except)
        return is_reached and can_freeze(node, self.tables[graph]), None

    def _inside(self, name: str, state: _State) -> _State:
        """Return what is left of the patterns behind a name, which may be a path."""
        for segment in name.split("."):
            self.comparisons += sum(1 for part in state if part.left)
            if self.comparisons > _MOST_COMPARISONS:
                message = f"patterns of `freeze` are compared with steps more than {_MOST_COMPARISONS:,} times"
                raise Trouble("E109", message, self.span, help="use fewer of them", is_fatal=True)
            kept = [part for part in state if not part.left or fnmatchcase(segment, part.left[0])]
            state = frozenset(part._replace(left=part.left[1:]) for part in kept)
            self.matched.update(part[:3] for part in state if not part.left)
        return state


def _freeze_again(state: _State, span: Span, graph: Graph, entering: Sequence[Shape]) -> Graph | None:
    shapes, misfits = infer_shapes(graph, entering)
    if misfits:
        return graph  # which its reader finds again
    return _Freezer({table.graph: table for table in shapes.tables()}, span).body(graph, state)


def _check(shapes: Shapes, freezings: Sequence[Freezing], matched: set[tuple[int, bool, int]]) -> None:
    """Raise what patterns reach no step."""
    troubles: list[Trouble] = []
    for number, freezing in enumerate(freezings):
        patterns = [(False, place) for place in range(len(freezing.patterns))]
        patterns += [(True, place) for place in range(len(freezing.excepts))]
        for index, ((is_except, place), pattern) in enumerate(zip(patterns, freezing.all_patterns(), strict=True)):
            if (number, is_except, place) not in matched:
                troubles.append(_missing(shapes, pattern, freezing.span_of(index)))
    if troubles:
        first, *rest = troubles
        raise first.beside(rest) if rest else first


def _missing(shapes: Shapes, pattern: FreezePattern, span: Span) -> Trouble:
    paths, text = _paths(shapes), str(pattern)
    near, outer = nearest(text, paths), text.rpartition(".")[0]
    help = f"the nearest path is `{near}`" if near else "`archdsl summary` lists the paths; `*` stands for one segment"
    if near is None and outer in paths and not any(path.startswith(f"{outer}.") for path in paths):
        help = f"`{outer}` is one step, which is frozen as a whole"
    if owner := _owner(shapes, text.split(".")):
        help = f"it applies the weights of `{owner}`, with which it is frozen"
    return Trouble("E132", f"no step has the path `{pattern}`", span, help=help)


def _owner(shapes: Shapes, segments: Sequence[str]) -> str:
    """Return the path of what a step applies again that a pattern leads to; nothing where it leads to none."""
    for node in shapes.graph.topological():
        for name in node.names if not node.is_input else ():
            own = name.split(".")
            if len(own) > len(segments) or not all(map(fnmatchcase, own, segments)):
                continue
            if node.reuses is not None:
                return ".".join([node.reuses, *segments[len(own) :]])
            below = _owner(shapes.inner[node.id], segments[len(own) :]) if node.body is not None else ""
            if below:
                return f"{name}.{below}"
    return ""


def _paths(shapes: Shapes) -> list[str]:
    """List paths of steps and of the levels around them, outer ones first, as many as are worth comparing."""
    found: dict[str, None] = {}
    level = [("", shapes)]
    while level and len(found) < _MOST_PATHS:
        below: list[tuple[str, Shapes]] = []
        for path, table in level:
            for node in table.graph.topological():
                for name in node.names if not (node.is_input or node.reuses) else ():
                    segments = name.split(".")
                    found.update(dict.fromkeys(path + ".".join(segments[: i + 1]) for i in range(len(segments))))
                    below += [(f"{path}{name}.", table.inner[node.id])] if node.body is not None else []
        level = below
    return list(found)
