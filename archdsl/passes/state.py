"""State: the tensors that a network's state_dict holds, under torch's keys and in torch's order."""

from __future__ import annotations

from collections.abc import Callable

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


def _body(shapes: Shapes, state: Callable[[Shapes], State]) -> State:
    own: list[tuple[str, Tensor]] = []
    children: list[tuple[str, Tensor]] = []
    for node in shapes.graph.topological():
        if node.is_input or node.reuses is not None:
            continue
        if node.body is not None:
            below = state(shapes.inner[node.id])
        else:
            assert node.op is not None
            below = tuple((tensor.name, tensor) for tensor in node.op.state(shapes.inputs_of(node)))
        for name in node.names:
            for key, tensor in below:
                (children if key else own).append((f"{name}.{key}" if key else name, tensor))
    return (*own, *children)
