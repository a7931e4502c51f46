"""`archdsl draw`: draw a network."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from archdsl.cli.console import say, write
from archdsl.cli.failure import Failure
from archdsl.cli.files import write_atomically
from archdsl.cli.specs import InputOption, ModelOption, SetOption, SpecArgument, load


class DrawLevel(StrEnum):
    """How much of a network a diagram shows."""

    STAGES = "stages"
    BLOCKS = "blocks"
    LAYERS = "layers"


def draw_network(
    spec: SpecArgument,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write, as .svg, .png, .pdf, .dot or .html; `-` writes DOT to stdout.",
            show_default=False,
        ),
    ],
    level: Annotated[
        DrawLevel,
        typer.Option("--level", help="The architecture at a glance, each distinct block once, or every operator."),
    ] = DrawLevel.BLOCKS,
    model: ModelOption = None,
    input: InputOption = None,
    settings: SetOption = None,
) -> None:
    """Draw a network.

    All formats but .dot and .html need Graphviz. The .html page is one file, to open in a browser: it folds, searches,
    and shows shapes and costs at other input sizes.
    """
    from archdsl.backends.picture import FORMATS, DrawError

    if output.suffix.lower() == ".html":
        write_atomically(output, load(spec, model, input, settings).page())
        say(f"wrote {output}")
        return
    if str(output) != "-" and output.suffix.removeprefix(".").lower() not in FORMATS:
        raise Failure(f"a diagram is written as {', '.join(FORMATS)} or html, not as `{output}`")
    diagram = load(spec, model, input, settings).diagram(level.value)
    if str(output) == "-":
        write(diagram.dot)
        return
    try:
        diagram.render(output)
    except DrawError as error:
        raise Failure(str(error), f"`-o {output.with_suffix('.dot')}` needs nothing else") from None
    except OSError as error:
        raise Failure(f"cannot write `{output}`: {(error.strerror or str(error)).lower()}") from None
    say(f"wrote {output}")
