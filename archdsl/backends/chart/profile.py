"""A network by depth: its layers one after the other with their costs, and the stages that they make up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from archdsl.backends.summary import operators
from archdsl.ir.graph import Node
from archdsl.ops.shape import Shape
from archdsl.passes.receptive import ReceptiveField, receptive_fields
from archdsl.passes.shapes import Shapes
from archdsl.passes.tables import Tables

_FEWEST_STAGES, _LARGEST_PART = 4, 0.5
_WEIGHTED = ("conv", "linear")


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution or fully connected layer, with the norms, activations and pools up to the next one.

    Costs are for one image. `field` is the side in pixels of what its output sees of the first input; None where that
    is the whole image.
    """

    path: str
    op: str
    macs: int
    parameters: int
    activation_bytes: int
    field: int | None


@dataclass(frozen=True, slots=True)
class Section:
    """Layers that belong together: from position `first`, counted from 0, to before `last`."""

    name: str
    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first


@dataclass(frozen=True, slots=True)
class Profile:
    """A network by depth. `side` is the longer side of the first input in pixels; None where it is no image."""

    name: str
    layers: tuple[Layer, ...]
    stages: tuple[Section, ...]
    side: int | None


def profile(name: str, tables: Tables) -> Profile:
    """Return a network by depth, in the order of the text.

    Requires: shapes without errors, all numbers. Ensures: the layers' costs add up to the network's.
    """
    shapes = tables.shapes
    fields = {path: _side(seen) for path, seen in receptive_fields(shapes).walk()}
    layers: list[Layer] = []
    waiting = Layer("", "", 0, 0, 0, None)
    for row in operators(tables):
        cost = row.costs
        keyword = row.node.op.keyword if row.node.op is not None else ""
        own = Layer(row.path, keyword, cost.macs, cost.parameters, cost.activation_bytes, fields.get(row.path))
        if row.node.op is not None and row.node.op.category in _WEIGHTED:
            layers.append(_both(own, waiting))
            waiting = Layer("", "", 0, 0, 0, None)
        elif layers:
            layers[-1] = _both(layers[-1], own)
        else:
            waiting = _both(waiting, own)
    if not layers:
        layers = [replace(waiting, path=name)]
    image = shapes.inputs[0] if shapes.inputs else Shape()
    side = max(image.numbers()[1:]) if len(image) == 3 else None
    return Profile(name, tuple(layers), tuple(_stages(shapes, layers)), side)


def _both(one: Layer, other: Layer) -> Layer:
    return replace(
        one,
        macs=one.macs + other.macs,
        parameters=one.parameters + other.parameters,
        activation_bytes=one.activation_bytes + other.activation_bytes,
    )


def _side(seen: Mapping[str, ReceptiveField]) -> int | None:
    field = next(iter(seen.values()), None)
    if field is None or None in field.size:
        return None
    return max(size for size in field.size if size is not None)


@dataclass(frozen=True, slots=True)
class _Part:
    """A step of some level, with the layers inside it; `inside` is None for operators."""

    path: str
    name: str
    is_counted: bool
    size: int
    output: Shape
    inside: Shapes | None


def _stages(shapes: Shapes, layers: Sequence[Layer]) -> Iterator[Section]:
    """Split the network where its text does, as far down as it takes for stages of some size."""
    parts = list(_parts(shapes, ""))
    total = max(sum(part.size for part in parts), 1)
    while True:
        large = [p for p in parts if p.inside is not None and p.size > _LARGEST_PART * total]
        if not large or len(_merged(parts)) >= 3 * _FEWEST_STAGES:
            break
        part = large[0]
        assert part.inside is not None
        inner = list(_parts(part.inside, f"{part.path}."))
        at = parts.index(part)
        parts[at : at + 1] = inner
    first = 0
    for part in _merged(parts):
        last = min(first + part.size, len(layers))
        if last > first:
            prefix = part.path.removesuffix(part.path.rpartition(".")[2])
            yield Section(f"{prefix}{part.name}", first, last)
        first = last


def _parts(shapes: Shapes, prefix: str) -> Iterator[_Part]:
    for node in shapes.graph.topological():
        if node.is_input:
            continue
        size = _count(node)
        for name in node.names:
            output = shapes.results[node.id][""]
            yield _Part(prefix + name, name, not node.is_labelled, size, output, shapes.inner.get(node.id))


def _count(node: Node) -> int:
    if node.body is None:
        return int(node.op is not None and node.op.category in _WEIGHTED)
    return sum(_count(inner) * inner.repeat for inner in node.body.topological())


def _merged(parts: Sequence[_Part]) -> list[_Part]:
    """Join neighbours without labels whose outputs have one size, and give those with layers."""
    merged: list[_Part] = []
    for part in parts:
        last = merged[-1] if merged else None
        if last is not None and last.is_counted and part.is_counted and last.output[1:] == part.output[1:]:
            named = _range(last.name, part.name) if last.size and part.size else part.name if part.size else last.name
            merged[-1] = replace(last, name=named, size=last.size + part.size)
        else:
            merged.append(part)
    return [part for part in merged if part.size]


def _range(first: str, last: str) -> str:
    start = "".join(takewhile(lambda c: c not in "–…", first))
    return f"{start}–{last}" if last.isdecimal() else f"{start}…{last}"
