"""`archdsl compile`: write a network as a PyTorch file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from archdsl.cli.console import remark, say, write
from archdsl.cli.files import write_output
from archdsl.cli.options import FreezeOption, InputOption, ModelOption, OverwriteOption, SetOption, SpecArgument
from archdsl.cli.specs import load


def compile_network(
    spec: SpecArgument,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE.py", help="The file to write; stdout without it."),
    ] = None,
    overwrite: OverwriteOption = False,
    model: ModelOption = None,
    input: InputOption = None,
    settings: SetOption = None,
    freeze: FreezeOption = None,
) -> None:
    """Write a network as a PyTorch file.

    It is readable, needs PyTorch and nothing else, and its state_dict has the spec's labels as keys.
    """
    network = load(spec, model, input, settings, freeze)
    remark(network.warnings, spec)
    source = network.source()
    if output is None or str(output) == "-":
        write(source)
        return
    write_output(output, source, "py", network.files, overwrite=overwrite)
    say(f"wrote {output}, {source.count(chr(10)):,} lines")
