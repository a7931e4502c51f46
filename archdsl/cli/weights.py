"""`archdsl weights`: say what of a file of weights fits a network."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from importlib.util import find_spec
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

    The exit code is 1 if a weight is new, unused, of another shape, or no number. No code of the file is run.
    """
    from archdsl.backends.summary import write_json
    from archdsl.weights.report import describe, record

    network = load(spec, model, input, settings)
    can_read = all(find_spec(name) is not None for name in ("torch", "safetensors"))
    transfer = network.compare_weights(file, origin, values=can_read)
    if not can_read:
        transfer = replace(transfer, notes=(*transfer.notes, "the numbers are not looked at, which needs torch"))
    if format is WeightsFormat.JSON:
        write(write_json({"network": network.name, "file": str(file), **record(transfer)}))
    else:
        write(f"{network.name} from {visible(str(file))}\n{describe(transfer)}")
    if not transfer.fits:
        raise typer.Exit(FINDINGS)
