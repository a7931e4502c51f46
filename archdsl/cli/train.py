"""`archdsl train`: train a network on a data set."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from archdsl.cli.console import say
from archdsl.cli.failure import Failure
from archdsl.cli.specs import InputOption, ModelOption, SetOption, SpecArgument, load, parse_pairs
from archdsl.training.recipe import Recipe

_DEFAULTS = Recipe()
_INTERRUPTED = 130


class Schedule(StrEnum):
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
    epochs: Annotated[int, typer.Option("--epochs", help="Passes over the training images.")] = _DEFAULTS.epochs,
    batch_size: Annotated[int, typer.Option("--batch-size", help="Images per step.")] = _DEFAULTS.batch_size,
    lr: Annotated[float, typer.Option("--lr", help="Learning rate after the warm-up.")] = _DEFAULTS.lr,
    weight_decay: Annotated[float, typer.Option("--weight-decay", help="Pull towards zero.")] = _DEFAULTS.weight_decay,
    schedule: Annotated[Schedule, typer.Option("--schedule", help="How the rate falls.")] = Schedule.COSINE,
    augment: Annotated[Augment, typer.Option("--augment", help="Random changes to images.")] = Augment.SHIFT,
    seed: Annotated[int, typer.Option("--seed", help="Fixes weights, order and changes.")] = _DEFAULTS.seed,
    device: Annotated[str, typer.Option("--device", help="Such as `cpu` or `cuda:1`.")] = _DEFAULTS.device,
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
    """Train a network.

    It starts from fresh weights; the folder gets weights, metrics, curves, code and recipe. Needs torch, scikit-learn and matplotlib: `pip install "archdsl[train]"`.
    """
    from archdsl.cli.progress import Progress
    from archdsl.training import TrainingError, load_data, train

    named = {
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "weight_decay": weight_decay,
        "schedule": schedule.value,
        "augment": augment.value,
        "seed": seed,
        "device": device,
    }
    try:
        chosen = Recipe.of(**{**named, **_others(recipe, list(named))})
        network = load(spec, model, input, settings)
        folder = out or Path("runs") / network.name
        with Progress(sys.stderr) as progress:
            result = train(network, chosen, load_data(data), folder, progress, overwrite=overwrite)
    except TrainingError as error:
        raise Failure(error.message, error.help) from None
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
