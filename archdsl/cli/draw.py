"""`archdsl draw`: draw a network."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from archdsl.cli.console import say, write
from archdsl.cli.files import write_output
from archdsl.cli.options import FreezeOption, InputOption, ModelOption, OverwriteOption, SetOption, SpecArgument
from archdsl.cli.specs import load
from archdsl.cli.themes import ThemeChoice
from archdsl.text.failure import Failure


class DrawLevel(StrEnum):
    """How much of a network a diagram shows."""

    STAGES = "stages"
    BLOCKS = "blocks"
    LAYERS = "layers"


class DrawCost(StrEnum):
    """What a diagram's colours may show."""

    MACS = "macs"
    PARAMETERS = "parameters"
    ACTIVATIONS = "activations"


class DrawEngine(StrEnum):
    """Who lays a diagram out."""

    ARCHDSL = "archdsl"
    DOT = "dot"


class DrawFormat(StrEnum):
    """What a diagram may be written as."""

    SVG = "svg"
    PNG = "png"
    PDF = "pdf"
    DOT = "dot"
    MERMAID = "mermaid"
    TIKZ = "tikz"
    HTML = "html"


_SUFFIXES = {DrawFormat.MERMAID: ".mmd", DrawFormat.TIKZ: ".tex"}
"""Those that are not the format's name."""


def draw_network(
    spec: SpecArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write, in the format that its suffix names; NAME.svg by default, `-` is stdout.",
            show_default=False,
        ),
    ] = None,
    overwrite: OverwriteOption = False,
    format: Annotated[
        DrawFormat | None,
        typer.Option("--format", "-f", help="The format, where the file's name does not tell it.", show_default=False),
    ] = None,
    level: Annotated[
        DrawLevel | None,
        typer.Option(
            "--level",
            help="The architecture at a glance, each distinct block once (the default), or every operator.",
            show_default=False,
        ),
    ] = None,
    theme: Annotated[
        ThemeChoice | None,
        typer.Option(
            "--theme",
            help="For a light page (the default), a dark one, or black on white with line styles for colours.",
            show_default=False,
        ),
    ] = None,
    cost: Annotated[
        DrawCost | None,
        typer.Option("--cost", help="Colour boxes by their part of this cost, not by kind.", show_default=False),
    ] = None,
    engine: Annotated[
        DrawEngine | None,
        typer.Option(
            "--engine",
            help="Who lays it out: archdsl (the default), or `dot` of Graphviz, for svg, png and pdf.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = None,
    input: InputOption = None,
    settings: SetOption = None,
    freeze: FreezeOption = None,
) -> None:
    """Draw a network.

    An .html file is one page to open in a browser: it folds, searches, and shows shapes and costs at other input sizes.
    """
    is_stdout = str(output) == "-"
    chosen = format or (DrawFormat.SVG if output is None or is_stdout else _format_of(output))
    if output is not None and not is_stdout and _FORMATS.get(output.suffix.lower(), chosen) is not chosen:
        raise Failure(f"`{output}` is no name for {chosen}", f"name it `{output.with_suffix(_suffix(chosen))}`")
    if chosen is DrawFormat.HTML and (level or theme or cost or engine):
        raise Failure("an HTML page takes no --level, --theme, --cost or --engine", "it has controls for each of them")
    network = load(spec, model, input, settings, freeze)
    path = output or Path(f"{network.name}{_suffix(chosen)}")
    if chosen is DrawFormat.HTML:
        data = network.page().encode()
    else:
        shown, look = level or DrawLevel.BLOCKS, theme or ThemeChoice.LIGHT
        diagram = network.diagram(shown.value, theme=look.value, cost=cost.value if cost else None)
        data = diagram.draw(chosen.value, engine=(engine or DrawEngine.ARCHDSL).value)
    if is_stdout:
        _to_stdout(data, is_text=chosen not in ("png", "pdf"))
        return
    write_output(path, data, chosen.value, network.files, overwrite=overwrite)
    say(f"wrote {path}")


def _suffix(format: DrawFormat) -> str:
    return _SUFFIXES.get(format, f".{format}")


_FORMATS = {_suffix(format): format for format in DrawFormat}


def _format_of(path: Path) -> DrawFormat:
    if path.suffix.lower() not in _FORMATS:
        raise Failure(f"`{path}` has no suffix of a picture", f"use one of {', '.join(_FORMATS)}, or say --format")
    return _FORMATS[path.suffix.lower()]


def _to_stdout(data: bytes, *, is_text: bool) -> None:
    if is_text:
        write(data.decode())
        return
    if sys.stdout.isatty():
        raise Failure("a terminal cannot show this format", "send it to a file with `-o FILE` or `>`")
    write(data)
