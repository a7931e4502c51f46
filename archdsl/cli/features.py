"""`archdsl features`: what flows at places inside a network when images pass through it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archdsl.cli.console import say, write
from archdsl.cli.failure import FINDINGS
from archdsl.cli.files import write_output
from archdsl.cli.options import InputOption, ModelOption, OverwriteOption, SetOption
from archdsl.cli.runs_of import AdaptOption, DeviceOption, OriginOption, RunFormat, RunFormatOption, numbers
from archdsl.cli.specs import load
from archdsl.text.failure import Failure, require
from archdsl.text.render.display import visible

if TYPE_CHECKING:
    from archdsl.training.run.tapped import ImageFeatures, Tapped

_OWN = ("best", "last")
_RECORD = "run.json"


def write_features(
    source: Annotated[
        str, typer.Argument(metavar="SPEC|RUN", help="A spec, or the folder of a run.", show_default=False)
    ],
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE", help="Files of images.", show_default=False)],
    taps: Annotated[
        list[str],
        typer.Option(
            "--tap", metavar="PATH", help="A step, as `summary` calls it. May be repeated.", show_default=False
        ),
    ],
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="WEIGHTS",
            help="Of a run `best` or `last`; of a spec FILE, RUN, torchvision:NAME or timm:NAME.",
        ),
    ] = None,
    origin: OriginOption = None,
    adapt_input: AdaptOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write them here: .npz, .safetensors or .csv."),
    ] = None,
    overwrite: OverwriteOption = False,
    device: DeviceOption = "auto",
    format: RunFormatOption = RunFormat.TEXT,
    model: ModelOption = None,
    input: InputOption = None,
    settings: SetOption = None,
) -> None:
    r"""Tell what flows at places inside a network when images pass through it.

    Images are prepared as the run measured its own, or as the weights ask for. Without `-o` their shapes and figures
    are told. The exit code is 1 if an image cannot be read. Needs torch: `pip install "archdsl\[train]"`.
    """
    from archdsl.backends.summary import write_json

    require("torch", "torchvision", "PIL", "safetensors", extra="train")
    from archdsl.training.run.tapped import FORMATS, features, tap_network
    from archdsl.training.run.tapped import write_features as written

    if output is not None and output.suffix.lower() not in FORMATS:
        known = ", ".join(FORMATS)
        raise Failure(f"`{output}` has no ending of a file of features", f"end its name in one of {known}")
    run = Path(source)
    if (run / _RECORD).is_file():
        refused = {
            "--from": origin,
            "--adapt-input": adapt_input,
            "--model": model,
            "--input": input,
            "--set": settings,
        }
        named = next((name for name, value in refused.items() if value), None)
        if named is not None:
            raise Failure(f"`{run}` is a run, which has settings of its own, and takes no {named}", "leave it out")
        tapped = _of_run(run, taps, weights)
    else:
        if origin is not None and weights is None:
            raise Failure("--from says whose names the keys of --weights are", "give --weights too")
        network = load(source, model, input, settings)
        if adapt_input is not None and weights is None and network.weights is None:
            raise Failure("--adapt-input says what becomes of weights, and there are none", "give --weights too")
        tapped = tap_network(network, taps, weights, origin, adapt_input.value if adapt_input else None)
    for note in tapped.notes:
        say(note, "note: ")
    found: list[ImageFeatures] = []
    for one in features(tapped, images, device):
        if one.unread:
            say(f"`{one.path}` cannot be read: {one.unread}", "error: ")
        elif format is RunFormat.TEXT and output is None:
            write(_text(one))
        found.append(one)
    if output is not None and any(not one.unread for one in found):
        kind = output.suffix.lower()
        content = written(found, kind)
        write_output(output, content, "", [*images, *tapped.inputs], overwrite=overwrite)
        say(f"wrote {', '.join(dict.fromkeys(taps))} of {sum(not one.unread for one in found)} images to {output}")
    if format is RunFormat.JSON:
        write(write_json([_record(one) for one in found]))
    if any(one.unread for one in found):
        raise typer.Exit(FINDINGS)


def _of_run(run: Path, taps: list[str], weights: str | None) -> Tapped:
    from archdsl.training.run.loading import open_run
    from archdsl.training.run.tapped import tap_run

    if weights is not None and weights not in _OWN:
        help = "say `best` or `last`; of other weights, name the spec instead of the run"
        raise Failure(f"`{run}` has weights of its own, and none called `{weights}`", help)
    return tap_run(open_run(run), taps, "last" if weights == "last" else "best")


def _figures(one: ImageFeatures) -> dict[str, dict[str, float]]:
    return {
        tap: {
            "mean": float(values.double().mean()),
            "deviation": float(values.double().std(correction=0)),
            "least": float(values.min()),
            "most": float(values.max()),
        }
        for tap, values in one.values.items()
    }


def _record(one: ImageFeatures) -> dict[str, object]:
    if one.unread:
        return {"file": str(one.path), "error": one.unread}
    told = {tap: {"shape": list(one.values[tap].shape), **numbers(figures)} for tap, figures in _figures(one).items()}
    return {"file": str(one.path), "features": told}


def _text(one: ImageFeatures) -> str:
    lines = [visible(str(one.path))]
    for tap, figures in _figures(one).items():
        shape = list(one.values[tap].shape)
        told = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        lines.append(f"  {visible(tap)}  {shape}  {told}")
    return "\n".join(lines) + "\n"
