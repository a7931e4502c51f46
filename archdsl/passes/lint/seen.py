"""A quick lower estimate of receptive fields, which spares the exact analysis where a network sees enough."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TypeAlias

from archdsl.ir.walk import PerBody
from archdsl.ops.base import Op
from archdsl.ops.shape import Shape
from archdsl.passes.shapes import Shapes

# How many pixels a position sees beside itself, in steps of the body's input, and how far apart positions are.
_Reach: TypeAlias = "tuple[float, float]"


# The same for each input of a body that a value depends on, by its position.
_Reaches: TypeAlias = "dict[int, _Reach]"


def _body(shapes: Shapes, body: Callable[[Shapes], _Reaches]) -> _Reaches:
    return _nodes(shapes, body)[shapes.graph.main.node]


def _nodes(shapes: Shapes, body: Callable[[Shapes], _Reaches]) -> dict[str, _Reaches]:
    found: dict[str, _Reaches] = {}
    arriving = 0
    for node in shapes.graph.topological():
        if node.is_input:
            found[node.id] = {arriving: (0, 1)}
            arriving += 1
            continue
        sources = [found[value.node] for value in node.inputs]
        inner = shapes.inner.get(node.id)
        if inner is not None:
            steps = body(inner)
        else:
            steps = dict.fromkeys(range(len(sources)), _operator(node.op, shapes.inputs_of(node)))
        for _ in range(node.repeat):
            flowing: _Reaches = {}
            for position, (more, stride) in steps.items():
                for index, (before, apart) in sources[position].items():
                    reach = before + (more and more * apart), apart * stride
                    flowing[index] = max(flowing.get(index, reach), reach)
            sources = [flowing, *sources[1:]]
        found[node.id] = sources[0]
    return found


def _operator(op: Op | None, inputs: list[Shape]) -> _Reach:
    windows = op.windows(inputs) if op is not None else None
    if windows is None:
        return inf, 1
    narrow = min(windows, key=lambda window: window.dilation * (window.kernel - 1))
    return narrow.dilation * (narrow.kernel - 1), narrow.stride / narrow.up


def sees_at_least(shapes: Shapes, pixels: float) -> bool:
    """Return whether some feature map on the level of the model surely sees this many pixels of the image."""
    for name, reaches in _nodes(shapes, PerBody(_body)).items():
        shape = shapes.results[name].get("")
        more = max((more for more, _ in reaches.values()), default=0)
        if shape is not None and len(shape) == 3 and shape[1:] != (1, 1) and more + 1 >= pixels:
            return True
    return False
