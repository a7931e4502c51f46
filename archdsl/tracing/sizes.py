"""Every image size that a network takes, with its numbers at each, and why it does not take the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archdsl.ops.shape import Shape
from archdsl.passes.shapes import Shapes
from archdsl.tracing.sized import Functions, SizedGraph, SizedRow

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
    """A network at every size tried: `legal` in ascending order, with its numbers at each, and `refused` ones.

    A size is the height in pixels of the first image; all images keep their proportions. Without an image there is one
    legal size, 0, for the declared inputs.
    """

    legal: tuple[int, ...]
    rows: tuple[SizedRow, ...]
    body: SizedGraph
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
    functions = Functions()
    image = next((shape for shape in shapes.inputs if len(shape) == 3), None)
    if image is None:
        body, dims = functions.of(shapes.graph, shapes.inputs)
        return Sizes((0,), (body(*dims),), body, {}, 0)
    declared = image.numbers()[1]
    last = max(declared, min(max(2 * declared, _SMALLEST_RANGE), _LARGEST_RANGE))
    legal: dict[int, SizedRow] = {}
    refused: dict[int, Refusal] = {}
    tried = range(1, last + 1) if last <= _MOST_SIZES else [*range(1, _SMALLEST_RANGE + 1), declared]
    for size in tried:
        inputs = _scaled(shapes.inputs, size, declared)
        if inputs is None:
            refused[size] = Refusal()
            continue
        body, dims = functions.of(shapes.graph, inputs)
        row = body(*dims)
        if row.refusal is not None:
            refused[size] = Refusal(*row.refusal)
        else:
            legal[size] = row
    body, _ = functions.of(shapes.graph, shapes.inputs)
    return Sizes(tuple(legal), tuple(legal.values()), body, refused, declared)


def _scaled(inputs: Sequence[Shape], size: int, declared: int) -> list[Shape] | None:
    """Resize the images among the inputs so; None where one would not be a whole number of pixels."""
    found: list[Shape] = []
    for shape in inputs:
        if len(shape) != 3:
            found.append(shape)
            continue
        channels, *sizes = shape.numbers()
        if any(own * size % declared for own in sizes):
            return None
        found.append(Shape(channels, *[own * size // declared for own in sizes]))
    return found
