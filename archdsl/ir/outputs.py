"""What a body gives for inputs of other shapes than it was made for, without tables of all that is inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.ir.graph import Graph
from archdsl.ops.shape import Shape

_Known = dict[tuple[Graph, tuple[Shape | None, ...]], Mapping[str, Shape | None]]


def output_shapes(
    graph: Graph, inputs: Sequence[Shape | None], known: _Known | None = None
) -> Mapping[str, Shape | None]:
    """Return the shapes of a body's outputs by name; the main one is also under "".

    What lies behind a step that is not known, since it is a mistake of its own, has None.
    Errors: OpError where a step does not take what reaches it.
    """
    known = {} if known is None else known
    key = (graph, tuple(inputs))
    if key not in known:
        arriving = iter(inputs)
        results: dict[str, Mapping[str, Shape | None]] = {}
        for node in graph.topological():
            read = [results[value.node].get(value.output) for value in node.inputs]
            fed = [shape for shape in read if shape is not None]
            if node.is_input:
                results[node.id] = {"": next(arriving)}
            elif node.body is not None:
                results[node.id] = output_shapes(node.body, read, known)
            elif node.op is not None and len(fed) == len(read):
                results[node.id] = {"": node.op.infer_shape(fed)}
            else:
                results[node.id] = {}
        named = {output.name: results[output.value.node].get(output.value.output) for output in graph.outputs}
        known[key] = {"": results[graph.main.node].get(graph.main.output), **named}
    return known[key]
