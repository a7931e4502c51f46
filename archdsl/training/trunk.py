"""A network cut in two: the trunk, in which training changes nothing, and the rest, which reads what it gives."""

# networkx is known to its own room alone, and its graphs' attributes are any objects.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import nn

from archdsl.api import from_networkx
from archdsl.ir.value import Output, Value
from archdsl.network import Network
from archdsl.ops.shape import Shape
from archdsl.ops.sugar import image_input
from archdsl.text.error import SpecError

if TYPE_CHECKING:
    from networkx import MultiDiGraph


@dataclass(frozen=True, eq=False)
class Cut:
    """The two parts of a network, whose keys are the network's.

    The trunk takes the image, and its outputs are `values`, shapes without the batch. The rest takes those, and gives
    the network's outputs.
    """

    trunk: Network
    rest: Network
    values: tuple[Shape, ...]


def cut(network: Network) -> Cut | str:
    """Cut a network behind all that no step of training changes, neither itself nor what it gives for an image.

    That is what is frozen or has no weights, does in training what it does in evaluation, and reads nothing else.
    Return why not, where nothing with weights is so.
    """
    flat = network.flatten()
    fixed, constant = _unchanging(flat)
    while True:
        ends = [node for node in flat if node in fixed and _is_read_outside(flat, node, fixed)]
        # An input has its channels first: what has them elsewhere is left to the rest, which knows where they are.
        moved = [node for node in ends if flat.nodes[node]["op"].category != "input" and _is_moved(flat, node)]
        if not moved:
            break
        fixed -= {*moved}
    if not any(flat.nodes[node]["tensors"] for node in fixed):
        first = next((n for n in flat if n not in fixed | constant and flat.nodes[n]["tensors"]), "")
        return f"nothing with weights is frozen before the first step that learns, `{first}`"
    reused = next((node for node in flat if node not in fixed and flat.nodes[node].get("reuses") in fixed), None)
    if reused is not None:
        return f"`{reused}` applies the weights of `{flat.nodes[reused]['reuses']}`, which come before it, once more"
    try:
        return _cut(flat, fixed, constant, ends)
    except SpecError as error:
        return f"the network cannot be cut there: {error.diagnostics[0].message}"


def bound(part: Network, whole: nn.Module) -> nn.Module:
    """Build a part of a network as a module that has the parameters and buffers of the whole network's module."""
    from archdsl.backends.torch.build import build

    tensors = {
        **dict(whole.named_parameters(remove_duplicate=False)),
        **dict(whole.named_buffers(remove_duplicate=False)),
    }
    made = build(part.source(), part.name)
    for path, module in made.named_modules():
        before = f"{path}." if path else ""
        own = [name for name, _ in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False))]
        for name in own:
            setattr(module, name, tensors[before + name])
    return made.train(whole.training)


def _unchanging(flat: MultiDiGraph[str]) -> tuple[set[str], set[str]]:
    """Return the nodes that follow from the image alone and stay so, and those that follow from nothing at all."""
    fixed: set[str] = set()
    constant: set[str] = set()
    for node in flat:
        data = flat.nodes[node]
        op = data["op"]
        if op.category == "input":
            fixed.add(node)
            continue
        owner = flat.nodes[data.get("reuses", node)]
        learns = any(tensor.kind == "parameter" for tensor in owner["tensors"])
        if not data.get("frozen", False) and (learns or op.differs_in_training()):
            continue
        before = {*flat.predecessors(node)}
        if before <= constant:
            constant.add(node)
        elif before <= fixed | constant:
            fixed.add(node)
    return fixed, constant


def _is_read_outside(flat: MultiDiGraph[str], node: str, fixed: set[str]) -> bool:
    outputs: Sequence[Output] = flat.graph["outputs"]
    return any(after not in fixed for after in flat.successors(node)) or any(o.value.node == node for o in outputs)


def _is_moved(flat: MultiDiGraph[str], node: str) -> bool:
    shape: Shape = flat.nodes[node]["shapes"][""]
    return shape != Shape(*shape) or shape.axis != Shape(*shape).axis


def _cut(flat: MultiDiGraph[str], fixed: set[str], constant: set[str], ends: Sequence[str]) -> Cut:
    shapes: tuple[Shape, ...] = tuple(flat.nodes[node]["shapes"][""] for node in ends)
    trunk = _part(flat, [node for node in flat if node in fixed | constant], {})
    trunk.graph["outputs"] = tuple(Output(f"value{i}" if i else "", Value(node)) for i, node in enumerate(ends))
    names = {node: _unused(flat, f"value{i}") for i, node in enumerate(ends)}
    rest = _part(flat, [node for node in flat if node not in fixed], names)
    for name, shape in zip(names.values(), shapes, strict=True):
        rest.nodes[name]["op"] = image_input(shape.numbers())
    outputs: Sequence[Output] = flat.graph["outputs"]
    moved = [o._replace(value=Value(names.get(o.value.node, o.value.node))) for o in outputs]
    rest.graph["outputs"] = tuple(moved)
    return Cut(from_networkx(_needed(trunk)), from_networkx(_needed(rest)), shapes)


def _part(flat: MultiDiGraph[str], nodes: Iterable[str], entries: dict[str, str]) -> MultiDiGraph[str]:
    """Return a graph of some nodes, before them one for each of those that `entries` names anew."""
    kept = [*nodes]
    part: MultiDiGraph[str] = type(flat)()
    part.graph.update({key: flat.graph[key] for key in ("name", "kind", "span")})
    part.add_nodes_from(entries.values())
    part.add_nodes_from((node, _plain(flat.nodes[node])) for node in kept)
    names = {**{node: node for node in kept}, **entries}
    for source, target, data in flat.edges(data=True):
        if source in names and target in part:
            part.add_edge(names[source], target, port=data["port"])
    return part


def _plain(data: dict[str, Any]) -> dict[str, object]:
    return {key: data[key] for key in ("op", "frozen", "reuses", "labelled", "span") if key in data}


def _needed(part: MultiDiGraph[str]) -> MultiDiGraph[str]:
    """Leave out constants that no output follows from, which the other part reads."""
    outputs: Sequence[Output] = part.graph["outputs"]
    left, needed = [output.value.node for output in outputs], set[str]()
    while left:
        node = left.pop()
        if node not in needed:
            needed.add(node)
            left += part.predecessors(node)
    part.remove_nodes_from([n for n in part if n not in needed and part.nodes[n]["op"].category != "input"])
    return part


def _unused(flat: MultiDiGraph[str], name: str) -> str:
    taken = {node.partition(".")[0] for node in flat}
    while name in taken:
        name += "_"
    return name
