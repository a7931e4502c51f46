"""`archdsl data`: look at a data set before a network is trained on it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archdsl.cli.console import has_color, say, write
from archdsl.cli.failure import FINDINGS
from archdsl.cli.files import write_output
from archdsl.cli.options import OverwriteOption
from archdsl.cli.specs import parse_shape
from archdsl.recipe_specs import USUAL, find_recipe
from archdsl.text.failure import Failure
from archdsl.text.render.display import columns_of, visible

if TYPE_CHECKING:
    from archdsl.training.data.dataset import DataSet
    from archdsl.training.data.report import DataReport

_MOST_ROWS, _MOST_NAMES, _WIDEST_NAME = 40, 10, 40
_UNEVEN = 1.5
_KINDS = {
    "class": "one class an image",
    "classes": "any classes an image",
    "number": "a number an image",
    "mask": "a class for each pixel",
    "image": "an image for each image",
}


class DataFormat(StrEnum):
    """How `data` writes what it found."""

    TEXT = "text"
    JSON = "json"


def describe_data(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="`digits`, imagefolder:DIR, csv:FILE, pixels:FILE, pairs:DIR or synthetic:3x224x224/1000.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Draw training images as a network will see them, as PNG."),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe", metavar="RECIPE", help="Whose changes the images on the sheet get.", show_default=USUAL
        ),
    ] = None,
    input: Annotated[
        str | None,
        typer.Option("--input", metavar="CxHxW", help="The network's input on the sheet.", show_default="the images'"),
    ] = None,
    overwrite: OverwriteOption = False,
    format: Annotated[DataFormat, typer.Option("--format", help="How to write it.")] = DataFormat.TEXT,
) -> None:
    r"""Look at a data set.

    Every image is read once: counts, balance and sizes, images in two parts, and those that cannot be read, which are
    named and make the exit code 1. Needs `pip install "archdsl\[train]"`.
    """
    from archdsl.training.data.catalogue import load_data

    chosen = find_recipe(recipe)
    shape = parse_shape(input)
    if shape is not None and len(shape) != 3:
        raise Failure(f"`--input {input}` is no shape of images", "write channels, height and width, as in 3x224x224")
    found = load_data(data)
    from archdsl.training.data.report import report_on

    report = report_on(found)
    if format is DataFormat.JSON:
        from archdsl.backends.summary import write_json

        write(write_json(_record(found, report)))
    else:
        write("".join(f"{visible(line)}\n" for line in _lines(found, report)))
    lead = "\x1b[1;31merror[E344]\x1b[0m: " if has_color(sys.stderr) else "error[E344]: "
    for name, reason in report.bad:
        say(f"`{name}` cannot be read: {reason}", lead)
    if out is not None:
        from archdsl.training.data.preview import sheet_of, usual_size

        height, width = shape[1:] if shape else (0, 0)
        size = (shape[0], height, width) if shape else usual_size(found, report)
        sheet = sheet_of(found, chosen, size, [name for name, _ in report.bad])
        write_output(out, sheet, "png", (), overwrite=overwrite)
        say(f"wrote {out}")
    if report.bad:
        raise typer.Exit(FINDINGS)


def _lines(data: DataSet, report: DataReport) -> Iterator[str]:
    count = f", {len(data.classes)} classes" if data.classes else ""
    yield f"{data.name}: {_KINDS[data.kind]}{count}"
    yield ""
    yield from _table(data, report)
    yield ""
    yield from _sizes(report)
    for part, (least, mean, most, deviation) in report.values.items():
        yield f"{part}: numbers from {least:g} to {most:g}, mean {mean:.4g}, deviation {deviation:.4g}"
    yield from _balance(report)
    yield from _shared(report)
    yield from data.notes


def _table(data: DataSet, report: DataReport) -> Iterator[str]:
    rows = [["images", *(f"{count:,}" for count in report.counts.values())]]
    if report.per_class:
        for name in data.classes[:_MOST_ROWS]:
            shown = visible(name)
            shown = shown if columns_of(shown) <= _WIDEST_NAME else f"{shown[: _WIDEST_NAME - 1]}…"
            rows.append([shown, *(f"{counts[name]:,}" for counts in report.per_class.values())])
    heads = ["", *report.counts]
    widths = [max(columns_of(row[place]) for row in [heads, *rows]) for place in range(len(heads))]
    for row in [heads, *rows]:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        yield "  ".join([row[0] + " " * (widths[0] - columns_of(row[0])), *cells]).rstrip()
    if report.per_class and len(data.classes) > _MOST_ROWS:
        yield f"… and {len(data.classes) - _MOST_ROWS} classes more, which `--format json` has"


def _sizes(report: DataReport) -> Iterator[str]:
    if not report.sizes:
        return
    channels = " and ".join(f"{count:,} of {number}" for number, count in report.channels.items())
    told = f"{next(iter(report.channels))}" if len(report.channels) == 1 else channels
    (height, width), most = next(iter(report.sizes.items()))
    if len(report.sizes) == 1:
        yield f"sizes: {height} x {width} pixels (height x width), channels: {told}"
        return
    heights, widths = zip(*report.sizes, strict=True)
    yield (
        f"sizes: heights from {min(heights)} to {max(heights)}, widths from {min(widths)} to {max(widths)}; "
        f"most often {height} x {width} ({most:,} images); channels: {told}"
    )


def _balance(report: DataReport) -> Iterator[str]:
    counts = report.per_class.get("train", {})
    if not counts:
        return
    most, least = max(counts, key=lambda name: counts[name]), min(counts, key=lambda name: counts[name])
    if counts[most] > _UNEVEN * counts[least]:
        yield (
            f"balance: class `{most}` has {counts[most] / max(counts[least], 1):.1f} times the training images of "
            f"`{least}`; `sampler balanced`, or `loss cross_entropy classes=balanced`, makes up for it"
        )


def _shared(report: DataReport) -> Iterator[str]:
    if report.shared:
        yield f"the same image in more than one part: {len(report.shared)}, which flatters what is measured"
        yield from (f"  {', '.join(names)}" for names in report.shared[:_MOST_NAMES])
        if len(report.shared) > _MOST_NAMES:
            yield f"  … and {len(report.shared) - _MOST_NAMES} more, which `--format json` has"
    if report.repeated:
        yield f"images that are in their part twice: {report.repeated:,}"


def _record(data: DataSet, report: DataReport) -> dict[str, object]:
    return {
        "name": data.name,
        "kind": data.kind,
        "classes": list(data.classes),
        "counts": report.counts,
        "per_class": report.per_class,
        "values": {
            part: dict(zip(("least", "mean", "most", "deviation"), values, strict=True))
            for part, values in report.values.items()
        },
        "sizes": [{"height": h, "width": w, "images": count} for (h, w), count in report.sizes.items()],
        "channels": {str(number): count for number, count in report.channels.items()},
        "unreadable": [{"name": name, "reason": reason} for name, reason in report.bad],
        "shared": [list(names) for names in report.shared],
        "repeated": report.repeated,
        "notes": list(data.notes),
        "digest": data.digest,
    }
