"""`archdsl check`: say what is wrong with specs."""

from __future__ import annotations

from typing import Annotated

import typer

from archdsl.cli.checking import CheckFormat, CheckOptions, check
from archdsl.cli.options import FreezeOption, SetOption


def check_specs(
    specs: Annotated[
        list[str],
        typer.Argument(
            metavar="SPEC",
            help="Files, `file:model`, bundled networks, or `-` for stdin. A file is checked with all its models.",
            show_default=False,
        ),
    ],
    format: Annotated[
        CheckFormat,
        typer.Option("--format", help="text for people on stderr; the others for programs on stdout."),
    ] = CheckFormat.TEXT,
    settings: SetOption = None,
    freeze: FreezeOption = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow",
            metavar="CODES",
            help="Leave out warnings: W400, several with commas, or `warnings`. May be repeated.",
        ),
    ] = None,
    deny: Annotated[
        list[str] | None,
        typer.Option("--deny", metavar="CODES", help="Take warnings for errors, named in the same way."),
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Make the edits that are certainly meant.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show the edits of `--fix`, and make none.")] = False,
    unsafe_fixes: Annotated[
        bool, typer.Option("--unsafe-fixes", help="Count edits in that are only likely meant.")
    ] = False,
) -> None:
    """Say what is wrong with specs.

    Names, arguments, shapes and assertions are checked. The exit code is 1 if a spec has mistakes, 2 if one cannot be
    read; warnings alone leave it 0. `allow W400` in a spec, or in one of its bodies, leaves a warning out there.

    `--fix` changes files, and writes stdin's text to stdout. It makes no edit after which more is wrong than before.
    """
    code = check(
        specs,
        format,
        CheckOptions(settings, freeze, allow, deny, has_fix=fix, has_diff=diff, has_unsafe=unsafe_fixes),
    )
    if code:
        raise typer.Exit(code)
