"""The runs that commands take up again, and what is written of their figures."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

RunArgument: TypeAlias = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)]
DeviceOption: TypeAlias = Annotated[str, typer.Option("--device", metavar="NAME", help="Such as `cpu` or `cuda`.")]


class RunFormat(StrEnum):
    """How a command writes what it found."""

    TEXT = "text"
    JSON = "json"


class WeightsChoice(StrEnum):
    """Which weights of a run are used."""

    BEST = "best"
    LAST = "last"


class AdaptChoice(StrEnum):
    """What the first convolutions get where the weights are for other input channels."""

    MEAN = "mean"
    COPY = "copy"
    NEW = "new"


OriginOption: TypeAlias = Annotated[
    str | None, typer.Option("--from", metavar="ORIGIN", help="Whose names the keys of --weights are, such as timm.")
]
AdaptOption: TypeAlias = Annotated[
    AdaptChoice | None,
    typer.Option("--adapt-input", help="What the first convolution gets of --weights for other input channels."),
]
NewOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--new", metavar="PATTERNS", help="Parts that are drawn anew, whatever --weights has of them, such as `head`."
    ),
]
WeightsOption: TypeAlias = Annotated[
    WeightsChoice, typer.Option("--weights", help="Those of the best epoch by validation, or the last ones.")
]
RunFormatOption: TypeAlias = Annotated[RunFormat, typer.Option("--format", help="How to write it.")]


def numbers(values: Mapping[str, float]) -> dict[str, float | None]:
    """Return figures as JSON has them, which knows no infinity and nothing that is no number."""
    return {name: value if isfinite(value) else None for name, value in values.items()}
