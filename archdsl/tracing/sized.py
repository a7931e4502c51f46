"""A network's numbers at many image sizes: each body as a function of the sizes that enter it, noted once."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# Traced numbers pass for plain ones, which no type can say.

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast

from archdsl.ir.graph import Graph, Node, NodeId, Value
from archdsl.ir.walk import PerBody
from archdsl.ops.shape import Shape
from archdsl.passes.costs import Costs, Total, count_body
from archdsl.passes.shapes import Inferrer, Shapes, infer_shapes
from archdsl.tracing.recorder import Recorder, Traced, plain
from archdsl.tracing.replay import Program, program

_IMAGE_AXES = 3


class SizedRow:
    """A body's numbers at one size. Compared by identity: bodies that see the same sizes share one."""

    __slots__ = ("inner", "numbers", "refusal")

    def __init__(self, numbers: tuple[int, ...], inner: tuple[SizedRow, ...], refusal: tuple[str, str] | None) -> None:
        self.numbers, self.inner, self.refusal = numbers, inner, refusal

    def read(self, count: int) -> tuple[int, ...]:
        """Return its first numbers: the sizes of its outputs and its costs."""
        return self.numbers[:count]


class SizedGraph:
    """One body as a function from the sizes that follow the image's to all its numbers.

    `places` says where in a row the sizes of each value are, `costs` where the costs of each node begin, in the order
    of `Total`, and `calls` which of the rows inside is a call's.
    """

    def __init__(self, graph: Graph, inputs: Sequence[Shape], of: Functions) -> None:
        self.graph, self.functions = graph, of
        self._inputs = tuple(inputs)
        self._ways: list[tuple[Program, tuple[str, str] | None, int]] = []
        self._known: dict[tuple[int, ...], SizedRow] = {}
        self.places: dict[Value, slice] = {}
        self.costs: dict[NodeId, int] = {}
        self.calls: dict[NodeId, int] = {}
        self.outputs: Mapping[str, Shape] = {}

    def __call__(self, *dims: int) -> SizedRow:
        row = self._known.get(dims)
        if row is None:
            row = self._known[dims] = self._row(dims)
        return row

    def _row(self, dims: tuple[int, ...]) -> SizedRow:
        for made, refusal, count in self._ways:
            found = made(*dims)
            if found is not None:
                return SizedRow(found[:-count] if count else found, found[len(found) - count :], refusal)
        recorder = Recorder(dims)
        recorder.is_unread = True
        left = iter([recorder.at(place) for place in recorder.parameters])
        inputs = [_filled(shape, left) for shape in self._inputs]
        run = _SizedInferrer(recorder, self.functions, self.graph)
        refusal: tuple[str, str] | None = None
        numbers: list[Any] = []
        try:
            shapes = run.table(self.graph, tuple(inputs), None)
            if run.misfits:
                first = run.misfits[0]
                refusal = first.trouble.code, first.node.id
            else:
                numbers = self._numbers(shapes, run)
        except _Refused as refused:
            first = run.misfits[0] if run.misfits else None
            refusal = refused.refusal if first is None else (first.trouble.code, first.node.id)
        rows = [recorder.at(place) for place in run.rows]
        made = program(recorder, [*numbers, *rows], recorder.guards)
        self._ways.append((made, refusal, len(rows)))
        return SizedRow(tuple(map(plain, numbers)), tuple(map(plain, rows)), refusal)

    def _numbers(self, shapes: Shapes, run: _SizedInferrer) -> list[Any]:
        """List all numbers, those of its outputs and its own costs first, and say where each is."""
        costs = cast("Costs", PerBody[Any, Any](_count)(shapes))
        self.outputs = shapes.outputs
        found: list[Any] = [size for shape in shapes.outputs.values() for size in shape]
        found += _figures(costs.total)
        for node in self.graph.topological():
            for output, shape in shapes.results[node.id].items():
                self.places[Value(node.id, output)] = slice(len(found), len(found) + len(shape))
                found += shape
            self.costs[node.id] = len(found)
            found += _figures(costs.nodes[node.id])
        self.calls = {node: index for index, node in enumerate(run.called)}
        return found


CostFigure: TypeAlias = Literal["parameters", "buffers", "macs", "elementwise", "activations", "frozen"]
FIGURES: tuple[CostFigure, ...] = ("parameters", "buffers", "macs", "elementwise", "activations", "frozen")
"""What a row has of each node's costs, in this order."""


def _figures(total: Total) -> list[Any]:
    return [getattr(total, figure) for figure in FIGURES]


class Functions:
    """The bodies of a network as functions of sizes."""

    def __init__(self) -> None:
        self._made: dict[Any, SizedGraph] = {}

    def of(self, graph: Graph, inputs: Sequence[Shape]) -> tuple[SizedGraph, list[Any]]:
        """Return the function of a body, for inputs like these, and the sizes among them that it is handed."""
        fixed = tuple([(x.axis, x.is_named, len(x), x[0] if len(x) == _IMAGE_AXES else None) for x in inputs])
        made = self._made.get((graph, fixed))
        if made is None:
            made = self._made[graph, fixed] = SizedGraph(graph, [_plain_shape(x) for x in inputs], self)
        return made, [size for x in inputs for size in (x[1:] if len(x) == _IMAGE_AXES else x)]


def _plain_shape(shape: Shape) -> Shape:
    return Shape(*map(plain, shape), axis=shape.axis, is_named=shape.is_named)


def _filled(shape: Shape, dims: Iterator[Any]) -> Shape:
    """Return a shape with other sizes; the first one of three is that of an image's channels, and stays."""
    first = [shape[0]] if len(shape) == _IMAGE_AXES else []
    return Shape(*first, *[next(dims) for _ in shape[len(first) :]], axis=shape.axis, is_named=shape.is_named)


class _Refused(Exception):
    """A size that a body inside refuses."""

    def __init__(self, refusal: tuple[str, str]) -> None:
        super().__init__()
        self.refusal = refusal


class _CalledShapes:
    """The table of a call, whose numbers a function of its own gives."""

    is_complete = True

    def __init__(self, graph: Graph, inputs: Sequence[Shape], outputs: Mapping[str, Shape], total: Total) -> None:
        self.graph, self.inputs, self.outputs, self.total = graph, inputs, outputs, total


class _SizedInferrer(Inferrer):
    def __init__(self, recorder: Recorder, functions: Functions, root: Graph) -> None:
        super().__init__({})
        self._recorder, self._functions, self._root = recorder, functions, root
        self.rows: list[int] = []
        self.called: list[NodeId] = []

    def table(self, graph: Graph, inputs: tuple[Shape, ...], call: Node | None) -> Shapes:
        if call is None:
            return super().table(graph, inputs, None)
        recorder = self._recorder
        for shape in inputs:
            if len(shape) == _IMAGE_AXES and isinstance(shape[0], Traced):
                cast("Any", shape[0]).settle()
        function, dims = self._functions.of(graph, inputs)
        row = function(*map(plain, dims))
        node = recorder.call(function, dims, row)
        self.rows.append(node.place)
        self.called.append(call.id)
        recorder.hold(f"v{node.place}.refusal == {row.refusal!r}", (node.place,))
        if row.refusal is not None:
            code, path = row.refusal
            raise _Refused((code, f"{call.id}.{path}"))
        count = sum(map(len, function.outputs.values())) + len(_figures(Total()))
        all_of = recorder.compute(f"v{node.place}.read({count})", (node.place,), row.read(count))
        parts = [recorder.part(all_of, f"[{index}]", value) for index, value in enumerate(row.read(count))]
        known = [size for shape in function.outputs.values() for size in shape]
        # What the body says is always the same is no number to compute with.
        left = iter(
            [part if isinstance(size, Traced) else part.settle() for size, part in zip(known, parts, strict=False)]
        )
        outputs = {
            name: Shape(*[next(left) for _ in shape], axis=shape.axis, is_named=shape.is_named)
            for name, shape in function.outputs.items()
        }
        return cast("Shapes", _CalledShapes(graph, inputs, outputs, Total(*parts[len(known) :])))

    def unlike_inside(self, body: Graph, first: Shapes, now: Shapes) -> str | None:
        """Work the body out for what reaches it each time, as one call."""
        sizes = [size for shapes in (first, now) for x in shapes.inputs for size in x]
        check = _Unlike(body, first.inputs, now.inputs)
        path = check(*map(plain, sizes))
        node = self._recorder.call(check, sizes, path)
        self._recorder.hold(f"v{node.place} == {path!r}", (node.place,))
        return path


class _Unlike:
    """Whether a body that is applied again is another module than the first time, by the sizes that reach it."""

    def __init__(self, body: Graph, *inputs: Sequence[Shape]) -> None:
        self._body, self._inputs = body, [[_plain_shape(x) for x in shapes] for shapes in inputs]

    def __call__(self, *sizes: int) -> str | None:
        left = iter(sizes)
        first, now = (
            infer_shapes(
                self._body,
                [Shape(*[next(left) for _ in x], axis=x.axis, is_named=x.is_named) for x in shapes],
            ).shapes
            for shapes in self._inputs
        )
        return Inferrer({}).unlike_inside(self._body, first, now)


def _count(shapes: Any, count: Any) -> Any:
    return Costs({}, {}, shapes.total) if isinstance(shapes, _CalledShapes) else count_body(shapes, count)
