"""The summary: a network's steps with shapes and costs, as text, JSON, CSV or Markdown."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from itertools import takewhile
from textwrap import wrap
from typing import Literal, NamedTuple, TypeAlias

from archdsl.backends.table import GAP, Column, lay_out
from archdsl.backends.words import amount, shape_text, spell
from archdsl.ir.graph import Graph, Node
from archdsl.ir.walk import PerBody
from archdsl.ops.shape import Shape
from archdsl.passes.costs import BYTES, Total, count_costs
from archdsl.passes.inference import for_inference
from archdsl.passes.memory import measure_memory
from archdsl.passes.receptive import ReceptiveField, receptive_fields
from archdsl.passes.shapes import Shapes, infer_shapes
from archdsl.passes.tables import Tables
from archdsl.text.render.display import visible

TableFormat: TypeAlias = Literal["text", "json", "csv", "markdown"]

CONVENTION = "macs: multiply-adds of convolutions and matrix products for one image, without bias; flops: 2 × macs"
NARROWEST = 60
"""The width used where less is asked for, in columns."""

_FEW_ROWS = 40  # what a screen shows: without a depth, the table goes as deep as this allows
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Row:
    """A step: its path, what it is, its output's shape, and its costs.

    Where a row stands for several equal steps its costs are their sum, so that a column adds up at any depth.
    """

    path: str
    node: Node
    output: Shape
    costs: Total
    inner: Shapes | None = None
    repeat: int = 1

    @property
    def frozen(self) -> str:
        """Say how much of it training leaves as it is: all, a part, or nothing."""
        if self.costs.frozen and self.costs.trainable:
            return "part"
        return "all" if self.costs.frozen or self.node.is_frozen else ""

    @property
    def operator(self) -> str:
        """Write the operator, its block with the first number it is given, or what its level repeats."""
        text = describe_body(self.inner) if self.inner is not None else ""
        if self.node.op is not None:
            text = spell(self.node.op.describe())
        return f"{text} (weights of {self.node.reuses})" if self.node.reuses else text


class Summarised(NamedTuple):
    """What is summarised; `spec` names the file, `digest` identifies its text with the settings."""

    tables: Tables
    spec: str
    digest: str


def summarise(
    tables: Tables,
    format: TableFormat = "text",
    width: int = 100,
    *,
    depth: int | None = None,
    spec: str = "",
    digest: str = "",
    color: bool = False,
) -> str:
    """Describe a network.

    `text` is a table of paths with up to `depth` segments, by default as many as keep it short, in which equal blocks
    that follow each other share a row; the other formats have one row per operator. `width` in columns (60 at least),
    `depth` and `color`, which adds ANSI escapes, are for `text`.

    Requires: shapes without errors, all numbers.
    """
    facts = Summarised(tables, spec, digest)
    match format:
        case "text":
            return _text(facts, max(width, NARROWEST), depth, color)
        case "json":
            return _json(facts)
        case "csv":
            return _csv(facts)
        case "markdown":
            return _markdown(facts)


def describe_body(shapes: Shapes) -> str:
    """Write a block as `bottleneck 64, /2`, with its first number and by how much it shrinks the image.

    A level of equal blocks is `3 × bottleneck`, any other level nothing.
    """
    body, shrinks = shapes.graph, _shrinks(shapes)
    if body.kind == "block":
        first = next((value for value in body.bindings.values() if type(value) is int), shrinks)
        return body.name + (f" {first}" if first != shrinks else "") + (f", /{shrinks}" if shrinks > 1 else "")
    steps = [node for node in body.topological() if not node.is_input]
    blocks = [node.body.name for node in steps if node.body is not None and node.body.kind == "block"]
    if len(blocks) < len(steps) or len(set(blocks)) != 1:
        return ""
    return f"{sum(node.repeat for node in steps)} × {blocks[0]}"


def _shrinks(shapes: Shapes) -> int:
    """Return by how much a body divides the height of the image that flows in; 1 where it reads none of that."""
    flow = shapes.graph.inputs[0].id
    if not shapes.graph.consumers[flow] and all(output.value.node != flow for output in shapes.graph.outputs):
        return 1
    before, after = shapes.inputs[0], shapes.of(shapes.graph.main)
    return round(before.numbers()[1] / after.numbers()[1]) if len(before) == len(after) == 3 else 1


def rows(tables: Tables, depth: int) -> Iterator[Row]:
    """Yield the steps down to a depth, equal blocks that follow each other as one."""
    return _rows(tables, depth, "", 1, is_reused=False)


def _rows(tables: Tables, depth: int, path: str, times: int, *, is_reused: bool) -> Iterator[Row]:
    shapes = tables.shapes
    for node in tables.graph.topological():
        if node.is_input:
            continue
        full, repeat = path + fold(node.names), times * node.repeat
        shared = is_reused or node.reuses is not None
        total = tables.costs.nodes[node.id].times(repeat, is_reused=shared)
        yield Row(full, node, shapes.results[node.id][""], total, shapes.inner.get(node.id), node.repeat)
        if node.id in shapes.inner and depth > 1:
            yield from _rows(tables.inner(node), depth - 1, f"{full}.", repeat, is_reused=shared)


def operators(tables: Tables, path: str = "", *, is_reused: bool = False) -> Iterator[Row]:
    """Yield every operator of the written-out network; weights applied again have no parameters of their own."""
    for node in tables.graph.topological():
        if node.is_input:
            continue
        shared = is_reused or node.reuses is not None
        for name in node.names:
            if node.body is not None:
                yield from operators(tables.inner(node), f"{path}{name}.", is_reused=shared)
                continue
            total = tables.costs.nodes[node.id].times(1, is_reused=shared)
            yield Row(path + name, node, tables.shapes.results[node.id][""], total)


def _count_operators(graph: Graph, count: Callable[[Graph], int]) -> int:
    """Count what `operators` yields of a body."""
    nodes = [node for node in graph.topological() if not node.is_input]
    return sum(node.repeat * (1 if node.body is None else count(node.body)) for node in nodes)


def fold(names: Sequence[str]) -> str:
    """Write the names of equal steps as one: `1–2`, `layer3–5`, `left…right`.

    >>> fold(["conv1"]), fold(["1", "2"]), fold(["layer3", "layer4", "layer5"]), fold(["left", "right"])
    ('conv1', '1–2', 'layer3–5', 'left…right')
    """
    first, last = names[0], names[-1]
    if len(names) == 1:
        return first
    number = "".join(reversed(list(takewhile(str.isdigit, reversed(last)))))
    stem = last.removesuffix(number) if number else last
    return f"{first}–{number}" if number and first.startswith(stem) else f"{first}…{last}"


def _json(facts: Summarised) -> str:
    total, inputs = facts.tables.costs.total, facts.tables.shapes.inputs
    names = [node.id for node in facts.tables.graph.inputs]
    memory = measure_memory(facts.tables.shapes)
    data = {
        "model": facts.tables.graph.name,
        "doc": facts.tables.graph.doc,
        "spec": facts.spec,
        "digest": facts.digest,
        "input": list(inputs[0].numbers()),
        "inputs": {name: list(shape.numbers()) for name, shape in zip(names, inputs, strict=True)},
        "outputs": {name: list(shape.numbers()) for name, shape in _outputs(facts).items()},
        **_figures(total),
        **_frozen(total.frozen, total),
        "flops": total.flops,
        "evaluation": _figures(_evaluation(facts)),
        "memory": {"inference": memory.inference, "training": memory.training},
        "receptive_field": [{"input": name, **_field(field)} for name, field in _fields(facts).items()],
        "convention": CONVENTION,
        "nodes": [
            {
                "path": row.path,
                "op": row.node.op.keyword if row.node.op else "",
                "operator": row.operator,
                "output": list(row.output.numbers()),
                **_figures(row.costs),
                **_frozen(row.costs.frozen, total),
            }
            for row in operators(facts.tables)
        ],
    }
    return write_json(data)


def write_json(data: object) -> str:
    """Write JSON with each list of numbers on one line.

    >>> print(write_json({"input": [3, 224, 224]}), end="")
    {
      "input": [3, 224, 224]
    }
    """
    text = json.dumps(data, indent=2, ensure_ascii=False)
    if not text.replace("\n", " ").isprintable():
        text = "".join(c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1] for c in text)
    # No string holds a line end as such, so that only the layout is changed.
    return re.sub(r"\[\n\s*([\d.,\s]*\d|null[null,\s]*)\n\s*\]", lambda m: f"[{' '.join(m[1].split())}]", text) + "\n"


def _figures(total: Total) -> dict[str, int]:
    return {
        "parameters": total.parameters,
        "buffers": total.buffers,
        "macs": total.macs,
        "elementwise": total.elementwise,
        "activation_bytes": total.activation_bytes,
    }


def _frozen(count: int, total: Total) -> dict[str, int]:
    """Return how many parameters are frozen, where any of the network's are."""
    return {"frozen": count} if total.frozen else {}


def _field(field: ReceptiveField) -> dict[str, object]:
    return {"size": list(field.size), "stride": [None if n is None else float(n) for n in field.stride]}


def _outputs(facts: Summarised) -> Mapping[str, Shape]:
    return {output.name or "output": facts.tables.shapes.of(output.value) for output in facts.tables.graph.outputs}


def _evaluation(facts: Summarised) -> Total:
    """Count what evaluation runs, without training-only branches."""
    return count_costs(infer_shapes(for_inference(facts.tables.graph), facts.tables.shapes.inputs).shapes).total


def _fields(facts: Summarised) -> Mapping[str, ReceptiveField]:
    return receptive_fields(facts.tables.shapes).last_feature_map()


_HEADER = (
    *("path", "op", "operator", "output", "parameters", "buffers", "macs", "elementwise", "activation_bytes"), "frozen",
)  # fmt: skip


def _records(facts: Summarised) -> Iterator[tuple[str | int, ...]]:
    for row in operators(facts.tables):
        op = row.node.op.keyword if row.node.op else ""
        yield (
            row.path,
            op,
            row.operator,
            "x".join(map(str, row.output)),
            *_figures(row.costs).values(),
            row.costs.frozen,
        )


def _csv(facts: Summarised) -> str:
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    # Where nothing is frozen, no column says so.
    width = len(_HEADER) - (not facts.tables.costs.total.frozen)
    writer.writerow(_HEADER[:width])
    writer.writerows(record[:width] for record in _records(facts))
    return written.getvalue()


def _markdown(facts: Summarised) -> str:
    total = facts.tables.costs.total
    shown = (0, 2, 3, 4, 9, 6) if total.frozen else (0, 2, 3, 4, 6)
    lines = [
        "| " + " | ".join(_HEADER[i] for i in shown) + " |",
        "| --- | --- | --- |" + " ---: |" * (len(shown) - 3),
    ]
    lines += ["| " + " | ".join(_cell(record[i]) for i in shown) + " |" for record in _records(facts)]
    figures = (total.parameters, *([total.frozen] if total.frozen else []), total.macs)
    lines.append(f"| **total** | | | {' | '.join(f'**{figure:,}**' for figure in figures)} |")
    return "\n".join(lines) + "\n"


def _cell(value: str | int) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def _text(facts: Summarised, width: int, depth: int | None, color: bool) -> str:
    chosen = _depth(facts) if depth is None else max(depth, 1)
    found = list(rows(facts.tables, chosen))
    header, *table = _table(found, facts.tables.costs.total, width)
    paint: Callable[[str, str], str] = (lambda text, style: f"{style}{text}{_PLAIN}") if color else _unpainted
    lines = [*_title(facts, width, paint), "", paint(header, _BOLD), paint("─" * len(header), _DIM), *table]
    return "\n".join([*lines, paint("─" * len(header), _DIM), *_totals(facts, found, chosen, width)]) + "\n"


def _unpainted(text: str, style: str) -> str:
    del style
    return text


def _depth(facts: Summarised) -> int:
    """Return the deepest depth whose table is still short."""
    depth, count = 1, 0
    while True:
        found = sum(1 for _ in rows(facts.tables, depth + 1))
        if found > _FEW_ROWS or found == count:
            return depth
        depth, count = depth + 1, found


def _title(facts: Summarised, width: int, paint: Callable[[str, str], str]) -> Iterator[str]:
    inputs = ", ".join(shape_text(shape) for shape in facts.tables.shapes.inputs)
    named = [(output, shape_text(facts.tables.shapes.of(output.value))) for output in facts.tables.graph.outputs]
    outputs = ", ".join(shape for output, shape in named if not output.is_training_only)
    training = ", ".join(f"{output.name} {shape}" for output, shape in named if output.is_training_only)
    of = f" of {visible(facts.spec)}" if facts.spec else ""
    yield f"{paint(facts.tables.graph.name, _BOLD)}{of}: {inputs} → {outputs}"
    if training:
        yield from wrap(f"In training also {training}, which all figures include.", width)
    for line in wrap(visible(" ".join(facts.tables.graph.doc.split())), width):
        yield paint(line, _DIM)


def _table(found: Sequence[Row], total: Total, width: int) -> list[str]:
    costs = [row.costs for row in found]
    shares = [_percent(cost.macs, total.macs) for cost in costs]
    paths = [row.path + (f" ×{row.repeat}" if row.repeat > 1 else "") for row in found]
    path = Column("path", paths, can_shrink=True, is_path=True)
    operator = Column("operator", [row.operator for row in found], can_shrink=True)
    output = Column("output", [shape_text(row.output) for row in found])
    parameters = Column("parameters", [f"{cost.parameters:,}" if cost.parameters else "" for cost in costs], True)
    macs = Column("MACs", [amount(cost.macs) if cost.macs else "" for cost in costs], True)
    share = Column("share", shares, True)
    frozen = [Column("frozen", [row.frozen for row in found])] if any(row.frozen for row in found) else []
    choices = (
        (path, operator, output, parameters, *frozen, macs, share),
        (path, operator, output, parameters, *frozen, macs),
        (path, output, parameters, *frozen, macs, share),
        (path, output, parameters, *frozen, macs),
    )
    return lay_out(choices, width)


def _percent(part: int, whole: int) -> str:
    share = 100 * part / max(whole, 1)
    return f"{share:.1f}%" if share >= 0.05 else "<0.1%" if share else ""


def _totals(facts: Summarised, found: Sequence[Row], depth: int, width: int) -> Iterator[str]:
    total = facts.tables.costs.total
    memory = measure_memory(facts.tables.shapes)
    weights = f"{_bytes(BYTES * total.parameters)} in float32"
    lines: list[tuple[str, str, str]] = [
        ("parameters", f"{total.parameters:,}", f"in all; {weights}" if total.frozen else f"trainable; {weights}"),
        *([("trainable", f"{total.trainable:,}", "parameters that training changes")] if total.frozen else []),
        *([("frozen", f"{total.frozen:,}", "parameters that stay as they are")] if total.frozen else []),
        ("buffers", f"{total.buffers:,}", "running statistics and other state that is not trained"),
        ("MACs", f"{total.macs:,}", "multiply-adds of convolutions and matrix products for one image, without bias"),
        ("FLOPs", f"{total.flops:,}", "2 × MACs"),
        ("elementwise", f"{total.elementwise:,}", "other arithmetic, not in MACs: norms, activations, pools, joins"),
        ("activations", _bytes(total.activation_bytes), "written for one image in float32"),
        ("peak memory", _bytes(memory.inference), f"to evaluate one image; to train on one, {_bytes(memory.training)}"),
    ]
    if any(output.is_training_only for output in facts.tables.graph.outputs):
        evaluation = _evaluation(facts)
        note = f"MACs without training-only branches; {evaluation.parameters:,} parameters"
        lines.insert([line[0] for line in lines].index("FLOPs") + 1, ("in evaluation", f"{evaluation.macs:,}", note))
    for name, field in _fields(facts).items():
        of = f" of {name}" if len(facts.tables.shapes.inputs) > 1 else ""
        lines.append(("receptive field", _size(field), f"pixels{of} that the last feature map sees{_stride(field)}"))
    label, value = max(len(line[0]) for line in lines), max(len(line[1]) for line in lines)
    for name, figure, note in lines:
        start = f"{name:<{label}}{GAP}{figure:>{value}}{GAP}"
        yield from wrap(note, width, initial_indent=start, subsequent_indent=" " * len(start))
    if any(row.node.body is not None and row.path.count(".") == depth - 1 for row in found):
        count = PerBody(_count_operators)(facts.tables.graph)
        yield from wrap(f"Shown to depth {depth}; written out, the network has {count:,} operators.", width)


def _size(field: ReceptiveField) -> str:
    return "×".join("all" if size is None else str(size) for size in field.size) if any(field.size) else "whole image"


def _stride(field: ReceptiveField) -> str:
    strides = {stride for stride in field.stride if stride is not None}
    if len(strides) != 1:
        return ""
    (stride,) = strides
    # Strides multiply, so that those of a hostile spec exceed what a float holds.
    return f", at a stride of {Decimal(stride.numerator) / Decimal(stride.denominator):.6g}"


def _bytes(count: int) -> str:
    for limit, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if count >= limit:
            return f"{count / limit:.1f} {unit}"
    return f"{count} B"
