"""`archdsl fmt`: put specs into the one style."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from archdsl.api import format
from archdsl.cli.console import say, write
from archdsl.cli.difference import show_difference
from archdsl.cli.failure import FINDINGS, report
from archdsl.cli.files import STDIN, rewrite
from archdsl.syntax.formatter import FormatterBug
from archdsl.syntax.parser import MAX_CHARACTERS
from archdsl.text.error import SpecError
from archdsl.text.failure import Failure, cannot
from archdsl.text.files import open_plain
from archdsl.text.render.display import visible
from archdsl.text.source import Source

SUFFIX = ".arch"
# Whatever is longer than this is longer than a spec may be, in any characters.
_MOST_BYTES = 4 * MAX_CHARACTERS + 4


@dataclass(frozen=True, slots=True)
class _Spec:
    """A spec to format; `path` is None for stdin."""

    name: str
    path: Path | None

    def read(self) -> str:
        """Return the text, with a byte order mark if there is one. Errors: Failure."""
        try:
            if self.path is None:
                content = sys.stdin.buffer.read(_MOST_BYTES)
            else:
                with open_plain(self.path) as file:
                    content = file.read(_MOST_BYTES)
        except OSError as error:
            raise Failure(cannot("read", self.name, error), code="E114") from None
        try:
            return content.decode("utf-8", errors="replace" if len(content) == _MOST_BYTES else "strict")
        except UnicodeDecodeError as error:
            what = "stdin" if self.path is None else f"`{self.name}`"
            raise Failure(f"{what} is no UTF-8 text: {error.reason} at byte {error.start}", code="E004") from None


def format_specs(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="Files, folders for all `.arch` files below them, or `-` for stdin, which is written to stdout.",
            show_default=False,
        ),
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; list what would change, with exit code 1.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Change nothing; show what would change, with exit code 1.")
    ] = False,
) -> None:
    """Put specs into the one style.

    There are no options of style. A spec with mistakes is left as it is, and they are shown: the exit code is 1. It is
    2 where a file cannot be read or written; the others are formatted all the same.
    """
    worst = changed = count = 0
    for spec in _specs(paths):
        if isinstance(spec, Failure):
            worst = max(worst, report(spec, sys.argv[1:]))
            continue
        try:
            is_changed = _format(spec, check=check, diff=diff)
        except (SpecError, Failure, FormatterBug, OSError) as error:
            worst = max(worst, report(error, sys.argv[1:]))
            continue
        count += 1
        changed += is_changed
    if check or diff:
        worst = max(worst, FINDINGS if changed else 0)
    if count and list(paths) != ["-"]:
        say(_summary(changed, count - changed, "would change" if check or diff else "formatted"))
    if worst:
        raise typer.Exit(worst)


def _format(spec: _Spec, *, check: bool, diff: bool) -> bool:
    """Format one spec, or show what would become of it; tell whether that is another text."""
    before = spec.read()
    after = format(Source(before, spec.name))
    is_changed = after != before
    if diff and is_changed:
        write(show_difference(before, after, spec.name, "formatted"))
    elif check and is_changed:
        write(f"{visible(spec.name)}\n")
    elif not (check or diff):
        _put(spec, after, is_changed=is_changed)
    return is_changed


def _put(spec: _Spec, text: str, *, is_changed: bool) -> None:
    if spec.path is None:
        write(text)
    elif is_changed:
        if not os.access(spec.path, os.W_OK):
            raise Failure(f"`{spec.name}` may not be written", code="E332")
        rewrite(spec.path, text)
        say(f"formatted {spec.name}")


def _specs(paths: Sequence[str]) -> Iterator[_Spec | Failure]:
    """Return what the arguments name, each file once, and a failure for each that names nothing."""
    seen: set[Path] = set()
    for name in paths:
        if name == "-":
            yield _Spec(STDIN, None)
            continue
        path = Path(name)
        if not path.exists():
            yield Failure(f"no file and no folder is called `{name}`", code="E114")
            continue
        files = _below(path) if path.is_dir() else [path]
        if not files:
            yield Failure(f"no {SUFFIX} file is in `{name}`", code="E114")
        for file in files:
            home = file.resolve()
            if home not in seen:
                seen.add(home)
                yield _Spec(str(file), file)


def _below(folder: Path) -> list[Path]:
    """List the specs below a folder, but for those in hidden folders, which are other programs'."""
    found: list[Path] = []
    for home, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(home, name) for name in sorted(files) if name.endswith(SUFFIX)]
    return [path for path in found if path.is_file()]


def _summary(changed: int, kept: int, what: str) -> str:
    if not changed:
        return f"{kept} {'file is' if kept == 1 else 'files are'} in the style already"
    left = f", {kept} {'is' if kept == 1 else 'are'} in the style already" if kept else ""
    return f"{changed} {'file' if changed == 1 else 'files'} {what}{left}"
