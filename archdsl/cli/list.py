"""`archdsl list`: the networks that come with archdsl."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated

import typer

from archdsl import compiler, specs
from archdsl.cli.choose import chosen
from archdsl.cli.console import complain, has_color, width_of, write
from archdsl.cli.failure import FINDINGS
from archdsl.cli.listing import ListedNetwork, to_csv, to_json, to_markdown, to_text
from archdsl.cli.published import read_published
from archdsl.cli.specs import has_errors
from archdsl.passes.shapes import Shapes
from archdsl.semantics.files import read_source
from archdsl.text.diagnostic import Diagnostic, Reporter


class ListFormat(StrEnum):
    """How `list` writes the networks."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


class ListOrder(StrEnum):
    """What `list` sorts by; sizes come from small to large, accuracies from high to low."""

    FAMILY = "family"
    NAME = "name"
    PARAMETERS = "parameters"
    MACS = "macs"
    FIELD = "field"
    TOP1 = "top1"


_KEYS: dict[ListOrder, Callable[[ListedNetwork], tuple[bool, float | str]]] = {
    ListOrder.NAME: lambda entry: (False, entry.name),
    ListOrder.PARAMETERS: lambda entry: (False, entry.parameters),
    ListOrder.MACS: lambda entry: (False, entry.macs),
    # What has no figure comes last.
    ListOrder.FIELD: lambda entry: (entry.field is None, entry.field or 0),
    ListOrder.TOP1: lambda entry: (entry.top1 is None, -(entry.top1 or 0)),
}


def list_networks(
    format: Annotated[ListFormat, typer.Option("--format", help="How to write them.")] = ListFormat.TEXT,
    order: Annotated[ListOrder, typer.Option("--sort", help="What to sort by.")] = ListOrder.FAMILY,
    condition: Annotated[
        str | None,
        typer.Option(
            "--filter",
            metavar="CONDITION",
            help='Only those for which it holds: "macs < 1G and top1 > 75". It may use name, family, parameters, macs, '
            "flops, field, top1 and top5.",
        ),
    ] = None,
    families: Annotated[
        list[str] | None,
        typer.Option("--family", metavar="FILE", help="Only those of this bundled file. May be repeated."),
    ] = None,
) -> None:
    """List the networks that come with archdsl.

    `MACs` are multiply-adds for one image, `field` is the side of what the last feature map sees, in pixels, `top-1` is
    the best published accuracy in percent, on ImageNet if the source names no other data.
    """
    entries, diagnostics = _entries()
    entries = chosen(entries, families, condition)
    if order is not ListOrder.FAMILY:
        entries = sorted(entries, key=_KEYS[order])
    match format:
        case ListFormat.TEXT:
            by_family = order is ListOrder.FAMILY
            write(to_text(entries, width_of(sys.stdout), color=has_color(sys.stdout), by_family=by_family))
        case ListFormat.JSON:
            write(to_json(entries))
        case ListFormat.CSV:
            write(to_csv(entries))
        case ListFormat.MARKDOWN:
            write(to_markdown(entries))
    complain(diagnostics)
    if has_errors(diagnostics):
        raise typer.Exit(FINDINGS)


def _entries() -> tuple[Sequence[ListedNetwork], tuple[Diagnostic, ...]]:
    found: list[ListedNetwork] = []
    report = Reporter()
    published = read_published()
    for name, path in specs.bundled_models():
        source = read_source(path, path.name)
        compilation = compiler.compile(source, name, folder=path.parent)
        for diagnostic in compilation.diagnostics:
            report.add(diagnostic)
        if compilation.graph is not None and compilation.tables is not None:
            shapes, total = compilation.tables.shapes, compilation.tables.costs.total
            doc, shape = " ".join(compilation.graph.doc.split()), shapes.inputs[0].numbers()
            family, field, results = _first_line(source.text), _field(shapes), published.get(name, ())
            found.append(
                ListedNetwork(name, path.name, family, doc, shape, total.parameters, total.macs, field, results)
            )
    return found, report.diagnostics


def _field(shapes: Shapes) -> int | None:
    from archdsl.passes.receptive import receptive_fields

    sides = [side for field in receptive_fields(shapes).last_feature_map().values() for side in field.size]
    return max((side for side in sides if side is not None), default=None) if None not in sides else None


def _first_line(text: str) -> str:
    """Return what a file says of itself: the first line of its leading `##` comment."""
    first = text.partition("\n")[0]
    return first.removeprefix("##").strip() if first.startswith("##") else ""
