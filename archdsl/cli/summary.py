"""`archdsl summary`: tell a network's shapes and costs."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from archdsl.cli.console import has_color, width_of, write
from archdsl.cli.options import FreezeOption, InputOption, ModelOption, SetOption, SpecArgument
from archdsl.cli.specs import load


class SummaryFormat(StrEnum):
    """How `summary` writes a network; all but text have a row for every operator."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


def summarise_network(
    spec: SpecArgument,
    model: ModelOption = None,
    input: InputOption = None,
    settings: SetOption = None,
    freeze: FreezeOption = None,
    format: Annotated[
        SummaryFormat, typer.Option("--format", help="text folds repeats; the others have a row per operator.")
    ] = SummaryFormat.TEXT,
    depth: Annotated[
        int | None,
        typer.Option("--depth", min=1, help="Levels shown as text; by default as many as keep the table short."),
    ] = None,
) -> None:
    """Tell a network's shapes and costs.

    They are worked out from the spec alone: no tensor is made, and torch is not needed.
    """
    network = load(spec, model, input, settings, freeze)
    write(network.summary(format.value, width_of(sys.stdout), depth=depth, color=has_color(sys.stdout)))
