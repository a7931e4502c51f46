"""`archdsl weights`: say what of a file of weights fits a network."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from archdsl.cli.console import write
from archdsl.cli.failure import FINDINGS
from archdsl.cli.specs import InputOption, ModelOption, SetOption, SpecArgument, load
from archdsl.text.render.display import visible


class WeightsFormat(StrEnum):
    """How `weights` writes its report; json lists every key."""

    TEXT = "text"
    JSON = "json"


def compare_weights(
    spec: SpecArgument,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A .safetensors file, or one that `torch.save` wrote.", show_default=False),
    ],
    origin: Annotated[
        str | None,
        typer.Option("--from", metavar="ORIGIN", help="Whose keys the file has, by a name map; the best without it."),
    ] = None,
    format: Annotated[WeightsFormat, typer.Option("--format", help="How to write the report.")] = WeightsFormat.TEXT,
    model: ModelOption = None,
    input: InputOption = None,
    settings: SetOption = None,
) -> None:
    """Say what of a file of weights fits a network.

    The exit code is 1 if a weight is new, unused or of another shape. No code of the file is run.
    """
    from archdsl.backends.summary import write_json
    from archdsl.weights.report import describe, record

    network = load(spec, model, input, settings)
    transfer = network.compare_weights(file, origin)
    if format is WeightsFormat.JSON:
        write(write_json({"network": network.name, "file": str(file), **record(transfer)}))
    else:
        write(f"{network.name} from {visible(str(file))}\n{describe(transfer)}")
    if not transfer.fits:
        raise typer.Exit(FINDINGS)
