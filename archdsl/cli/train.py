"""`archdsl train`: train a network on a data set, or go on with a run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archdsl import compiler
from archdsl.cli.console import remark, say
from archdsl.cli.failure import INTERRUPTED
from archdsl.cli.options import FreezeOption, InputOption, ModelOption, SetOption
from archdsl.cli.runs_of import AdaptOption, NewOption, OriginOption
from archdsl.cli.specs import compile_network, drawn_anew, find, frozen, parse_pairs, parse_shape
from archdsl.lower.recipe_changes import change_recipe
from archdsl.recipe_specs import USUAL, find_recipe, with_seed
from archdsl.text.failure import Failure

if TYPE_CHECKING:
    from archdsl.ir.freezing import Freezing
    from archdsl.ir.start import InputAdaption
    from archdsl.network import Network
    from archdsl.recipes.recipe import Recipe
    from archdsl.training import DataSet, Observer, Result
    from archdsl.training.means import Means

_RECIPE = "recipe."
_FINE_TUNE = "fine_tune"
FINETUNE = "finetune"
"""The name of the command that starts from weights."""


def train_network(
    context: typer.Context,
    spec: Annotated[
        str | None,
        typer.Argument(
            metavar="SPEC", help="A file, `file:model`, or a bundled network; none with --resume.", show_default=False
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DATA",
            help="`digits`, imagefolder:DIR, csv:FILE, pixels:FILE, pairs:DIR or synthetic:3x224x224/1000.",
            show_default=False,
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe",
            metavar="RECIPE",
            help="A name that `archdsl recipes` lists or the spec declares, FILE:NAME, or 'NAME(epochs=10)'.",
            show_default=f"{USUAL}; of finetune, {_FINE_TUNE}",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Where the run is written.", show_default="runs/MODEL"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run that the folder holds, once this one has got going.")
    ] = False,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", metavar="RUN", help="Go on with this run, exactly as if it had never stopped."),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="FILE|RUN",
            help="Start from these, as far as they fit; also torchvision:NAME or timm:NAME.",
        ),
    ] = None,
    origin: OriginOption = None,
    adapt_input: AdaptOption = None,
    new: NewOption = None,
    freeze: FreezeOption = None,
    epochs: Annotated[str | None, typer.Option("--epochs", metavar="N", help="Instead of the recipe's.")] = None,
    batch_size: Annotated[
        str | None, typer.Option("--batch-size", metavar="N", help="Instead of the recipe's.")
    ] = None,
    lr: Annotated[str | None, typer.Option("--lr", metavar="RATE", help="Instead of the recipe's.")] = None,
    seed: Annotated[str | None, typer.Option("--seed", metavar="N", help="Instead of the recipe's.")] = None,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", metavar="N", min=1, max=1000, help="Run N times, into FOLDER/seed-0 and so on."),
    ] = None,
    device: Annotated[str, typer.Option("--device", metavar="NAME", help="Such as `cpu` or `cuda:1`.")] = "auto",
    workers: Annotated[int, typer.Option("--workers", min=0, max=64, help="Processes that read images.")] = 0,
    skip_bad: Annotated[
        int, typer.Option("--skip-bad", metavar="N", min=0, help="Leave out up to N images that cannot be read.")
    ] = 0,
    checkpoint_every: Annotated[
        int,
        typer.Option(
            "--checkpoint-every", metavar="STEPS", min=0, help="Also within an epoch.", show_default="10 minutes"
        ),
    ] = 0,
    cache_features: Annotated[
        bool,
        typer.Option(
            "--cache-features",
            help="Run what is frozen before all that learns once, and keep what it gives; to the bit as without.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Take one step, and estimate time and memory; nothing is written.")
    ] = False,
    model: ModelOption = None,
    input: InputOption = None,
    settings: SetOption = None,
) -> None:
    r"""Train a network, or go on with a run.

    The folder gets weights, metrics, curves, code, spec and recipe. `--set recipe.optimizer.lr=0.05` changes a value of
    the recipe; any other --set is the network's. Validation images choose the best weights, and test images measure
    them once, in the end. Interrupted, it saves first. Needs `pip install "archdsl\[train]"`.
    """
    from archdsl.training.means import Means

    is_finetune = context.info_name == FINETUNE
    means = Means(device, workers, skip_bad, checkpoint_every, cache_features)
    if resume is not None:
        refused = {
            "SPEC": spec, "--recipe": recipe, "--out": out, "--overwrite": overwrite, "--weights": weights,
            "--from": origin, "--adapt-input": adapt_input, "--new": new, "--freeze": freeze, "--epochs": epochs,
            "--batch-size": batch_size, "--lr": lr, "--seed": seed, "--seeds": seeds, "--dry-run": dry_run,
            "--model": model, "--input": input, "--set": settings,
        }  # fmt: skip
        _resume(resume, data, means, [name for name, value in refused.items() if value not in (None, False, [])])
        return
    if spec is None or data is None:
        missing = "SPEC" if spec is None else "--data"
        raise Failure(
            f"{missing} is missing",
            f"write `{_command(is_finetune)}`, or `archdsl {context.info_name} --resume RUN`",
        )
    if origin is not None and weights is None:
        raise Failure("--from says whose names the keys of --weights are", "give --weights too")
    adapt: InputAdaption | None = adapt_input.value if adapt_input is not None else None
    short = {"epochs": epochs, "batch_size": batch_size, "optimizer.lr": lr, "seed": seed}
    changes, own = _split(settings, {name: value for name, value in short.items() if value is not None})
    source, folder, named = find(spec)
    if model and named and model != named:
        raise Failure(f"two models are asked for: `{named}` and `{model}`")
    usual = _FINE_TUNE if is_finetune else USUAL
    chosen = change_recipe(find_recipe(recipe or usual, source, folder), changes)
    network = compile_network(
        source, folder, model or named, input=input, settings=[f"{k}={v}" for k, v in own.items()]
    )
    if is_finetune and weights is None and network.weights is None:
        help = f"write `{_command(is_finetune)}`, or name the file by `weights` in the spec"
        raise Failure("there are no weights to start from", help)
    if weights is None and network.weights is None:
        for option, value in (("--adapt-input", adapt), ("--new", new)):
            if value is not None:
                raise Failure(f"{option} says what becomes of weights, and there are none", "give --weights too")
    if freeze is not None:
        frozen(network, freeze)  # before data is loaded
    from archdsl.training import load_data
    from archdsl.training.classes import CLASSES, with_classes

    loaded = load_data(data)
    if recipe is None:
        chosen = _without_loss(chosen, changes, loaded)
    network, given = with_classes(
        network, own, loaded, lambda more: compiler.compile(source, network.name, more, parse_shape(input), folder)
    )
    if given is not own:
        count, what = given[CLASSES], "number" if loaded.kind == "number" else "classes"
        say(f"{network.name} gets {CLASSES}={count}, as {loaded.name} has {count} {what}")
    anew = () if new is None else drawn_anew(network, new)
    network = network if freeze is None else frozen(network, freeze)
    remark(network.warnings, spec)
    target = out or Path("runs") / network.name
    if dry_run:
        from archdsl.cli.spread import show_estimate
        from archdsl.training.dry import try_out

        show_estimate(try_out(network, chosen, loaded, means, weights, origin, adapt, anew), sys.stdout)
        return
    _train(network, chosen, loaded, target, means, given, (weights, origin, adapt, anew), seeds, overwrite=overwrite)


@wraps(train_network, assigned=("__module__", "__annotations__"))
def finetune_network(**options: Any) -> None:
    """Train a network on from weights: `train` with --weights, and `fine_tune` as its usual recipe.

    `--recipe linear_probe` trains the last layer alone, `lp_ft` that first and then all; `--freeze` leaves parts as
    they are. Options, the run's folder and --resume are those of `archdsl train`.
    """
    train_network(**options)


def _command(is_finetune: bool) -> str:
    return "archdsl finetune SPEC --weights FILE --data DATA" if is_finetune else "archdsl train SPEC --data DATA"


def _without_loss(recipe: Recipe, changes: Mapping[str, str], data: DataSet) -> Recipe:
    """Take the usual recipe for data that it was not written for: what is minimised then is what the data asks for."""
    if data.kind in ("class", "mask") or any(key.partition(".")[0] == "loss" for key in changes):
        return recipe
    say(f"the recipe `{recipe.name}` goes without its loss, which is for classes; {data.name} asks for another")
    return recipe.model_copy(update={"loss": None})


def _train(
    network: Network,
    recipe: Recipe,
    data: DataSet,
    out: Path,
    means: Means,
    settings: Mapping[str, str],
    start: tuple[str | None, str | None, InputAdaption | None, Sequence[Freezing]],
    seeds: int | None,
    *,
    overwrite: bool,
) -> None:
    from archdsl.cli.progress import Progress
    from archdsl.cli.spread import show_spread
    from archdsl.training import train

    weights, origin, adapt, anew = start
    results: list[Result] = []
    for number in range(seeds or 1):
        own = recipe if seeds is None else with_seed(recipe, recipe.seed.number + number)
        folder = out if seeds is None else out / f"seed-{own.seed.number}"
        with Progress(sys.stderr) as progress:
            result = train(
                network, own, data, folder, _watched(progress, folder), overwrite=overwrite, weights=weights,
                origin=origin, means=means, settings=settings, adapt=adapt, anew=anew,
            )  # fmt: skip
        progress.show(result, sys.stdout)
        _leave(result, others=(own.seed.number + 1, (seeds or 1) - number - 1))
        results.append(result)
    if seeds is not None:
        show_spread(results, out, sys.stdout)


def _resume(run: Path, data: str | None, means: Means, refused: Sequence[str]) -> None:
    if refused:
        help = "leave it out; a run with other settings is a new one: `archdsl train SPEC --weights RUN`"
        raise Failure(f"--resume goes on with what `{run}` says, and takes no {refused[0]}", help)
    from archdsl.cli.progress import Progress
    from archdsl.training import load_data
    from archdsl.training import resume as go_on

    with Progress(sys.stderr) as progress:
        loaded = load_data(data) if data is not None else None
        result = go_on(run, _watched(progress, run), data=loaded, means=means)
    progress.show(result, sys.stdout)
    _leave(result)


def _watched(progress: Observer, folder: Path) -> Observer:
    """Return who watches a run: the terminal, and TensorBoard where it is installed."""
    from archdsl.training import Several
    from archdsl.training.tensorboard import TensorBoard, is_installed

    return Several(progress, TensorBoard(folder)) if is_installed() else progress


def _leave(result: Result, others: tuple[int, int] = (0, 0)) -> None:
    """End a program that was interrupted, with the command that goes on.

    `others` are the first seed whose run has not begun, and how many there are.
    """
    if not result.interrupted_by:
        return
    if result.is_interrupted:
        say(f"interrupted by {result.interrupted_by}; all is saved, and this goes on:")
        say(f"  archdsl train --resume {shlex.quote(str(result.out))}")
    else:
        say(f"interrupted by {result.interrupted_by} when the run had come to its end; all is saved")
    seed, count = others
    if count:
        say(f"the runs of seeds from {seed} on have not begun: the same command with `--seed {seed} --seeds {count}`")
    raise typer.Exit(INTERRUPTED.get(result.interrupted_by, 1))


def _split(words: Sequence[str] | None, short: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Part the words of --set into the recipe's and the network's.

    Errors: Failure where a value is given twice
    """
    pairs = parse_pairs(words, "--set", "classes=10")
    changes = {name.removeprefix(_RECIPE): value for name, value in pairs.items() if name.startswith(_RECIPE)}
    for name, value in short.items():
        for other in (name, name.rpartition(".")[2]):
            if other in changes:
                option = "--" + other.replace("_", "-")
                raise Failure(f"`{_RECIPE}{other}` is set twice: by {option} and by --set", "leave out one of the two")
        changes[name] = value
    return changes, {name: value for name, value in pairs.items() if not name.startswith(_RECIPE)}
