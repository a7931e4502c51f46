"""`archdsl experiment`: carry an experiment out, or list those that come with archdsl."""

from __future__ import annotations

import re
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from archdsl.cli.clock import duration
from archdsl.cli.console import has_color, say, width_of, write
from archdsl.cli.failure import INTERRUPTED
from archdsl.experiment_specs import FoundExperiment, bundled_experiments, find_experiment
from archdsl.text.failure import Failure, require
from archdsl.text.files import cannot_write, write_atomically
from archdsl.text.render.display import visible

if TYPE_CHECKING:
    from archdsl.experiments.findings import Findings
    from archdsl.experiments.runner import Extent, Runner

_WIDEST, _NARROWEST = 100, 30
_NEEDS = ("torch", "safetensors", "matplotlib", "sklearn", "lightning_fabric", "torchvision", "PIL")


def run_experiment(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="EXPERIMENT", help="A name, FILE or FILE:NAME; none lists those there are.", show_default=False
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", metavar="N", min=1, max=1000, help="Runs of each.", show_default="what it says"),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, max=256, help="Runs at a time, a process and a thread each.")
    ] = 2,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Where report and runs go.", show_default="runs/NAME"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also write to a folder that holds something else.")
    ] = False,
    device: Annotated[str, typer.Option("--device", metavar="NAME", help="Such as `cpu` or `cuda:1`.")] = "auto",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check all, and say how many runs there are and about how long they take.")
    ] = False,
) -> None:
    r"""Carry an experiment out, or list those there are.

    Writes a report with the rules' verdicts, a table, charts and a row for each run. Runs that are there already are
    not done again, so that the same command goes on where it was interrupted. It also ends well where a rule is not
    shown: that is a result. Needs `pip install "archdsl\[train]"`.
    """
    if name is None:
        _list()
        return
    found = find_experiment(name)
    require(*_NEEDS, extra="train")
    target = out or Path("runs") / found.experiment.name
    if not dry_run:
        _refuse_others(target, found.experiment.name, overwrite=overwrite)
    from archdsl.experiments.runner import RUNS, Runner
    from archdsl.experiments.setup import Home
    from archdsl.training.run.lock import locked

    home = Home(found.source.text, found.source.name, found.folder, device)
    runner = Runner(found.experiment, home, target, seeds or found.experiment.seeds, workers)
    if dry_run:
        _estimate(runner)
        return
    say(f"{found.experiment.name}: {_extent(runner.extent)}, on {_count(workers, 'worker')}")
    with locked(target, RUNS):
        if not _carry_out(runner):
            raise typer.Exit(0)
        _write(runner, found, _command(name, seeds, out))


def _list() -> None:
    width, bold = min(width_of(sys.stdout), _WIDEST), has_color(sys.stdout)
    start, end = ("\x1b[1m", "\x1b[0m") if bold else ("", "")
    for one in bundled_experiments():
        about = fill(visible(" ".join(one.doc.split())), width, initial_indent="  ", subsequent_indent="  ")
        write(f"{start}{visible(one.name)}{end}\n" + (f"{about}\n" if about else ""))


def _command(name: str, seeds: int | None, out: Path | None) -> str:
    words = ["archdsl", "experiment", name]
    words += ["--seeds", str(seeds)] if seeds is not None else []
    words += ["--out", str(out)] if out is not None else []
    return shlex.join(words)


def _refuse_others(out: Path, name: str, *, overwrite: bool) -> None:
    """Check that a folder is empty, or of this experiment.

    Errors: Failure with E331
    """
    from archdsl.experiments.page import TEXT
    from archdsl.semantics.files import declared_experiments

    if overwrite:
        return
    try:
        if not out.exists():
            return
        if not out.is_dir():
            raise Failure(f"`{out}` is a file, and a report is a folder", "name a folder", "E331")
        inside = [path.name for path in out.iterdir()]
        is_empty = not inside or (inside == ["runs"] and not any(path.is_dir() for path in (out / "runs").iterdir()))
        kept = out / TEXT
        own = declared_experiments(kept.read_text(encoding="utf-8")) if kept.is_file() else []
    except (OSError, UnicodeDecodeError):
        raise Failure(f"`{out}` cannot be read", "name another folder", "E331") from None
    if not is_empty and own != [name]:
        what = f"the experiment `{own[0]}`" if own else "something else"
        raise Failure(f"`{out}` already holds {what}", "name another folder, or say --overwrite", "E331")


def _extent(extent: Extent) -> str:
    low, high = extent.steps
    steps = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    points, trainings = _count(extent.points, "point"), _count(extent.trainings, "training")
    if not extent.trainings:
        return f"{points}, and nothing to train"
    return f"{points}, {trainings}, {_count(extent.runs, 'run')} of {steps} steps"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _estimate(runner: Runner) -> None:
    from archdsl.experiments.estimate import seconds_per_step

    seconds = runner.extent.total_steps * seconds_per_step(runner) / runner.workers
    about = f"about {duration(seconds)} on {_count(runner.workers, 'worker')}"
    write(f"{runner.experiment.name}: {_extent(runner.extent)}, {about}; nothing was written\n")


def _carry_out(runner: Runner) -> bool:
    """Carry out what is left, and say how it goes on; leave the program where a signal asks to.

    Errors: Failure where processes died
    """
    from archdsl.cli.experiment_progress import ExperimentProgress
    from archdsl.training.stop import StopSignals

    with StopSignals() as stop, ExperimentProgress(sys.stderr, runner) as progress:
        is_done = runner.run(progress, lambda: bool(stop.received))
    if stop.received and not is_done:
        done = f"{progress.done:,} of {runner.extent.runs:,} runs are done"
        say(f"interrupted by {stop.received}; {done}, and the same command goes on")
        raise typer.Exit(INTERRUPTED.get(stop.received, 1))
    if runner.deaths:
        help = "the same command does them again; where memory is short, take fewer --workers"
        raise Failure(f"{_count(runner.deaths, 'run')} ended with the process, {progress.why}", help)
    return is_done


_CHART = re.compile(r'(?:\]\(|src=")((?:loss|\d+_\w+|shown_\d+|difference_\d+)\.svg)[)"]')
"""What a report shows of the files beside it."""


def _charts_of(page: Path) -> set[str]:
    """Return the charts that a report shows; none where there is no report."""
    try:
        return {match[1] for match in _CHART.finditer(page.read_text(encoding="utf-8"))}
    except (OSError, UnicodeDecodeError):
        return set()


def _write(runner: Runner, found: FoundExperiment, command: str) -> None:
    from archdsl.experiments.page import REPORT, report

    files = report(runner.findings, command, lambda model: runner.setup.compiled(model)[0])
    earlier = _charts_of(runner.out / REPORT)
    for name, content in files.items():
        path = runner.out / name
        try:
            write_atomically(path, content)
        except OSError as error:
            raise cannot_write(path, error) from None
    for name in earlier - files.keys():  # of another version of the text
        with suppress(OSError):
            (runner.out / name).unlink()
    write(_shown(runner.findings, found))
    say(f"wrote {runner.out / 'report.md'} and {_count(len(files) - 1, 'other file')}")


def _shown(findings: Findings, found: FoundExperiment) -> str:
    from archdsl.experiments.words import result_table, summary_of, table_lines, verdict_text

    width, is_coloured = width_of(sys.stdout), has_color(sys.stdout)
    verdicts = [findings.verdict(rule) for rule in found.experiment.rules]
    bold, plain = ("\x1b[1m", "\x1b[0m") if is_coloured else ("", "")
    lines = [f"{bold}{found.experiment.name}{plain}", *table_lines(result_table(findings), width), ""]
    room = max(min(width, _WIDEST), _NARROWEST)
    for verdict in verdicts:
        lead = f"{'shown' if verdict.is_shown else 'not shown':<10} "
        text = visible(verdict_text(verdict))
        lines.append(fill(text, room, initial_indent=lead, subsequent_indent=" " * len(lead)))
    return "\n".join([*lines, fill(visible(summary_of(verdicts)), room)]) + "\n"
