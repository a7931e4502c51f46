"""`archdsl diff`: say how two networks differ."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from archdsl.cli.console import has_color, say, width_of, write
from archdsl.cli.failure import FINDINGS
from archdsl.cli.files import write_output
from archdsl.cli.options import InputOption, OverwriteOption, SetOption
from archdsl.cli.revisions import Revision, check_out, parse_revision
from archdsl.cli.specs import compile_network, find
from archdsl.cli.themes import ThemeChoice
from archdsl.text.failure import Failure
from archdsl.text.render.display import visible
from archdsl.text.source import Source

if TYPE_CHECKING:
    from archdsl.network import Network
    from archdsl.passes.difference import Difference


class DiffFormat(StrEnum):
    """How `diff` writes what differs; json has every place."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


_PICTURES: dict[str, Literal["svg", "png", "pdf"]] = {".svg": "svg", ".png": "png", ".pdf": "pdf"}


def compare_networks(
    before: Annotated[
        str,
        typer.Argument(
            metavar="BEFORE",
            help="A file, `file:model`, a bundled network, `-` for stdin, or `net.arch@REVISION` for a file as it was "
            "in a revision of its git repository.",
            show_default=False,
        ),
    ],
    after: Annotated[
        str | None,
        typer.Argument(
            metavar="AFTER",
            help="The other network; without it the first one, as it is now or with what --set changes.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[DiffFormat, typer.Option("--format", help="How to write what differs.")] = DiffFormat.TEXT,
    settings: SetOption = None,
    settings_before: Annotated[
        list[str] | None,
        typer.Option("--set-before", metavar="NAME=VALUE", help="As --set, for the first network."),
    ] = None,
    input: InputOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Draw both side by side instead, as .svg, .png or .pdf."),
    ] = None,
    overwrite: OverwriteOption = False,
    theme: Annotated[ThemeChoice, typer.Option("--theme", help="The colours of the picture.")] = ThemeChoice.LIGHT,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if the networks differ, as `git diff --exit-code` does.")
    ] = False,
) -> None:
    """Say how two networks differ.

    What was added (+), removed (−), changed (~), and renamed or moved (>), each change once with all its places; what
    follows from it; the totals, and how many weights can be kept. --set is for the second network, --input for both.
    """
    from archdsl.backends.difference import write_markdown, write_record, write_text

    if output is not None and output.suffix.lower() not in _PICTURES:
        raise Failure(f"the picture is written as {', '.join(_PICTURES)}, not as `{output}`")
    one, two, difference = _compare(before, after, settings or (), settings_before or (), input)
    match format:
        case _ if output is not None:
            _draw(one, two, difference, output, theme, overwrite=overwrite)
        case DiffFormat.TEXT:
            write(write_text(difference, width_of(sys.stdout), color=has_color(sys.stdout)))
        case DiffFormat.JSON:
            write(write_record(difference))
        case DiffFormat.MARKDOWN:
            write(write_markdown(difference))
    if exit_code and difference:
        raise typer.Exit(FINDINGS)


def _compare(
    before: str, after: str | None, settings: Sequence[str], settings_before: Sequence[str], input: str | None
) -> tuple[Network, Network, Difference]:
    from archdsl.difference import diff

    other = after if after is not None else _counterpart(before, bool(settings or settings_before))
    if before == other == "-":
        raise Failure("both networks are to be read from stdin", "write one of them to a file")
    one, two = _load(before, settings_before, input), _load(other, settings, input)
    difference = diff(one, two)
    if one.name != two.name:
        return one, two, difference
    # Two of one name are told apart by how they were asked for.
    labels = [visible(" ".join((spec, *given))) for spec, given in ((before, settings_before), (other, settings))]
    first, second = replace(difference.before, label=labels[0]), replace(difference.after, label=labels[1])
    return one, two, replace(difference, before=first, after=second)


def _draw(
    one: Network, two: Network, difference: Difference, output: Path, theme: ThemeChoice, *, overwrite: bool
) -> None:
    from archdsl.difference import draw_diff

    format = _PICTURES[output.suffix.lower()]
    picture = draw_diff(one, two, difference, theme=theme.value, format=format)
    write_output(output, picture, format, (*one.files, *two.files), overwrite=overwrite)
    say(f"wrote {output}")


def _counterpart(before: str, has_settings: bool) -> str:
    """Say what a network is compared with where only one is named."""
    revision = parse_revision(before)
    if revision is not None:
        return revision.current
    if "@" in before and not Path(before).is_file():
        raise Failure(f"`{before}` names no file", "a revision is named behind a file, as in net.arch@HEAD~1")
    if not has_settings:
        raise Failure(
            f"there is nothing to compare `{before}` with",
            "name a second network, change this one with --set, or name a revision as in net.arch@HEAD~1",
        )
    return before


def _load(spec: str, settings: Sequence[str], input: str | None) -> Network:
    revision = parse_revision(spec)
    if revision is None:
        return compile_network(*find(spec), input=input, settings=settings)
    with TemporaryDirectory(prefix="archdsl-") as folder:
        return _load_revision(revision, Path(folder), settings, input)


def _load_revision(wanted: Revision, folder: Path, settings: Sequence[str], input: str | None) -> Network:
    source, home, _ = find(str(check_out(wanted, folder)))
    # Messages name what the user asked for, not the copy.
    named = Source(source.text, f"{wanted.path}@{wanted.revision}")
    return compile_network(named, home, wanted.model or _model_of(wanted, named, home), input=input, settings=settings)


def _model_of(wanted: Revision, source: Source, folder: Path) -> str | None:
    """Return the model called like the file, which another name of the source would hide."""
    from archdsl.lower.plan import models_of

    return wanted.path.stem if wanted.path.stem in models_of(source, folder) else None
