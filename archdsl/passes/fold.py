"""Fold batch norms into the convolutions before them: one operator for two in evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archdsl.ir.graph import Graph, Node, NodeId, Value
from archdsl.ir.walk import PerBody
from archdsl.ops.base import LinearMap
from archdsl.ops.shape import Shape
from archdsl.passes.rewrite import with_changes, with_nodes
from archdsl.passes.shapes import Shapes, infer_shapes


@dataclass(frozen=True, slots=True)
class Fold:
    """How the state of one convolution (or dense layer) and its norm become that of one with a bias.

    With scale = norm.weight / sqrt(norm.running_var + eps), the new weight is weight * scale along its output
    channels, and the new bias (bias - running_mean) * scale + norm.bias, under the keys `target`.weight and
    `target`.bias. An absent bias is 0, an absent norm weight 1. A transposed convolution's weight
    [in, out/groups, ...] has its output channels in the second axis, group by group of the first.
    """

    target: str
    norm: str
    eps: float
    has_bias: bool
    """Whether the target had a bias before."""
    is_affine: bool
    """Whether the norm has a weight and bias."""
    groups: int | None
    """The groups of a transposed convolution; None for the others, whose output channels come first."""
    norm_keys: tuple[str, ...]
    """The norm's keys, which are no more."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A graph with its norms folded, and what becomes of its state; all other keys stay."""

    graph: Graph
    folds: tuple[Fold, ...]


def fold_norms(shapes: Shapes) -> Folded:
    """Fold each batch norm that keeps statistics into the operator before it, where that feeds nothing else.

    Both must stand in one body, be neither repeated nor reused, and the operator before be a convolution of any kind,
    or a dense layer on vectors. Results agree in evaluation only.

    Requires: shapes without errors. Ensures: a legal graph, in which the convolution keeps its name and the norm's
    readers read it; calls that shared a body share the new one. Shapes must be inferred anew.
    """
    # Any of a body's tables will do: what ranks its values have is the same in all of them.
    tables = {table.graph: table for table in shapes.tables()}
    pairs = {body: _pairs(table) for body, table in tables.items()}
    graph = PerBody[Graph, Graph](lambda body, changed: _folded(body, changed, pairs[body]))(shapes.graph)
    plan = PerBody[Graph, tuple[Fold, ...]](lambda body, below: tuple(_plan(tables[body], pairs[body], below)))
    return Folded(graph, plan(shapes.graph))


def _pairs(shapes: Shapes) -> dict[NodeId, NodeId]:
    """Map each norm that can be folded to the operator before it."""
    graph = shapes.graph
    shared = {name for node in graph.nodes.values() if node.reuses is not None for name in (node.id, node.reuses)}
    exposed = {output.value.node for output in graph.outputs}
    found: dict[NodeId, NodeId] = {}
    for norm in graph.topological():
        if norm.op is None or norm.op.running_norm() is None:
            continue
        before = graph.nodes[norm.inputs[0].node]
        is_private = before.id not in exposed and len(graph.consumers[before.id]) == 1
        is_plain = before.repeat == norm.repeat == 1 and shared.isdisjoint((before.id, norm.id))
        if is_private and is_plain and _is_foldable(before, shapes):
            found[norm.id] = before.id
    return found


def _is_foldable(node: Node, shapes: Shapes) -> bool:
    """Return whether the channels that a norm scales, its input's first axis, are those that a linear map makes."""
    linear = _linear_map(node, shapes)
    return linear is not None and linear.axis == 0


def _linear_map(node: Node, shapes: Shapes) -> LinearMap | None:
    return node.op.linear_map(shapes.inputs_of(node)) if node.op is not None and not node.is_input else None


def _folded(graph: Graph, changed: Callable[[Graph], Graph], pairs: Mapping[NodeId, NodeId]) -> Graph:
    moved = {Value(norm): Value(before) for norm, before in pairs.items()}
    targets = set(pairs.values())
    nodes: dict[NodeId, Node] = {}
    for node in graph.topological():
        if node.id in pairs:
            continue
        inputs = tuple(moved.get(value, value) for value in node.inputs)
        op = node.op.model_copy(update={"bias": True}) if node.op is not None and node.id in targets else node.op
        body = changed(node.body) if node.body is not None else None
        nodes[node.id] = with_changes(node, inputs=inputs, op=op, body=body)
    outputs = tuple(output._replace(value=moved.get(output.value, output.value)) for output in graph.outputs)
    return with_nodes(graph, nodes, outputs, _fold_again)


def _fold_again(graph: Graph, entering: Sequence[Shape]) -> Graph | None:
    shapes, misfits = infer_shapes(graph, entering)
    return graph if misfits else fold_norms(shapes).graph  # which its reader finds again


def _plan(shapes: Shapes, pairs: Mapping[NodeId, NodeId], below: Callable[[Graph], tuple[Fold, ...]]) -> Iterator[Fold]:
    """Yield a body's folds, with paths relative to it."""
    norms = {before: norm for norm, before in pairs.items()}
    for node in shapes.graph.topological():
        if node.id in norms:
            yield _fold(node, shapes.graph.nodes[norms[node.id]], shapes)
        elif node.body is not None and node.reuses is None:
            yield from (_below(name, fold) for name in node.names for fold in below(node.body))


def _fold(node: Node, norm: Node, shapes: Shapes) -> Fold:
    assert node.op is not None and norm.op is not None
    linear, running = _linear_map(node, shapes), norm.op.running_norm()
    assert linear is not None and running is not None
    return Fold(
        target=node.id,
        norm=norm.id,
        eps=running.eps,
        has_bias=any(tensor.name == "bias" for tensor in node.op.state(shapes.inputs_of(node))),
        is_affine=running.is_affine,
        groups=linear.groups if linear.outputs == 1 else None,
        norm_keys=tuple(f"{norm.id}.{tensor.name}" for tensor in norm.op.state(shapes.inputs_of(norm))),
    )


def _below(path: str, fold: Fold) -> Fold:
    return replace(
        fold,
        target=f"{path}.{fold.target}",
        norm=f"{path}.{fold.norm}",
        norm_keys=tuple(f"{path}.{key}" for key in fold.norm_keys),
    )
