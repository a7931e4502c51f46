"""`archdsl weights`: say what of a file of weights fits a network."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from archdsl.cli.console import say, write
from archdsl.cli.failure import FINDINGS
from archdsl.cli.options import InputOption, ModelOption, SetOption, SpecArgument
from archdsl.cli.runs_of import AdaptOption, NewOption
from archdsl.cli.specs import drawn_anew, load
from archdsl.ir.start import InputAdaption
from archdsl.text.render.display import visible


class WeightsFormat(StrEnum):
    """How `weights` writes its report; json lists every key."""

    TEXT = "text"
    JSON = "json"


def compare_weights(
    spec: SpecArgument,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A .safetensors file, or one that `torch.save` wrote; also torchvision:NAME or timm:NAME.",
            show_default=False,
        ),
    ],
    origin: Annotated[
        str | None,
        typer.Option("--from", metavar="ORIGIN", help="Whose keys the file has, by a name map; the best without it."),
    ] = None,
    adapt_input: AdaptOption = None,
    new: NewOption = None,
    write_keys: Annotated[
        bool,
        typer.Option(
            "--write-keys",
            help="Write the rules by which guessed renames load into the spec's file, as the name map of ORIGIN; "
            "of a spec that is no file of yours, print them.",
        ),
    ] = False,
    format: Annotated[WeightsFormat, typer.Option("--format", help="How to write the report.")] = WeightsFormat.TEXT,
    model: ModelOption = None,
    input: InputOption = None,
    settings: SetOption = None,
) -> None:
    """Say what of a file of weights fits a network.

    What the file calls otherwise is guessed by shape and order, where exactly one way fits; nothing loads by a guess
    until a spec says it. The exit code is 1 if a weight is guessed, new, unused, of another shape, or no number. No
    code of the file is run.
    """
    from archdsl.backends.summary import write_json
    from archdsl.weights.origin import resolve_weights
    from archdsl.weights.report import describe, record

    network = load(spec, model, input, settings)
    file = resolve_weights(str(file)).path
    adapt: InputAdaption | None = adapt_input.value if adapt_input is not None else None
    anew = () if new is None else drawn_anew(network, new)
    own = network.weights
    if own is not None and own.is_file(file):
        adapt, anew, origin = adapt or own.adapt, (*own.all_anew(), *anew), origin or own.origin
    can_read = all(find_spec(name) is not None for name in ("torch", "safetensors"))
    transfer = network.compare_weights(file, origin, values=can_read, adapt=adapt, anew=anew, guess=True)
    if not can_read:
        transfer = replace(transfer, notes=(*transfer.notes, "the numbers are not looked at, which needs torch"))
    if format is WeightsFormat.JSON:
        write(write_json({"network": network.name, "file": str(file), **record(transfer)}))
    else:
        write(f"{network.name} from {visible(str(file))}\n{describe(transfer)}")
    if write_keys:
        from archdsl.cli.write_keys import Asked, write_guessed

        transfer = write_guessed(Asked(spec, model, input, settings), network, transfer, file, origin)
    elif transfer.rules:
        say("guessed renames load only by rules of `keys`, which --write-keys writes")
    if not transfer.fits:
        raise typer.Exit(FINDINGS)
