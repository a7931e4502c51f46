"""`archdsl runs`: compare runs by what their folders say of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Annotated

import typer

from archdsl.cli.console import has_color, say, width_of, write
from archdsl.cli.failure import FINDINGS
from archdsl.cli.files import write_output
from archdsl.cli.options import OverwriteOption
from archdsl.cli.runs_of import RunFormat, RunFormatOption, numbers
from archdsl.text.failure import Failure
from archdsl.text.render.display import visible
from archdsl.training.error import TrainingError
from archdsl.training.run.record import RunRecord, find_runs, read_metrics, read_record, read_test
from archdsl.training.tasks.figures import FIGURES, is_better


@dataclass(frozen=True)
class ListedRun:
    """A run as its folder tells it: its record, a row of metrics for each epoch, and its test figures if it has any."""

    path: Path
    record: RunRecord
    rows: Sequence[Mapping[str, float]]
    test: Mapping[str, float] | None

    @property
    def best(self) -> Mapping[str, float] | None:
        """The first of the best epochs by validation; None where none ended."""
        found: Mapping[str, float] | None = None
        for row in self.rows:
            if self.column in row and (found is None or self._is_better(row, found)):
                found = row
        return found

    def _is_better(self, row: Mapping[str, float], other: Mapping[str, float]) -> bool:
        return is_better(self.record.best_by, row[self.column], other[self.column])

    @property
    def column(self) -> str:
        """What metrics call the figure that the best epoch is chosen by."""
        return f"validation_{self.record.best_by}"

    @property
    def order(self) -> tuple[str, float]:
        """Sorts runs by the kind of figure, the best first."""
        best, name = self.best, self.record.best_by
        if best is None or best[self.column] != best[self.column]:
            return name, inf
        return name, best[self.column] if FIGURES[name].is_less_better else -best[self.column]


def list_runs(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR", help="Folders of runs, or with runs below them.", show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Plot the runs to this .png, .svg or .pdf."),
    ] = None,
    overwrite: OverwriteOption = False,
    format: RunFormatOption = RunFormat.TEXT,
) -> None:
    """Compare runs.

    They are sorted by the figure that chose their best epochs. The exit code is 1 if the files of one are damaged; the
    others are listed all the same. Torch is not needed.
    """
    from archdsl.backends.summary import write_json

    runs, damaged = _read(folders)
    runs.sort(key=lambda run: run.order)
    if format is RunFormat.JSON:
        write(write_json([_record(run) for run in runs]))
    elif runs:
        write(_table(runs, width_of(sys.stdout), color=has_color(sys.stdout)))
    if output is not None:
        write_output(output, _plot(runs, output), output.suffix[1:].lower(), (), overwrite=overwrite)
        say(f"wrote {output}")
    if damaged:
        raise typer.Exit(FINDINGS)


def _read(folders: Sequence[Path]) -> tuple[list[ListedRun], int]:
    """Read the runs in some folders, telling those that cannot be; return how many those are, too.

    Errors: TrainingError with E366 for a folder without any
    """
    runs: dict[Path, ListedRun] = {}
    damaged = 0
    for folder in folders:
        found = list(find_runs(folder))
        if not found:
            read_record(folder)
        for path in found:
            if path.resolve() in runs:
                continue
            try:
                runs[path.resolve()] = ListedRun(path, read_record(path), read_metrics(path), read_test(path))
            except TrainingError as error:
                damaged += 1
                say(error.message, f"error[{error.code}]: ")
    return list(runs.values()), damaged


def _record(run: ListedRun) -> dict[str, object]:
    best = run.best
    return {
        "run": str(run.path),
        "model": run.record.model,
        "data": run.record.data,
        "epochs": len(run.rows),
        "best_by": run.record.best_by,
        "best": None if best is None else numbers(best),
        "test": None if run.test is None else numbers(run.test),
    }


def _table(runs: Sequence[ListedRun], width: int, *, color: bool) -> str:
    from archdsl.backends.table import Column, lay_out

    path = Column("run", [visible(str(run.path)) for run in runs], can_shrink=True, is_path=True)
    model = Column("model", [run.record.model for run in runs], can_shrink=True)
    data = Column("data", [visible(run.record.data) for run in runs], can_shrink=True)
    epochs = Column("epochs", [str(len(run.rows)) for run in runs], True)
    best = Column("best", [_epoch(run) for run in runs], True)
    figure = Column("by", [run.record.best_by for run in runs])
    validation = Column("validation", [_figure(run, run.best, run.column) for run in runs], True)
    test = Column("test", [_figure(run, run.test, run.record.best_by) for run in runs], True)
    time = Column("time", [_time(sum(row.get("seconds", 0) for row in run.rows)) for run in runs], True)
    choices = [
        (path, model, data, epochs, best, time, figure, validation, test),
        (path, model, epochs, best, figure, validation, test),
        (path, figure, validation, test),
    ]
    header, *rows = lay_out(choices, width)
    bold, plain = ("\x1b[1m", "\x1b[0m") if color else ("", "")
    return "\n".join([f"{bold}{header}{plain}", *rows]) + "\n"


def _epoch(run: ListedRun) -> str:
    best = run.best
    return "" if best is None or "epoch" not in best else f"{best['epoch']:.0f}"


def _figure(run: ListedRun, figures: Mapping[str, float] | None, name: str) -> str:
    if figures is None or name not in figures:
        return ""
    return FIGURES[run.record.best_by].text(figures[name])


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _plot(runs: Sequence[ListedRun], output: Path) -> bytes:
    from archdsl.backends.chart import FORMATS
    from archdsl.training.reports.curves import RunCurve, compared

    format = output.suffix.removeprefix(".").lower()
    if format not in FORMATS:
        raise Failure(f"a plot is written as {', '.join(FORMATS)}, not as `{output}`")
    figures = list(dict.fromkeys(run.record.best_by for run in runs))
    if len(figures) != 1:
        fact = f"one plot cannot show {' and '.join(figures)}" if figures else "there is no run to plot"
        raise Failure(fact, "name runs that were chosen by the same figure")
    return compared([RunCurve(str(name), run.rows) for name, run in _named(runs)], figures[0], format)


def _named(runs: Sequence[ListedRun]) -> Iterator[tuple[Path, ListedRun]]:
    """Yield runs with what tells them apart: their paths without the folder that all are in."""
    shared = [path for path in runs[0].path.parents if all(path in run.path.parents for run in runs)]
    for run in runs:
        yield run.path.relative_to(shared[0]) if shared else run.path, run
