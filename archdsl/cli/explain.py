"""`archdsl explain`: say what a diagnostic's code means."""

from __future__ import annotations

import sys
from textwrap import fill
from typing import Annotated

import typer

from archdsl.cli.console import width_of, write
from archdsl.cli.failure import Failure
from archdsl.text.codes import CODES
from archdsl.text.suggest import nearest

_WIDEST = 80


def explain_code(
    code: Annotated[
        str | None, typer.Argument(metavar="CODE", help="Such as E213; without it all codes are listed.")
    ] = None,
) -> None:
    """Explain the code of a diagnostic."""
    if code is None:
        write("".join(f"{entry.code}  {entry.title}\n" for entry in CODES.values()))
        return
    entry = CODES.get(code.upper())
    if entry is None:
        near = nearest(code.upper(), CODES)
        help = f"the nearest is `{near}`; " if near else ""
        raise Failure(f"no diagnostic has the code `{code}`", f"{help}`archdsl explain` lists all codes")
    text = fill(entry.explanation, min(width_of(sys.stdout), _WIDEST))
    write(f"{entry.code}: {entry.title}\n\n{text}\n")
