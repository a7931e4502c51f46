"""What `archdsl check` does, without what reads its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from archdsl import checking, compiler
from archdsl.cli.console import complain, say, write
from archdsl.cli.failure import FAILURE, FINDINGS
from archdsl.cli.mend import Repair, fixes_of, own_file, repair, write_repaired
from archdsl.cli.specs import FREEZE_OPTION, find, has_errors, parse_settings
from archdsl.ir.freezing import Freezing
from archdsl.lower.plan import models_of
from archdsl.network import Network
from archdsl.semantics.files import declared_experiments, declared_recipes
from archdsl.text.allow import ALL, settle
from archdsl.text.codes import CODES
from archdsl.text.diagnostic import Diagnostic, Reporter
from archdsl.text.error import SpecError
from archdsl.text.failure import Failure
from archdsl.text.record import record
from archdsl.text.render import RENDERERS
from archdsl.text.source import NOWHERE, Source, Span
from archdsl.text.suggest import nearest


class CheckFormat(StrEnum):
    """How `check` writes what it finds."""

    TEXT = "text"
    PLAIN = "plain"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


@record
class CheckOptions:
    """The options of the command, as they were written."""

    settings: Sequence[str] | None = None
    freeze: str | None = None
    allow: Sequence[str] | None = None
    deny: Sequence[str] | None = None
    has_fix: bool = False
    has_diff: bool = False
    has_unsafe: bool = False


@record
class Checked:
    """What came of one spec; `fine` says what was checked where nothing is wrong."""

    repair: Repair
    fine: str = ""
    path: Path | None = None
    """The file that fixes may change; None where there is none."""
    is_stdin: bool = False
    is_readable: bool = True

    @property
    def diagnostics(self) -> Sequence[Diagnostic]:
        return self.repair.diagnostics

    @property
    def is_mendable(self) -> bool:
        return self.path is not None or self.is_stdin


@record
class Wishes:
    """What the options ask for."""

    settings: Mapping[str, str]
    freeze: str | None
    allowed: frozenset[str]
    denied: frozenset[str]
    is_mending: bool
    has_unsafe: bool


def check(specs: Sequence[str], format: CheckFormat, asked: CheckOptions) -> int:
    """Check specs, say what was found, mend what was asked for, and return the exit code.

    Errors: Failure where the options go against each other, or a file cannot be written
    """
    wishes = _wishes(asked)
    if wishes.is_mending and format is not CheckFormat.TEXT and (asked.has_diff or "-" in specs):
        raise Failure("stdout takes either edits or diagnostics", "leave out --format")
    checked = [_check(spec, wishes) for spec in specs]
    found = [diagnostic for one in checked for diagnostic in one.diagnostics]
    if asked.has_fix and not asked.has_diff:
        _put(checked)
    if asked.has_diff:
        _show_diffs(checked)
    elif format is CheckFormat.TEXT:
        _tell(checked, found, wishes)
    else:
        write(RENDERERS[format](found))
    if not all(one.is_readable for one in checked):
        return FAILURE
    if has_errors(found) or (asked.has_diff and any(one.repair.count for one in checked)):
        return FINDINGS
    return 0


def _wishes(asked: CheckOptions) -> Wishes:
    values = parse_settings(asked.settings)
    allowed, denied = warning_codes(asked.allow, "--allow"), warning_codes(asked.deny, "--deny")
    if both := sorted(allowed & denied):
        raise Failure(f"`{both[0]}` is both allowed and denied", "leave out one of the two")
    is_mending = asked.has_fix or asked.has_diff
    if is_mending and values:
        raise Failure("`--fix` mends what is written, and `--set` checks something else", "leave out one of the two")
    return Wishes(values, asked.freeze, allowed, denied, is_mending, asked.has_unsafe)


def _show_diffs(checked: Sequence[Checked]) -> None:
    """Show what fixes would change, and on stderr what they would leave."""
    write("".join(one.repair.diff() for one in checked))
    complain(diagnostic for one in checked if not one.is_readable for diagnostic in one.diagnostics)
    for one in (one for one in checked if one.is_readable):
        left = f"{_counted(len(one.diagnostics), 'finding', 'findings')} left" if one.diagnostics else "nothing left"
        say(f"{one.repair.before.name}: {_counted(one.repair.count, 'fix', 'fixes')}, {left}")


def _put(checked: Sequence[Checked]) -> None:
    """Write what fixes have changed: files that are of the user, and stdin's text whether it is changed or not."""
    for one in checked:
        if one.is_stdin:
            write(one.repair.after.text)
        elif one.path is not None and one.repair.count:
            write_repaired(one.path, one.repair)


def _tell(checked: Sequence[Checked], found: Sequence[Diagnostic], wishes: Wishes) -> None:
    """Say on stderr what is wrong, what was mended or can be, and what is fine."""
    complain(found)
    for one in checked:
        if one.repair.count:
            say(f"{one.repair.before.name}: {_counted(one.repair.count, 'fix', 'fixes')}")
        if one.fine:
            say(one.fine)
    safe, likely = (
        sum(len(fixes_of(one.diagnostics, one.repair.after, unsafe=unsafe)) for one in checked if one.is_mendable)
        for unsafe in (False, True)
    )
    if likely and not wishes.is_mending:
        parts = [f"{safe} can be mended by --fix"] if safe else []
        more = "more with --unsafe-fixes" if safe else "can be mended by --fix --unsafe-fixes"
        parts += [f"{likely - safe} {more}"] if likely > safe else []
        say(", ".join(parts))


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


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


def _check(spec: str, wishes: Wishes) -> Checked:
    try:
        source, folder, model = find(spec)
    except Failure as failure:
        report = Reporter()
        report.error(failure.code or "E114", failure.message, Span(0, 0), help=failure.help)
        return Checked(Repair(NOWHERE, NOWHERE, report.diagnostics, 0), is_readable=False)
    is_stdin = spec == "-"
    path = own_file(spec) if not is_stdin else None

    def diagnose(source: Source) -> list[Diagnostic]:
        names = (model,) if model is not None else models_of(source, folder)
        found = _diagnose(source, folder, model, names, wishes.settings)
        if wishes.freeze is not None and not has_errors(found):
            found = (*found, *_misnamed(source, folder, names, wishes))
        return settle(found, wishes.allowed, wishes.denied)

    if wishes.is_mending and (path is not None or is_stdin):
        repaired = repair(source, diagnose, unsafe=wishes.has_unsafe)
    else:
        repaired = Repair(source, source, diagnose(source), 0)
    fine = "" if has_errors(repaired.diagnostics) else _praise(repaired.after, folder, model)
    return Checked(repaired, fine, path, is_stdin)


def _diagnose(
    source: Source, folder: Path, model: str | None, names: Sequence[str], settings: Mapping[str, str]
) -> tuple[Diagnostic, ...]:
    if not settings or not names:
        return checking.check(source, folder, model)
    found: dict[tuple[str, str, Span], Diagnostic] = {}
    for name in names:
        compiled = compiler.compile(source, name, settings, folder=folder)
        for diagnostic in (*compiled.diagnostics, *compiled.find_warnings()):
            start, end, origin = diagnostic.span
            # Each model has its own copy of a setting's text, where one mistake is found once for each.
            found.setdefault((diagnostic.code, origin.text, Span(start, end)), diagnostic)
    return tuple(found.values())


def _misnamed(source: Source, folder: Path, names: Sequence[str], wishes: Wishes) -> tuple[Diagnostic, ...]:
    """Return what is wrong with the parts that are to be frozen, for each model."""
    assert wishes.freeze is not None
    try:
        freezing = Freezing.read(wishes.freeze, FREEZE_OPTION)
        for name in names:
            Network(compiler.compile(source, name, wishes.settings, folder=folder)).frozen(freezing)
    except SpecError as error:
        return error.diagnostics
    return ()


def _praise(source: Source, folder: Path, model: str | None) -> str:
    if model is not None:
        return f"{source.name}:{model}: ok"
    models, recipes = len(models_of(source, folder)), len(declared_recipes(source.text))
    experiments = len(declared_experiments(source.text))
    found = [_counted(models, "model", "models")] if models else []
    found += [_counted(recipes, "recipe", "recipes")] if recipes else []
    found += [_counted(experiments, "experiment", "experiments")] if experiments else []
    listed = " and ".join(", ".join(found).rsplit(", ", 1))
    return f"{source.name}: ok, {listed or 'no model that needs no arguments'}"
