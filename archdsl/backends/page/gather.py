"""What a page shows of a network: each distinct body once, with its boxes, and their numbers at every size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from archdsl.backends.page.numbers import Json, Pool, Series
from archdsl.backends.picture.chunks import chunks, head_of, is_simple
from archdsl.backends.summary import describe_body, fold
from archdsl.backends.words import join_symbol, spell
from archdsl.ir.graph import Graph, Node, Value
from archdsl.ops.base import Init, Op
from archdsl.passes.frozen import are_frozen
from archdsl.passes.tables import Tables
from archdsl.text.codes import CODES
from archdsl.text.render.display import visible
from archdsl.text.source import NOWHERE, Source, Span
from archdsl.tracing.sized import FIGURES, CostFigure, SizedGraph, SizedRow
from archdsl.tracing.sizes import Sizes

JsonObject: TypeAlias = dict[str, Json]

_LONGEST = 200
"""A setting is shown to so many characters."""


@dataclass(frozen=True, slots=True)
class SizedBody:
    """A body's numbers at every legal size. Deep in a network many sizes share them, so those are read once."""

    tables: Tables
    """The body's tables at the declared size."""
    function: SizedGraph
    rows: tuple[SizedRow, ...]
    columns: tuple[Series, ...]
    """Each number of a row at every distinct size."""
    distinct: tuple[SizedRow, ...]
    which: tuple[int, ...]
    """The index in `distinct` of each size."""

    @staticmethod
    def of(tables: Tables, function: SizedGraph, rows: tuple[SizedRow, ...]) -> SizedBody:
        places: dict[SizedRow, int] = {}
        which = tuple([places.setdefault(row, len(places)) for row in rows])
        columns = tuple(zip(*[row.numbers for row in places], strict=True))
        return SizedBody(tables, function, rows, columns, tuple(places), which)

    @property
    def graph(self) -> Graph:
        return self.tables.graph

    def inner(self, node: Node) -> SizedBody:
        index, tables = self.function.calls[node.id], self.tables.inner(node)
        found = [row.inner[index] for row in self.distinct]
        function, _ = self.function.functions.of(tables.graph, tables.shapes.inputs)
        return SizedBody.of(tables, function, tuple([found[place] for place in self.which]))

    def axes(self, value: Value) -> list[Series]:
        """Return each axis of a value's shape at every size."""
        return [self._every(column) for column in self.columns[self.function.places[value]]]

    def inputs(self) -> list[list[Series]]:
        return [self.axes(Value(node.id)) for node in self.graph.inputs]

    def costs_of(self, node: Node, figure: CostFigure) -> Series:
        """Return a figure of a node's costs at every size."""
        return self._every(self.columns[self.function.costs[node.id] + FIGURES.index(figure)])

    def _every(self, values: Series) -> Series:
        if values.count(values[0]) == len(values):
            return (values[0],) * len(self.which)
        return tuple([values[index] for index in self.which])


@dataclass(slots=True)
class Gathered:
    """Tables that all networks of a page share; what stands in them is named by its index."""

    pool: Pool = field(default_factory=Pool)
    bodies: list[JsonObject] = field(default_factory=list[JsonObject])
    ops: list[JsonObject] = field(default_factory=list[JsonObject])
    defaults: JsonObject = field(default_factory=dict[str, Json])
    sources: list[JsonObject] = field(default_factory=list[JsonObject])
    _known_bodies: dict[tuple[SizedRow, ...], int] = field(default_factory=dict[tuple[SizedRow, ...], int])
    _known_ops: dict[Op, int] = field(default_factory=dict["Op", int])
    _known_sources: dict[Source, int] = field(default_factory=dict[Source, int])

    def network(self, sizes: Sizes, tables: Tables) -> JsonObject:
        """Add a network, whose tables at the declared size are given; give its sizes, and the body that is its own."""
        body = self.body(SizedBody.of(tables, sizes.body, sizes.rows))
        return {
            "sizes": list(sizes.legal),
            "start": sizes.start,
            "refused": _refused(sizes),
            "body": body,
        }

    def body(self, body: SizedBody) -> int:
        """Add a body, after those it calls."""
        key = body.rows  # compared by identity: bodies are the same if they are so at every size
        if key not in self._known_bodies:
            found = self._body(body)
            self._known_bodies[key] = len(self.bodies)
            self.bodies.append(found)
        return self._known_bodies[key]

    def source(self, source: Source) -> int:
        if source not in self._known_sources:
            self._known_sources[source] = len(self.sources)
            self.sources.append(
                {"name": visible(source.name), "text": "\n".join(map(visible, source.text.split("\n")))}
            )
        return self._known_sources[source]

    def _body(self, body: SizedBody) -> JsonObject:
        graph = body.graph
        places = {node.id: -1 - index for index, node in enumerate(graph.inputs)}
        boxes: list[Json] = []
        for chunk in chunks(graph):
            places[chunk[-1].id] = len(boxes)
            boxes.append(self._box(body, chunk, places))
        inputs: list[Json] = [
            {"name": node.id, "shape": [self.pool.axis(row) for row in axes], "at": self._place(node.span)}
            for node, axes in zip(graph.inputs, body.inputs(), strict=True)
        ]
        outputs: list[Json] = [
            {
                "name": output.name,
                "from": [places[output.value.node], output.value.output],
                **({"training": True} if output.is_training_only else {}),
            }
            for output in graph.outputs
        ]
        return {
            "name": graph.name,
            "kind": graph.kind,
            **({"settings": settings} if (settings := _settings(graph)) else {}),
            "inputs": inputs,
            "boxes": boxes,
            "outputs": outputs,
        }

    def _box(self, body: SizedBody, chunk: Sequence[Node], places: dict[str, int]) -> JsonObject:
        node = head_of(chunk)
        names = chunk[0].names if len(chunk) == 1 else node.names
        box: JsonObject = {
            "names": list(names),
            "from": [[places[value.node], value.output] for value in chunk[0].inputs],
            "at": self._place(node.span),
        }
        if node.reuses is not None:
            box["reuses"] = node.reuses
        if are_frozen(body.tables, chunk):
            box["frozen"] = True
        if node.body is not None and not is_simple(node.body):
            inner = body.inner(node)
            box["body"] = self.body(inner)
            box["text"] = describe_body(inner.tables.shapes)
            return box
        if node.body is not None:
            box["lifted"] = True
        operators = [op for part in chunk for op in self._operators(body, part, "", 1, part.reuses is not None)]
        box["ops"] = list(_terse(operators, box["at"]))
        return box

    def _operators(self, body: SizedBody, node: Node, prefix: str, times: int, is_reused: bool) -> Iterator[JsonObject]:
        """Yield the operators of a box, below the box's own name where they stand in a body of their own."""
        if node.body is not None:
            inner = body.inner(node)
            for part in chunks(node.body)[0]:
                below = f"{prefix}.{fold(part.names)}" if prefix else fold(part.names)
                shared = is_reused or part.reuses is not None
                yield from self._operators(inner, part, below, times * part.repeat, shared)
            return
        assert node.op is not None
        result = body.axes(Value(node.id))
        tensors = [result, *(body.axes(value) for value in node.inputs)]
        entry: JsonObject = {
            "op": self._op(node.op),
            "name": prefix or fold(node.names),
            "at": self._place(node.span),
            "shape": [self.pool.axis(row) for row in result],
        }
        figures = {
            "parameters": (0,) if is_reused else body.costs_of(node, "parameters"),
            "macs": body.costs_of(node, "macs"),
        }
        entry.update({key: coded for key, row in figures.items() if (coded := self.pool.count(row, tensors))})
        # What is written is the output or nothing: an operator that only rearranges writes nothing.
        if not any(body.costs_of(node, "activations")):
            entry["rearranges"] = True
        if times > 1:
            entry["times"] = times
        if node.reuses is not None:
            entry["reuses"] = node.reuses
        yield entry

    def _op(self, op: Op) -> int:
        if op not in self._known_ops:
            self._known_ops[op] = len(self.ops)
            text = join_symbol(op) if op.is_join else spell(op.describe())
            given: JsonObject = {name: _shown(value) for name, value in op if value != _default(op, name)}
            self.defaults.setdefault(op.keyword, _defaults(op))
            self.ops.append(
                {"word": op.keyword, "kind": op.category, "text": text, **({"given": given} if given else {})}
            )
        return self._known_ops[op]

    def _place(self, span: Span) -> Json:
        """Return the source and the first and last line of a span; None where it has no text."""
        if span.source is NOWHERE or not span.source.text:
            return None
        first, _ = span.source.position(span.start)
        last, _ = span.source.position(max(span.start, span.end - 1))
        return [self.source(span.source), first, last]


def _terse(operators: Sequence[JsonObject], place: Json) -> Iterator[Json]:
    """Leave out of each operator in a box the place that is the box's own, and a shape that it does not change."""
    shape: Json = None
    for operator in operators:
        same = {"at": place, "shape": shape}
        yield {key: value for key, value in operator.items() if key not in same or value != same[key]}
        shape = operator["shape"]


def _default(op: Op, name: str) -> object:
    return type(op).model_fields[name].get_default()


def _defaults(op: Op) -> JsonObject:
    """Return the attributes that an operator has by itself."""
    fields = type(op).model_fields
    return {name: _shown(_default(op, name)) for name, field in fields.items() if not field.is_required()}


def _settings(graph: Graph) -> JsonObject:
    return {name: _shown(value) for name, value in graph.bindings.items()}


def _shown(value: object) -> Json:
    """Return a value as the page shows it: numbers and words as they are, anything else by its name or its text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Init):
        written = [f"{name}={item}" for name, item in value.arguments]
        return f"{value.function.rstrip('_') or 'default'}({', '.join(written)})"
    if isinstance(value, tuple | list):
        items = [_shown(item) for item in cast("Sequence[object]", value)]
        if len(items) == 2 and type(items[0]) is int and items[0] == items[1]:
            return items[0]  # the two axes of an image
        text = f"[{', '.join(map(str, items))}]"
    else:
        text = str(getattr(value, "name", value))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _refused(sizes: Sizes) -> list[Json]:
    """List the sizes that are illegal in runs with the same reason: first, last, what is wrong, and where."""
    runs: list[list[Json]] = []
    for size, refusal in sizes.refused.items():
        title = CODES[refusal.code].title if refusal.code else "an input would not be whole pixels"
        last = runs[-1] if runs else None
        if last is not None and last[1] == size - 1 and last[2:] == [title, refusal.path]:
            last[1] = size
        else:
            runs.append([size, size, title, refusal.path])
    return [*runs]
