"""Receptive fields: the part of each input that an element of each value depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from archdsl.ir.graph import Graph, Node, NodeId, Value
from archdsl.ir.walk import PerBody
from archdsl.ops.base import Op
from archdsl.ops.shape import Shape
from archdsl.passes.reach import HERE, Reach, chain, of_window, repeated, unite
from archdsl.passes.shapes import Shapes
from archdsl.text.record import record

# Rows and columns; None is the whole axis.
View: TypeAlias = tuple[Reach | None, Reach | None]
# The tensor's axes that hold the image's rows and columns; None where it has none.
Axes: TypeAlias = tuple[int, int] | None

POINTS: View = (HERE, HERE)
EVERYTHING: View = (None, None)
_IMAGE_AXES = (1, 2)


@record
class ReceptiveField:
    """What one element sees of an input, (height, width); an axis that is seen whole has None.

    `size` in input pixels, over the widest phase where an operator enlarges; `stride` in input pixels between
    neighbouring elements; `centre` is the middle of what the first element sees, where the first pixel's centre is 0.
    Borders are left aside: a field may exceed the image.
    """

    size: tuple[int | None, int | None]
    stride: tuple[Fraction | None, Fraction | None]
    centre: tuple[Fraction | None, Fraction | None]

    @property
    def is_bounded(self) -> bool:
        """Whether neither axis is seen whole."""
        return None not in self.size

    @staticmethod
    def of(view: View) -> ReceptiveField:
        """Return the figures of a view."""
        rows, columns = view
        return ReceptiveField(
            (rows and rows.size, columns and columns.size),
            (rows and rows.stride, columns and columns.stride),
            (rows and rows.centre, columns and columns.centre),
        )


@record
class Seen:
    """What a value sees of a body's inputs, by position; an input that it does not depend on is left out."""

    views: Mapping[int, View]
    axes: Axes


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """What every value in one body sees of the body's own inputs. Equal calls share one table.

    `results` maps each node to its outputs by name; for a repeated node they are those of the last repetition.
    `inner` maps a call to the table of its body, relative to the body's inputs. `arriving` is what the body's inputs
    see themselves: of the network's inputs, for the outermost table.
    """

    shapes: Shapes
    arriving: tuple[Seen, ...]
    results: Mapping[NodeId, Mapping[str, Seen]]
    inner: Mapping[NodeId, Fields]

    def of(self, value: Value) -> Mapping[str, ReceptiveField]:
        """Map the names of the inputs that a value depends on to what it sees of them."""
        return self._absolute(self.results[value.node][value.output], self.arriving)

    @property
    def outputs(self) -> Mapping[str, Mapping[str, ReceptiveField]]:
        """Map each output's name to its fields by input."""
        return MappingProxyType({output.name: self.of(output.value) for output in self.shapes.graph.outputs})

    def walk(self) -> Iterator[tuple[str, Mapping[str, ReceptiveField]]]:
        """Yield the path and the main output's fields of every node once all bodies are written out."""
        for path, seen in _walk(self, self.arriving, ""):
            yield path, self._absolute(seen, None)

    def last_feature_map(self) -> Mapping[str, ReceptiveField]:
        """Return the fields of the last map before the image is summarised or flattened on every way to the output.

        For a classifier this is what enters its global pooling; a gate that pools beside the trunk does not count.
        Without such a step, the fields of the main output.
        """
        seen = _before_head(self, self.arriving)
        if seen is None:
            return self.of(self.shapes.graph.main)
        return self._absolute(seen, None)

    def _absolute(self, seen: Seen, arriving: Sequence[Seen] | None) -> Mapping[str, ReceptiveField]:
        views = (_through(seen, arriving) if arriving is not None else seen).views
        names = [node.id for node in self.shapes.graph.inputs]
        return MappingProxyType({names[index]: ReceptiveField.of(view) for index, view in sorted(views.items())})


def receptive_fields(shapes: Shapes) -> Fields:
    """Return what every value sees of the network's inputs.

    A branch joins as the union of intervals, so that a field is that of its widest path, holes filled. Norms do not
    count as seeing the image. A dense layer sees every element of the axis that it acts on.

    Requires: shapes without errors, all numbers. Ensures: each distinct body is worked out once, as a function of its
    inputs, and n repetitions in about log n steps.
    """
    arriving = tuple(
        Seen({index: POINTS if len(shape) == 3 else EVERYTHING}, _axes_of(shape))
        for index, shape in enumerate(shapes.inputs)
    )
    table = PerBody[_Arrival, Fields](_body)(_Arrival(shapes, tuple(seen.axes for seen in arriving)))
    return Fields(shapes, arriving, table.results, table.inner)


class _Arrival(NamedTuple):
    """A body, and where the image's axes are in what arrives at its inputs."""

    shapes: Shapes
    axes: tuple[Axes, ...]


def _body(arrival: _Arrival, inside: Callable[[_Arrival], Fields]) -> Fields:
    shapes = arrival.shapes
    arriving = tuple(Seen({index: POINTS}, at) for index, at in enumerate(arrival.axes))
    results: dict[NodeId, Mapping[str, Seen]] = {}
    inner: dict[NodeId, Fields] = {}
    entries = iter(arriving)
    for node in shapes.graph.topological():
        if node.is_input:
            results[node.id] = {"": next(entries)}
            continue
        sources = [results[value.node][value.output] for value in node.inputs]
        if node.body is None:
            results[node.id] = {"": _operator(node, shapes, sources, node.repeat)}
            continue
        inner[node.id] = inside(_Arrival(shapes.inner[node.id], tuple(source.axes for source in sources)))
        results[node.id] = _call(node, inner[node.id], sources, inside)
    return Fields(shapes, arriving, MappingProxyType(results), MappingProxyType(inner))


def _call(
    node: Node, table: Fields, sources: Sequence[Seen], inside: Callable[[_Arrival], Fields]
) -> Mapping[str, Seen]:
    found = _outputs(table)
    if node.repeat > 1 and found[""].axes == sources[0].axes:
        found = {"": _repeat(found[""], node.repeat, table.arriving)}
        return {name: _through(seen, sources) for name, seen in found.items()}
    results = {name: _through(seen, sources) for name, seen in found.items()}
    for _ in range(node.repeat - 1):
        flowing = [results[""], *sources[1:]]
        again = inside(_Arrival(table.shapes, tuple(source.axes for source in flowing)))
        results = {"": _through(_outputs(again)[""], flowing)}
    return results


def _outputs(table: Fields) -> dict[str, Seen]:
    graph = table.shapes.graph
    places = {"": graph.main, **{output.name: output.value for output in graph.outputs}}
    return {name: table.results[value.node][value.output] for name, value in places.items()}


def _repeat(seen: Seen, times: int, arriving: Sequence[Seen]) -> Seen:
    """Hand a result on as the first input some times, where the other inputs stay what they are."""
    if seen.views.keys() <= {0}:
        return Seen({i: (repeated(v[0], times), repeated(v[1], times)) for i, v in seen.views.items()}, seen.axes)
    total = arriving[0]
    while times:
        if times % 2:
            total = _through(seen, [total, *arriving[1:]])
        seen, times = _through(seen, [seen, *arriving[1:]]), times // 2
    return total


def _through(seen: Seen, sources: Sequence[Seen]) -> Seen:
    """Express what a value sees of a body's inputs by what these see themselves."""
    views: dict[int, View] = {}
    for index, inside in seen.views.items():
        for outer, before in sources[index].views.items():
            view = (chain(before[0], inside[0]), chain(before[1], inside[1]))
            views[outer] = _union(views[outer], view) if outer in views else view
    return Seen(views, seen.axes)


def _union(one: View, other: View) -> View:
    return unite(one[0], other[0]), unite(one[1], other[1])


def _axes_of(shape: Shape) -> Axes:
    return _IMAGE_AXES if len(shape) == 3 else None


def _operator(node: Node, shapes: Shapes, sources: Sequence[Seen], times: int) -> Seen:
    """Apply an operator some times."""
    assert node.op is not None
    inputs, output = shapes.inputs_of(node), shapes.results[node.id][""]
    if node.op.is_source:
        return Seen({}, _axes_of(output))
    seen = reduce(_join, sources)
    step, axes = _step(node.op, inputs, output, seen.axes)
    if axes == seen.axes and len(sources) == 1:
        return _through(_repeat(Seen({0: step}, axes), times, [seen]), [seen])
    result = _through(Seen({0: step}, axes), [seen])
    for _ in range(times - 1):
        again = reduce(_join, [result, *sources[1:]])
        step, axes = _step(node.op, inputs, output, again.axes)
        result, before = _through(Seen({0: step}, axes), [again]), result
        if result == before:
            break
    return result


def _join(one: Seen, other: Seen) -> Seen:
    if not (one.views and other.views):  # what sees no image has no say in where its axes are
        return one if one.views else other
    views = dict(one.views)
    for index, view in other.views.items():
        views[index] = _union(views[index], view) if index in views else view
    if one.axes != other.axes:  # rows meet columns or vectors: a position means nothing any more
        views = dict.fromkeys(views, EVERYTHING)
    return Seen(views, one.axes or other.axes)


def _step(op: Op, inputs: Sequence[Shape], output: Shape, axes: Axes) -> tuple[View, Axes]:
    """Return what an operator's output sees of its input, and where the image's axes are afterwards."""
    shape = inputs[0]
    order = op.axis_order()
    if order is not None and axes is not None:
        return POINTS, (order.index(axes[0]), order.index(axes[1]))
    linear, windows = op.linear_map(inputs), op.windows(inputs)
    if axes is None and linear is not None:  # whatever made the vector has joined the positions already
        return POINTS, None
    if windows is None:
        return EVERYTHING, _axes_of(output)
    if axes is None:
        return POINTS, None
    if len(output) != len(shape):
        is_point = all(shape[axis] == 1 for axis in axes)
        return (POINTS if is_point else EVERYTHING), _axes_of(output)
    reaches: dict[int, Reach | None] = dict(zip(_IMAGE_AXES, map(of_window, windows), strict=True))
    if linear is not None and (linear.groups == 1 or linear.groups < shape.numbers()[linear.axis]):
        reaches[linear.axis] = None
    return (reaches.get(axes[0], HERE), reaches.get(axes[1], HERE)), axes


def _walk(table: Fields, arriving: Sequence[Seen], path: str) -> Iterator[tuple[str, Seen]]:
    found: dict[Value, Seen] = {}
    entries = iter(arriving)
    for node in table.shapes.graph.topological():
        if node.is_input:
            found[Value(node.id)] = next(entries)
            continue
        sources = [found[value] for value in node.inputs]
        for name in node.names:
            if node.body is None:
                results = {"": _operator(node, table.shapes, sources, 1)}
            else:
                results = {key: _through(seen, sources) for key, seen in _outputs(table.inner[node.id]).items()}
            yield f"{path}{name}", results[""]
            if node.body is not None:
                yield from _walk(table.inner[node.id], sources, f"{path}{name}.")
            sources = [results[""], *sources[1:]]
            found.update({Value(node.id, key): seen for key, seen in results.items()})


def _before_head(table: Fields, arriving: Sequence[Seen]) -> Seen | None:
    """Find what enters the first step on every way to the main output that summarises or flattens the image."""
    for node in _bottlenecks(table.shapes.graph):
        sources = [_through(table.results[value.node][value.output], arriving) for value in node.inputs]
        if node.body is None and _ends_image(node, table.shapes):
            return sources[0]
        if node.body is not None and (found := _before_head(table.inner[node.id], sources)) is not None:
            return found
    return None


def _ends_image(node: Node, shapes: Shapes) -> bool:
    assert node.op is not None
    inputs, output = shapes.inputs_of(node), shapes.results[node.id][""]
    return len(inputs) == 1 and len(inputs[0]) == 3 and (node.op.windows(inputs) is None or len(output) != 3)


def _bottlenecks(graph: Graph) -> Iterator[Node]:
    """Yield the nodes that everything on its way to the main output passes, in order."""
    order = {name: index for index, name in enumerate(graph.nodes)}
    needed = {graph.main.node}
    for node in reversed(list(graph.topological())):
        if node.id in needed:
            needed.update(value.node for value in node.inputs)
    last_reader = {
        name: max((order[reader.id] for reader in graph.consumers[name] if reader.id in needed), default=order[name])
        for name in needed
    }
    furthest = -1
    for node in graph.topological():
        if node.id not in needed:
            continue
        if not node.is_input and furthest <= order[node.id]:
            yield node
        furthest = max(furthest, last_reader[node.id])
