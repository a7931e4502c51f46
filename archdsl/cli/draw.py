"""`archdsl draw`: draw a network."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from archdsl.cli.console import say, write
from archdsl.cli.files import write_atomically
from archdsl.cli.specs import InputOption, ModelOption, SetOption, SpecArgument, load
from archdsl.text.failure import Failure


class DrawLevel(StrEnum):
    """How much of a network a diagram shows."""

    STAGES = "stages"
    BLOCKS = "blocks"
    LAYERS = "layers"


class DrawTheme(StrEnum):
    """How a diagram looks."""

    LIGHT = "light"
    DARK = "dark"
    PRINT = "print"


class DrawCost(StrEnum):
    """What a diagram's colours may show."""

    MACS = "macs"
    PARAMETERS = "parameters"
    ACTIVATIONS = "activations"


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
        DrawTheme | None,
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
    model: ModelOption = None,
    input: InputOption = None,
    settings: SetOption = None,
) -> None:
    """Draw a network.

    An .html file is one page to open in a browser: it folds, searches, and shows shapes and costs at other input sizes.
    """
    is_stdout = str(output) == "-"
    kind = format or (DrawFormat.SVG if output is None or is_stdout else _format_of(output))
    if output is not None and not is_stdout and _KINDS.get(output.suffix.lower(), kind) is not kind:
        raise Failure(f"`{output}` is no name for {kind}", f"name it `{output.with_suffix(_suffix(kind))}`")
    if kind is DrawFormat.HTML and (level or theme or cost):
        raise Failure("an HTML page takes no --level, --theme or --cost", "it has controls for each of them")
    network = load(spec, model, input, settings)
    path = output or Path(f"{network.name}{_suffix(kind)}")
    if kind is DrawFormat.HTML:
        data = network.page().encode()
    else:
        shown, look = level or DrawLevel.BLOCKS, theme or DrawTheme.LIGHT
        diagram = network.diagram(shown.value, theme=look.value, cost=cost.value if cost else None)
        data = diagram.draw(kind.value)
    if is_stdout:
        _to_stdout(data, is_text=kind not in ("png", "pdf"))
        return
    write_atomically(path, data)
    say(f"wrote {path}")


def _suffix(kind: DrawFormat) -> str:
    return _SUFFIXES.get(kind, f".{kind}")


_KINDS = {_suffix(kind): kind for kind in DrawFormat}


def _format_of(path: Path) -> DrawFormat:
    if path.suffix.lower() not in _KINDS:
        raise Failure(f"`{path}` has no suffix of a picture", f"use one of {', '.join(_KINDS)}, or say --format")
    return _KINDS[path.suffix.lower()]


def _to_stdout(data: bytes, *, is_text: bool) -> None:
    if is_text:
        write(data.decode())
        return
    if sys.stdout.isatty():
        raise Failure("a terminal cannot show this format", "send it to a file with `-o FILE` or `>`")
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
