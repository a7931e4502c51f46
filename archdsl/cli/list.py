"""`archdsl list`: the networks that come with archdsl."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import StringIO
from typing import Annotated

import typer

from archdsl import compiler
from archdsl.cli.console import complain, has_color, width_of, write
from archdsl.cli.failure import FINDINGS
from archdsl.cli.specs import has_errors
from archdsl.ir.library import read_source
from archdsl.passes.shapes import Shapes
from archdsl.text.diagnostic import Diagnostic, Reporter


class ListFormat(StrEnum):
    """How `list` writes the networks."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True)
class Entry:
    """A bundled network; costs are for one image. `field` is the receptive field's side in pixels, if bounded."""

    name: str
    file: str
    family: str
    doc: str
    input: tuple[int, ...]
    parameters: int
    macs: int
    field: int | None

    @property
    def about(self) -> str:
        return self.doc or self.family


def list_networks(
    form: Annotated[ListFormat, typer.Option("--format", help="How to write them.")] = ListFormat.TEXT,
) -> None:
    """List the networks that come with archdsl.

    `MACs` are multiply-adds for one image, `field` is the side of what the last feature map sees, in pixels.
    """
    entries, diagnostics = _entries()
    match form:
        case ListFormat.TEXT:
            write(_text(entries, width_of(sys.stdout), has_color(sys.stdout)))
        case ListFormat.JSON:
            write(_json(entries))
        case ListFormat.CSV:
            write(_csv(entries))
        case ListFormat.MARKDOWN:
            write(_markdown(entries))
    complain(diagnostics)
    if has_errors(diagnostics):
        raise typer.Exit(FINDINGS)


def _entries() -> tuple[list[Entry], tuple[Diagnostic, ...]]:
    found: list[Entry] = []
    report = Reporter()
    for name, path in compiler.bundled_models():
        source = read_source(path, path.name)
        compilation = compiler.compile(source, name, folder=path.parent)
        for diagnostic in compilation.diagnostics:
            report.add(diagnostic)
        if compilation.graph is not None and compilation.shapes is not None and compilation.costs is not None:
            shapes, total = compilation.shapes, compilation.costs.total
            doc, shape = " ".join(compilation.graph.doc.split()), shapes.inputs[0].numbers()
            family, field = _first_line(source.text), _field(shapes)
            found.append(Entry(name, path.name, family, doc, shape, total.parameters, total.macs, field))
    return found, report.diagnostics


def _field(shapes: Shapes) -> int | None:
    from archdsl.passes.receptive import receptive_fields

    sides = [side for field in receptive_fields(shapes).last_feature_map().values() for side in field.size]
    return max((side for side in sides if side is not None), default=None) if None not in sides else None


def _first_line(text: str) -> str:
    """Give what a file says of itself: the first line of its leading `##` comment."""
    first = text.partition("\n")[0]
    return first.removeprefix("##").strip() if first.startswith("##") else ""


def _json(entries: Sequence[Entry]) -> str:
    from archdsl.backends.summary import write_json

    return write_json([_record(entry) for entry in entries])


def _record(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "file": entry.file,
        "input": list(entry.input),
        "parameters": entry.parameters,
        "macs": entry.macs,
        "receptive_field": entry.field,
        "doc": entry.about,
    }


def _csv(entries: Sequence[Entry]) -> str:
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(("name", "file", "input", "parameters", "macs", "receptive_field", "doc"))
    for e in entries:
        shape = "x".join(map(str, e.input))
        writer.writerow((e.name, e.file, shape, e.parameters, e.macs, e.field or "", e.about))
    return written.getvalue()


def _markdown(entries: Sequence[Entry]) -> str:
    lines = [
        "| network | parameters | MACs | input | receptive field | about |",
        "| --- | ---: | ---: | --- | ---: | --- |",
    ]
    for e in entries:
        cells = (e.name, f"{e.parameters:,}", f"{e.macs:,}", "×".join(map(str, e.input)), str(e.field or ""), e.about)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _text(entries: Sequence[Entry], width: int, color: bool) -> str:
    from archdsl.backends.graphviz.words import amount
    from archdsl.backends.table import Column, crop, lay_out

    name = Column("network", [f"  {entry.name}" for entry in entries], can_shrink=True)
    parameters = Column("parameters", [f"{entry.parameters:,}" for entry in entries], True)
    macs = Column("MACs", [amount(entry.macs) for entry in entries], True)
    shape = Column("input", ["×".join(map(str, entry.input)) for entry in entries])
    field = Column("field", [str(entry.field or "") for entry in entries], True)
    header, *rows = lay_out([(name, parameters, macs, shape, field), (name, parameters, macs)], width)
    bold, plain = ("\x1b[1m", "\x1b[0m") if color else ("", "")
    lines = [f"{bold}{header}{plain}"]
    file = ""
    for entry, row in zip(entries, rows, strict=True):
        if entry.file != file:
            file = entry.file
            lines.append(f"{bold}{crop(entry.family or file, width, at_start=False)}{plain}")
        lines.append(row)
    return "\n".join(lines) + "\n"
