"""`archdsl train`: train a network on a data set."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from archdsl.cli.console import remark, say
from archdsl.cli.specs import InputOption, ModelOption, SetOption, SpecArgument, load, parse_pairs
from archdsl.text.failure import Failure

_INTERRUPTED = 130


class ScheduleName(StrEnum):
    """How the learning rate falls."""

    COSINE = "cosine"
    PLATEAU = "plateau"
    STEP = "step"


class Augment(StrEnum):
    """How training images are changed at random."""

    NONE = "none"
    SHIFT = "shift"
    AFFINE = "affine"


def train_network(
    spec: SpecArgument,
    data: Annotated[str, typer.Option("--data", metavar="NAME", help="The data set: `digits`.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Where the run is written; runs/MODEL without it."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run that the folder holds.")] = False,
    epochs: Annotated[
        int | None, typer.Option("--epochs", help="Passes over the training images.", show_default="30")
    ] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", help="Images per step.", show_default="64")] = None,
    lr: Annotated[float | None, typer.Option("--lr", help="Rate after the warm-up.", show_default="0.05")] = None,
    weight_decay: Annotated[
        float | None, typer.Option("--weight-decay", help="Pull towards zero.", show_default="0.0005")
    ] = None,
    schedule: Annotated[
        ScheduleName | None, typer.Option("--schedule", help="How the learning rate falls.", show_default="cosine")
    ] = None,
    augment: Annotated[
        Augment | None, typer.Option("--augment", help="Random changes to images.", show_default="shift")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Fixes weights, order and changes.", show_default="0")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="Such as `cpu`.", show_default="auto")] = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            "--recipe",
            metavar="NAME=VALUE",
            help="Any other setting of the recipe, such as momentum=0.95 or milestones=10,20. May be repeated.",
        ),
    ] = None,
    model: ModelOption = None,
    input: InputOption = None,
    settings: SetOption = None,
) -> None:
    r"""Train a network.

    It starts from fresh weights; the folder gets weights, metrics, curves, code and recipe. Needs torch, scikit-learn
    and matplotlib: `pip install "archdsl\[train]"`.
    """
    from archdsl.cli.progress import Progress
    from archdsl.training import Recipe, load_data, train

    named = {
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "weight_decay": weight_decay,
        "schedule": schedule and schedule.value,
        "augment": augment and augment.value,
        "seed": seed,
        "device": device,
    }
    given = {name: value for name, value in named.items() if value is not None}
    chosen = Recipe.of(**given, **_others(recipe, list(named)))
    network = load(spec, model, input, settings)
    remark(network.warnings, spec)
    folder = out or Path("runs") / network.name
    with Progress(sys.stderr) as progress:
        result = train(network, chosen, load_data(data), folder, progress, overwrite=overwrite)
    progress.show(result, sys.stdout)
    if result.is_interrupted:
        say("interrupted; what was learnt so far is kept")
        raise typer.Exit(_INTERRUPTED)


def _others(words: Sequence[str] | None, named: Sequence[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in parse_pairs(words, "--recipe", "momentum=0.95").items():
        if name in named:
            raise Failure(f"`--recipe {name}={value}` has an option of its own: --{name.replace('_', '-')}")
        found[name] = value.split(",") if name == "milestones" else value
    return found
