"""`archdsl explain`: say what a diagnostic's code means."""

from __future__ import annotations

import re
import sys
from enum import StrEnum
from typing import Annotated

import typer

from archdsl.cli.console import has_color, width_of, write
from archdsl.text.codes import CODES
from archdsl.text.diagnostic import Diagnostic
from archdsl.text.failure import Failure
from archdsl.text.page import write_markdown, write_terminal
from archdsl.text.render.display import visible
from archdsl.text.suggest import nearest


class PageFormat(StrEnum):
    """How `explain` writes a page."""

    TEXT = "text"
    MARKDOWN = "markdown"


def explain_code(
    code: Annotated[
        str | None, typer.Argument(metavar="CODE", help="Such as E213; without it all codes are listed.")
    ] = None,
    format: Annotated[PageFormat, typer.Option("--format", help="text for people, or Markdown.")] = PageFormat.TEXT,
) -> None:
    """Explain the code of a diagnostic.

    Its page says what the code is about and why, with a spec that fails, the message that it gets, and the spec mended.
    """
    if code is None:
        write("".join(f"{page.code}  {page.title}\n" for page in CODES.values()))
        return
    asked = re.sub(r"^(error|warning)\[(.*)\]$", r"\2", code.strip()).upper()
    if asked not in CODES:
        near = nearest(asked, CODES)
        help = f"the nearest is `{near}`; " if near else ""
        raise Failure(f"no diagnostic has the code `{visible(code)}`", f"{help}`archdsl explain` lists all codes")
    page = CODES[asked]
    if format is PageFormat.MARKDOWN:
        write(write_markdown(page, _check).rstrip("\n") + "\n")
    else:
        write(write_terminal(page, _check, width=width_of(sys.stdout), color=has_color(sys.stdout)))


def _check(text: str) -> tuple[Diagnostic, ...]:
    from archdsl.checking import check
    from archdsl.text.source import Source

    return check(Source(text, "example.arch"))
