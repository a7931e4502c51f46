"""How a training run looks: a bar and a line per epoch on stderr, and its result on stdout."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from archdsl.cli.console import has_color, width_of
from archdsl.text.render.display import visible
from archdsl.training.observer import Epoch, Result, Start, TrainingStep


class Progress:
    """Watch a run. On a terminal a bar moves with the steps; elsewhere there is one line for each epoch."""

    def __init__(self, stream: TextIO) -> None:
        self._console = _console(stream)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            expand=True,
            disable=not stream.isatty(),
        )
        self._task = TaskID(0)
        self._epochs = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def on_start(self, start: Start) -> None:
        self._epochs = start.epochs
        self._say(
            f"{start.network}, {start.parameters:,} parameters, on {start.device}; "
            f"{start.data}, {start.train_images:,} images for training and {start.test_images:,} for test"
        )
        if start.unused:
            self._say(f"without a loss, since only `training` outputs have one: {', '.join(start.unused)}")
        self._task = self._bar.add_task("step", total=start.epochs * start.steps_per_epoch, loss="")
        self._bar.start()

    def on_step(self, step: TrainingStep) -> None:
        self._bar.update(self._task, completed=step.step, loss=f"loss {step.loss:.3f}")

    def on_epoch(self, epoch: Epoch) -> None:
        digits = len(str(self._epochs))
        train = f"train loss {epoch.train_loss:.3f}, {epoch.train_accuracy:6.1%}"
        test = f"test loss {epoch.test_loss:.3f}, {epoch.test_accuracy:6.1%}"
        self._say(f"epoch {epoch.epoch:>{digits}}/{self._epochs}  {train}  {test}  {epoch.seconds:.1f} s")

    def on_end(self, result: Result) -> None:
        self._bar.stop()

    def show(self, result: Result, stream: TextIO) -> None:
        """Write what came of a run as a table."""
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(style="bold")
        table.add_column(justify="right")
        table.add_column(style="dim")
        best = result.best
        if result.test_accuracy is not None and best is not None:
            last = result.epochs[-1]
            table.add_row("test accuracy", f"{result.test_accuracy:.2%}", f"after the last epoch, {last.epoch}")
            table.add_row("test loss", f"{last.test_loss:.4f}", "cross-entropy")
            table.add_row("best epoch", str(best.epoch), f"{best.test_accuracy:.2%}, chosen on the test images")
            table.add_row("images per second", f"{last.images_per_second:,.0f}", "in training, last epoch")
        table.add_row("time", _clock(result.seconds), "")
        table.add_row("folder", visible(str(result.out)), visible(_files(result.out)))
        _console(stream).print(table)

    def _say(self, text: str) -> None:
        # Unlike a write of our own, one through the bar's console leaves the bar below it.
        self._console.print(visible(text))


def _console(stream: TextIO) -> Console:
    is_colored = has_color(stream)
    return Console(
        file=stream,
        width=width_of(stream),
        no_color=not is_colored,
        force_terminal=stream.isatty() or is_colored,
        color_system="auto" if is_colored else None,
        highlight=False,
        emoji=False,
        markup=False,
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{seconds:.1f} s" if seconds < 60 else f"{minutes} min {rest} s"


def _files(folder: Path) -> str:
    return ", ".join(sorted(path.name for path in folder.iterdir() if path.suffix in (".png", ".csv", ".py")))
