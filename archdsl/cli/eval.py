"""`archdsl eval`: measure a run's network."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from archdsl.cli.console import say, write
from archdsl.cli.options import OverwriteOption
from archdsl.cli.runs_of import (
    DeviceOption,
    RunArgument,
    RunFormat,
    RunFormatOption,
    WeightsChoice,
    WeightsOption,
    numbers,
)
from archdsl.text.render.display import visible


class PartChoice(StrEnum):
    """A part of a data set."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


def evaluate_run(
    run: RunArgument,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="DATA", help="Other data of the same classes.", show_default="the run's"),
    ] = None,
    part: Annotated[PartChoice, typer.Option("--part", help="Which images.")] = PartChoice.TEST,
    weights: WeightsOption = WeightsChoice.BEST,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Write confusion matrix, classes and mistakes here."),
    ] = None,
    overwrite: OverwriteOption = False,
    device: DeviceOption = "auto",
    workers: Annotated[int, typer.Option("--workers", min=0, max=64, help="Processes that read images.")] = 0,
    format: RunFormatOption = RunFormat.TEXT,
) -> None:
    r"""Measure a run's network.

    Images are prepared as they were for the run. Nothing is written but what `-o` asks for. Needs torch and
    scikit-learn: `pip install "archdsl\[train]"`.
    """
    from archdsl.backends.summary import write_json
    from archdsl.text.failure import require
    from archdsl.training.run.loading import open_run

    require("torch", "safetensors", "sklearn", "matplotlib", extra="train")
    opened = open_run(run)
    from archdsl.training.data.catalogue import load_again, load_data
    from archdsl.training.reports.report import write_report
    from archdsl.training.run.evaluation import evaluate, note_on
    from archdsl.training.tasks.figures import FIGURES

    loaded = load_data(data) if data else load_again(opened.record.data)
    note = note_on(opened, loaded)
    if note:
        say(note, "note: ")
    found = evaluate(
        opened,
        loaded,
        part.value,
        weights.value,
        device=device,
        workers=workers,
        is_reported=output is not None,
    )
    if output is not None:
        write_report(output, found.files, overwrite=overwrite)
    if format is RunFormat.JSON:
        facts = {"run": str(run), "model": opened.record.model, "data": loaded.name, "part": part.value}
        weights_of = {"weights": weights.value, "epoch": found.epoch, "images": found.images}
        write(write_json({**facts, **weights_of, "figures": numbers(found.figures)}))
    else:
        of = f" of epoch {found.epoch}" if found.epoch is not None else ""
        head = (
            f"{opened.record.model} on {loaded.name}: {found.images:,} {part.value} images, {weights.value} weights{of}"
        )
        titles = {name: FIGURES[name].title for name in found.figures}
        room = max(map(len, titles.values()))
        lines = (f"  {title:{room}}  {FIGURES[name].text(found.figures[name])}" for name, title in titles.items())
        write("\n".join([visible(head), *lines]) + "\n")
    if output is not None:
        say(f"wrote {', '.join(found.files)} to {output}")
