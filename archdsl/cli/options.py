"""The options that several commands take.

They stand apart from what commands do with them, since only what reads a command line with options needs typer.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from archdsl.cli.specs import FREEZE_OPTION

SpecArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="SPEC",
        help="A file, `file:model`, a bundled network such as `resnet50`, or `-` for stdin.",
        show_default=False,
    ),
]
ModelOption: TypeAlias = Annotated[
    str | None, typer.Option("--model", "-m", metavar="NAME", help="The model, where the file has several.")
]
InputOption: TypeAlias = Annotated[
    str | None, typer.Option("--input", metavar="CxHxW", help="Another input shape, such as 3x160x160.")
]
SetOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Another value for a model's parameter (classes=10), a default (norm=group(32)) or an operator's "
        "argument (conv.bias=true). May be repeated.",
    ),
]
FreezeOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        FREEZE_OPTION,
        metavar="PATTERNS",
        help="Parts that training leaves as they are, as `freeze` in a spec names them: 'layer1.* layer2', "
        "'* except fc', or '* except head' for all but the last layer.",
    ),
]
OverwriteOption: TypeAlias = Annotated[
    bool, typer.Option("--overwrite", help="Replace a file that is there and not as archdsl wrote it.")
]
