"""`archdsl check`: say what is wrong with specs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from archdsl import compiler
from archdsl.cli.console import complain, say, write
from archdsl.cli.failure import FAILURE, FINDINGS, Failure
from archdsl.cli.specs import SetOption, find, has_errors, parse_settings
from archdsl.text.allow import ALL, settle
from archdsl.text.codes import CODES
from archdsl.text.diagnostic import Diagnostic, Reporter
from archdsl.text.render import RENDERERS
from archdsl.text.source import Source, Span
from archdsl.text.suggest import nearest


class CheckFormat(StrEnum):
    """How `check` writes what it finds."""

    TEXT = "text"
    PLAIN = "plain"
    JSON = "json"
    GITHUB = "github"


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of one spec; `fine` says what was checked where nothing is wrong."""

    diagnostics: tuple[Diagnostic, ...]
    fine: str = ""
    is_readable: bool = True


def check_specs(
    specs: Annotated[
        list[str],
        typer.Argument(
            metavar="SPEC",
            help="Files, `file:model`, bundled networks, or `-` for stdin. A file is checked with all its models.",
            show_default=False,
        ),
    ],
    form: Annotated[
        CheckFormat,
        typer.Option("--format", help="text for people on stderr; plain, json and github annotations on stdout."),
    ] = CheckFormat.TEXT,
    settings: SetOption = None,
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
) -> None:
    """Say what is wrong with specs.

    Names, arguments, shapes and assertions are checked. The exit code is 1 if a spec has mistakes, 2 if one cannot be
    read; warnings alone leave it 0. `allow W400` in a spec, or in one of its bodies, leaves a warning out there.
    """
    values = parse_settings(settings)
    allowed, denied = warning_codes(allow, "--allow"), warning_codes(deny, "--deny")
    if both := sorted(allowed & denied):
        raise Failure(f"`{both[0]}` is both allowed and denied", "leave out one of the two")
    checked = [_check(spec, values) for spec in specs]
    found = settle((diagnostic for one in checked for diagnostic in one.diagnostics), allowed, denied)
    if form is CheckFormat.TEXT:
        complain(found)
        for one in checked:
            if one.fine and not has_errors(settle(one.diagnostics, allowed, denied)):
                say(one.fine)
    else:
        write(RENDERERS[form](found))
    if not all(one.is_readable for one in checked):
        raise typer.Exit(FAILURE)
    if has_errors(found):
        raise typer.Exit(FINDINGS)


def warning_codes(words: Sequence[str] | None, option: str) -> frozenset[str]:
    """Read the codes of `--allow` and `--deny`.

    Errors: Failure for a code that is no warning's
    """
    known = [ALL, *(code for code in CODES if code.startswith("W"))]
    found: set[str] = set()
    for word in (part.strip() for written in words or () for part in written.split(",")):
        code = word if word == ALL else word.upper()
        if code not in known:
            near = nearest(code, known)
            what = "an error's code" if code in CODES else "no warning's code"
            help = f"the nearest is `{near}`" if near and code not in CODES else "`archdsl explain` lists the codes"
            raise Failure(f"`{option} {word}` names {what}", help)
        found.add(code)
    return frozenset(found)


def _check(spec: str, settings: Mapping[str, str]) -> Checked:
    try:
        source, folder, model = find(spec)
    except Failure as failure:
        report = Reporter()
        report.error(failure.code or "E114", failure.message, Span(0, 0), help=failure.help)
        return Checked(report.diagnostics, is_readable=False)
    names = (model,) if model is not None else compiler.models_of(source, folder)
    diagnostics = _diagnose(source, folder, model, names, settings)
    return Checked(diagnostics, "" if has_errors(diagnostics) else _praise(source, model, names))


def _diagnose(
    source: Source, folder: Path, model: str | None, names: Sequence[str], settings: Mapping[str, str]
) -> tuple[Diagnostic, ...]:
    if not settings or not names:
        return compiler.check(source, folder, model)
    found: dict[tuple[str, str, Span], Diagnostic] = {}
    for name in names:
        for diagnostic in compiler.compile(source, name, settings, folder=folder).diagnostics:
            start, end, origin = diagnostic.span
            # Each model has its own copy of a setting's text, where one mistake is found once for each.
            found.setdefault((diagnostic.code, origin.text, Span(start, end)), diagnostic)
    return tuple(found.values())


def _praise(source: Source, model: str | None, names: Sequence[str]) -> str:
    if model is not None:
        return f"{source.name}:{model}: ok"
    counted = f"{len(names)} {'model' if len(names) == 1 else 'models'}"
    return f"{source.name}: ok, {counted if names else 'no model that needs no arguments'}"
