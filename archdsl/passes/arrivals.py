"""What reaches linear maps: the image itself, or a feature map that was made flat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from archdsl.ir.graph import Node, Value
from archdsl.ir.walk import PerBody
from archdsl.ops.shape import Shape
from archdsl.passes.shapes import Shapes

_MAP = 3
"""The axes of a feature map: channels, height and width."""


class _Image(NamedTuple):
    """The network's input, with the channels that it has there."""


_Origin: TypeAlias = "_Image | Shape | None"
"""What a value is besides its shape: the image, a flat map whose shape this was, or nothing of both."""


@dataclass(frozen=True)
class Arrivals:
    """The weights of linear maps by what they are applied to."""

    entrance: frozenset[str]
    """Keys of those of convolutions that see the channels of the network's input."""
    flattened: Mapping[str, Shape]
    """The shapes of the maps that reach the others as one row of numbers, by key."""


def find_arrivals(shapes: Shapes) -> Arrivals:
    """Return what reaches the linear maps of a network whose weights have the outputs first.

    Pools, norms and whatever else leaves the channels as they are pass the image on; what keeps a row of numbers as
    long as it is, such as dropout, passes that on.

    Requires: shapes without errors, all numbers. Ensures: a body is looked at once for equal arrivals.
    """
    arriving = tuple(_Image() if len(shape) == _MAP else None for shape in shapes.inputs)
    found = PerBody[_Entered, _Passed](_passed)(_Entered(shapes, arriving))
    return Arrivals(frozenset(found.entrance), found.flattened)


class _Entered(NamedTuple):
    """A body, and what arrives at it."""

    shapes: Shapes
    arriving: tuple[_Origin, ...]


@dataclass
class _Passed:
    """What is found in a body, and what its outputs are."""

    outputs: dict[str, _Origin] = field(default_factory=dict[str, "_Origin"])
    entrance: list[str] = field(default_factory=list[str])
    flattened: dict[str, Shape] = field(default_factory=dict[str, Shape])


def _passed(entered: _Entered, below: Callable[[_Entered], _Passed]) -> _Passed:
    shapes, found = entered.shapes, _Passed()
    origins: dict[Value, _Origin] = {}
    arriving = iter(entered.arriving)
    for node in shapes.graph.topological():
        if node.is_input:
            origins[Value(node.id)] = next(arriving)
            continue
        sources = [origins[value] for value in node.inputs]
        for name in node.names:
            results: dict[str, _Origin] = {}
            if node.body is not None:
                inside = below(_Entered(shapes.inner[node.id], tuple(sources)))
                results = inside.outputs
                if node.reuses is None:
                    found.entrance += [f"{name}.{key}" for key in inside.entrance]
                    found.flattened |= {f"{name}.{key}": shape for key, shape in inside.flattened.items()}
            else:
                results = {"": _after(node, shapes, sources)}
                if sources and node.reuses is None:
                    _note(name, node, shapes, sources[0], found)
            sources = [results[""], *sources[1:]]
            origins |= {Value(node.id, output): origin for output, origin in results.items()}
    named = {output.name: origins[output.value] for output in shapes.graph.outputs}
    found.outputs = {"": origins[shapes.graph.main], **named}
    return found


def _note(name: str, node: Node, shapes: Shapes, origin: _Origin, found: _Passed) -> None:
    assert node.op is not None
    inputs = shapes.inputs_of(node)
    linear = node.op.linear_map(inputs)
    sizes = {tensor.name: len(tensor.shape) for tensor in node.op.state(inputs)}
    if linear is None or linear.outputs != 0 or "weight" not in sizes:
        return
    if isinstance(origin, _Image):
        found.entrance.append(f"{name}.weight")
    elif origin is not None and sizes["weight"] == 2:
        found.flattened[f"{name}.weight"] = origin


def _after(node: Node, shapes: Shapes, sources: list[_Origin]) -> _Origin:
    """Return what an operator's result is, of what it reads."""
    op, inputs = node.op, shapes.inputs_of(node)
    assert op is not None
    if len(inputs) != 1 or op.linear_map(inputs) is not None:
        return None
    (before,), after = inputs, shapes.of(Value(node.id))
    if op.shares_memory and len(before) == _MAP and len(after) == 1:
        return before
    is_kept = after[:1] == before[:1] and len(after) == len(before)
    return sources[0] if is_kept and (len(after) == _MAP or after == before) else None
