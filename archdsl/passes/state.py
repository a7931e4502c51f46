"""State: the tensors that a network's state_dict holds, under torch's keys and in torch's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from archdsl.ir.graph import Node
from archdsl.ir.walk import PerBody
from archdsl.ops.base import Tensor
from archdsl.passes.shapes import Shapes

State = tuple[tuple[str, Tensor], ...]


def list_state(shapes: Shapes) -> State:
    """List the full key and the tensor of every entry of the state_dict, in order.

    A module's own tensors come before those of its children, as torch has it: an operator whose tensor is called ""
    is no module but a parameter of the level it stands in. A reused module is listed once.

    Requires: shapes without errors, all numbers. Ensures: each distinct body's keys are worked out once.
    """
    return PerBody[Shapes, State](_body)(shapes)


def is_at(key: str, path: str) -> bool:
    """Return whether a tensor is of the step or level at a path: a learned tensor's own key is its path."""
    return key == path or key.startswith(f"{path}.")


def list_shared(shapes: Shapes) -> frozenset[str]:
    """Return the keys of modules that are applied more than once, which torch may list under more than one name.

    Requires: shapes without errors, all numbers.
    """
    state = PerBody[Shapes, State](_body)

    def shared(shapes: Shapes, below: Callable[[Shapes], frozenset[str]]) -> frozenset[str]:
        reused = {node.reuses for node in shapes.graph.topological()}
        found: set[str] = set()
        for node in shapes.graph.topological():
            inner = shapes.inner.get(node.id)
            if node.is_input or node.reuses is not None:
                continue
            keys = below(inner) if inner is not None else frozenset[str]()
            if node.id in reused:
                tensors = state(inner) if inner is not None else _own(node, shapes)
                keys = frozenset(key for key, _ in tensors)
            found.update(f"{name}.{key}" if key else name for name in node.names for key in keys)
        return frozenset(found)

    return PerBody[Shapes, frozenset[str]](shared)(shapes)


def list_adaptable(shapes: Shapes) -> frozenset[str]:
    """Return the keys of convolutions' weights whose second axis counts the channels of one input.

    Requires: shapes without errors. Ensures: none of them is grouped or transposed.
    """
    return PerBody[Shapes, frozenset[str]](_adaptable)(shapes)


def _adaptable(shapes: Shapes, below: Callable[[Shapes], frozenset[str]]) -> frozenset[str]:
    found: set[str] = set()
    for node in shapes.graph.topological():
        if node.is_input or node.reuses is not None:
            continue
        if node.body is not None:
            keys = below(shapes.inner[node.id])
        else:
            assert node.op is not None
            inputs = shapes.inputs_of(node)
            linear = node.op.linear_map(inputs)
            is_plain = linear is not None and (linear.outputs, linear.inputs, linear.groups) == (0, 1, 1)
            sizes = {tensor.name: len(tensor.shape) for tensor in node.op.state(inputs)} if is_plain else {}
            keys = frozenset({"weight"} if sizes.get("weight", 0) > 2 else ())
        found.update(f"{name}.{key}" for name in node.names for key in keys)
    return frozenset(found)


class _Entry(NamedTuple):
    """An entry of the state_dict: the containers on the way to its module, and whether it has none of its own."""

    path: Sequence[str]
    is_own: bool
    item: tuple[str, Tensor]


def _body(shapes: Shapes, state: Callable[[Shapes], State]) -> State:
    own: list[_Entry] = []
    children: list[_Entry] = []
    for node in shapes.graph.topological():
        if node.is_input or node.reuses is not None:
            continue
        below = state(shapes.inner[node.id]) if node.body is not None else _own(node, shapes)
        for name in node.names:
            for key, tensor in below:
                full = f"{name}.{key}" if key else name
                (children if key else own).append(_Entry(tuple(name.split(".")), not key, (full, tensor)))
    return tuple(_in_containers([*own, *children]))


def _own(node: Node, shapes: Shapes) -> State:
    """List the tensors of an operator."""
    assert node.op is not None
    return tuple((tensor.name, tensor) for tensor in node.op.state(shapes.inputs_of(node)))


def _in_containers(entries: Sequence[_Entry]) -> list[tuple[str, Tensor]]:
    """Order entries as torch does where nodes lie in containers, since their names are dotted paths."""
    own = [entry.item for entry in entries if entry.is_own and len(entry.path) == 1]
    inside: dict[str, list[_Entry]] = {}
    for entry in entries:
        if len(entry.path) > 1 or not entry.is_own:
            inside.setdefault(entry.path[0], []).append(entry)
    for group in inside.values():
        if len(group[0].path) == 1:
            own += [entry.item for entry in group]
        else:
            own += _in_containers([entry._replace(path=entry.path[1:]) for entry in group])
    return own
