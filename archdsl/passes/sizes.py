"""Every image size that a network takes, with its tables at each, and why it does not take the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from archdsl.ir.graph import Graph
from archdsl.ir.walk import PerBody
from archdsl.ops.shape import Shape, Size
from archdsl.passes.costs import Costs, count_costs, counter
from archdsl.passes.shapes import Known, Shapes, infer_shapes
from archdsl.passes.tables import Tables

_SMALLEST_RANGE, _LARGEST_RANGE = 256, 1024
"""Sizes are tried to twice the declared one, but to these at least and at most."""
_MOST_SIZES = 2048
"""Below a larger declared size only those of the smallest range are tried."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a size is illegal: the code of the broken rule, and the path of the node that breaks it.

    Without a code the inputs would not keep their proportions.
    """

    code: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Sizes:
    """A network at every size tried: `legal` in ascending order, with the tables at each, and `refused` ones.

    A size is the height in pixels of the first image; all images keep their proportions. Without an image there is one
    legal size, 0, for the declared inputs.
    """

    legal: tuple[int, ...]
    tables: tuple[Tables, ...]
    refused: dict[int, Refusal]
    declared: int

    @property
    def start(self) -> int:
        """Return the index in `legal` of the declared size."""
        return self.legal.index(self.declared)


def all_sizes(shapes: Shapes) -> Sizes:
    """Work the network out at each size up to twice the declared one, 256 at least and 1024 at most, and at that one.

    Bodies that see the same sizes at several of them are worked out once, which makes a size cost little.

    Requires: shapes without errors, all numbers. Ensures: the declared size is legal.
    """
    image = next((shape for shape in shapes.inputs if len(shape) == 3), None)
    if image is None:
        return Sizes((0,), (Tables(shapes, count_costs(shapes)),), {}, 0)
    declared = image.numbers()[1]
    last = max(declared, min(max(2 * declared, _SMALLEST_RANGE), _LARGEST_RANGE))
    run = _Attempts(shapes.graph, {}, counter())
    legal: dict[int, Tables] = {}
    refused: dict[int, Refusal] = {}
    tried = range(1, last + 1) if last <= _MOST_SIZES else [*range(1, _SMALLEST_RANGE + 1), declared]
    for size in tried:
        inputs = _scaled(shapes.inputs, Fraction(size, declared))
        found = Refusal() if inputs is None else run.at(inputs)
        if isinstance(found, Refusal):
            refused[size] = found
        else:
            legal[size] = found
    return Sizes(tuple(legal), tuple(legal.values()), refused, declared)


def _scaled(inputs: Sequence[Shape], factor: Fraction) -> list[Shape] | None:
    """Resize the images among the inputs; None where one would not be a whole number of pixels."""
    found: list[Shape] = []
    for shape in inputs:
        if len(shape) != 3:
            found.append(shape)
            continue
        channels, *sizes = shape.numbers()
        scaled = [size * factor for size in sizes]
        if any(size.denominator != 1 for size in scaled):
            return None
        whole: list[Size] = [size.numerator for size in scaled]
        found.append(Shape(channels, *whole))
    return found


@dataclass(frozen=True, slots=True)
class _Attempts:
    graph: Graph
    known: Known
    count: PerBody[Shapes, Costs]

    def at(self, inputs: Sequence[Shape]) -> Tables | Refusal:
        shapes, misfits = infer_shapes(self.graph, inputs, self.known)
        if not misfits:
            return Tables(shapes, self.count(shapes))
        return Refusal(misfits[0].trouble.code, ".".join(_gap(shapes)))


def _gap(shapes: Shapes) -> Sequence[str]:
    """Return the path of the first node that has no shape although its inputs have theirs."""
    results = shapes.results
    for node in shapes.graph.topological():
        if node.id not in results and all(v.output in results.get(v.node, ()) for v in node.inputs):
            return node.id, *(_gap(shapes.inner[node.id]) if node.id in shapes.inner else ())
    return ()
