"""The texts of a generated file: docstrings, and the table of stages at its head."""

from __future__ import annotations

import re
from pathlib import Path

from archdsl.backends.torch.layout import WIDTH
from archdsl.ops.shape import Shape
from archdsl.passes.tables import Tables

_MOST_ROWS = 40
_PARAGRAPH = re.compile(r"\n[ \t]*\n")


def header(tables: Tables, name: str, digest: str) -> list[str]:
    """Write the docstring of a file: what it was compiled from, what the network costs, and its stages."""
    total = tables.costs.total
    inputs = ", ".join(_size(shape) for shape in tables.shapes.inputs)
    file = Path(tables.graph.span.source.name).name
    lines = [
        *_wrap(f'"""{_printable(name)}, compiled by archdsl from {_printable(file)} (digest {digest}).', WIDTH),
        "",
        f"{total.parameters:,} parameters; {total.macs:,} multiply-adds",
        f"({total.flops:,} flops) for one input of {inputs}.",
        "",
        *_stage_table(tables),
        '"""',
        "",
    ]
    return [line.rstrip() for line in lines]


def _stage_table(tables: Tables) -> list[str]:
    """List the top-level steps that hold weights or change the shape."""
    shapes, costs = tables.shapes, tables.costs
    rows = [("step", "output", "parameters", "macs")]
    for node in shapes.graph.topological():
        if node.is_input:
            continue
        one = costs.nodes[node.id]
        if not one.parameters and not one.macs:
            continue
        name = node.names[0] if node.repeat == 1 else f"{node.names[0]} x {node.repeat}"
        parameters = one.parameters * node.repeat
        if node.reuses is not None:
            name, parameters = f"{node.reuses} again", 0
        size = _size(shapes.results[node.id][""])
        rows.append((name, size, f"{parameters:,}", f"{one.macs * node.repeat:,}"))
    rows = rows if len(rows) <= _MOST_ROWS else [*rows[:_MOST_ROWS], ("...", "", "", "")]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        f"    {row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}"
        for row in rows
    ]


def _size(shape: Shape) -> str:
    return " x ".join(map(str, shape))


def _printable(text: str) -> str:
    """Return text that can stand in a docstring: it cannot end it, nor hide what follows."""
    visible = "".join(c if c.isprintable() else "?" for c in text)
    return visible.replace("\\", "\\\\").replace('"', "'")


def docstring(text: str, indent: int) -> list[str]:
    """Write a text as a docstring, each paragraph wrapped to the width as a whole."""
    pad = " " * indent
    paragraphs = [_printable(" ".join(part.split())) for part in _PARAGRAPH.split(text.strip())]
    wrapped = [piece for part in paragraphs for piece in ["", *_wrap(part, WIDTH - indent - 6)]][1:]
    if len(wrapped) == 1:
        return [f'{pad}"""{wrapped[0]}"""']
    return [f'{pad}"""{wrapped[0]}', *((pad + line).rstrip() for line in wrapped[1:]), f'{pad}"""']


def _wrap(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
