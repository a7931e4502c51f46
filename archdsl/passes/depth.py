"""How deep a weight lies: how many layers come between it and the output, by which rates of learning fall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archdsl.ir.flatten import flatten
from archdsl.ir.graph import Graph
from archdsl.passes.shapes import Shapes
from archdsl.passes.state import list_state

_ASIDE = ("norm", "activation", "regularise", "tensor")
"""What of operators with weights is no layer of its own."""


def layer_depths(shapes: Shapes) -> Mapping[str, int]:
    """Return the layers that lie behind each key of the state_dict, on the longest way to an output: 0 for the last.

    A layer is a call of a block in which paths part, in any of its calls, or else a step with weights that is no norm,
    no activation and no tensor by itself; those are as deep as what stands before them.
    Requires: shapes without errors. Source: Bao et al. 2021 (BEiT) count the blocks of a transformer so
    """
    flat = flatten(shapes.graph)
    parted = frozenset(body.name for body in shapes.graph.bodies() if body.kind == "block" and _parts(body))
    layers = dict(_layers(shapes.graph, "", None, parted))
    owners = {key: key if key in layers else key.rpartition(".")[0] for key, _ in list_state(shapes)}
    weighted = {layers[path] for path in owners.values() if flat.nodes[path]["op"].category not in _ASIDE}
    depths: dict[str, int] = {}
    for path in reversed(list(flat.nodes)):
        own = layers[path]
        behind = [layers[after] for after in flat.successors(path)]
        found = [depths[layer] + (layer != own and layer in weighted) for layer in behind]
        depths[own] = max([depths.get(own, 0), *found])
    return {key: depths[layers[path]] for key, path in owners.items()}


def _layers(graph: Graph, path: str, layer: str | None, parted: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the path of each operator written out, with that of the layer that it belongs to."""
    for node in graph.topological():
        for name in node.names:
            full = f"{path}{name}"
            if node.body is None:
                yield full, layer or full
            else:
                is_layer = layer is None and node.body.kind == "block" and node.body.name in parted
                yield from _layers(node.body, f"{full}.", full if is_layer else layer, parted)


def _parts(body: Graph) -> bool:
    """Return whether a value is read more than once in a body, or in braces within it."""
    if any(len(readers) > 1 for readers in body.consumers.values()):
        return True
    inner = [node.body for node in body.topological() if node.body is not None]
    return any(one.kind == "group" and _parts(one) for one in inner)
