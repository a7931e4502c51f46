"""How a training run looks: a bar and a line per epoch on stderr, and its result on stdout."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

from archdsl.cli.clock import Clock, duration
from archdsl.cli.console import has_color, width_of
from archdsl.text.render.display import visible
from archdsl.training.observer import Epoch, Result, Start, TrainingStep
from archdsl.training.tasks.figures import FIGURES


class Progress:
    """Watch a run. On a terminal a bar moves with the steps of an epoch; elsewhere there is a line for each epoch."""

    def __init__(self, stream: TextIO) -> None:
        self._console = _console(stream)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[about]}"),
            console=self._console,
            transient=True,
            expand=True,
            disable=not stream.isatty(),
        )
        self._task = TaskID(0)
        self._start: Start | None = None
        self._clock = Clock()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def on_start(self, start: Start) -> None:
        self._start = start
        images = ", ".join(f"{count:,} for {_part(part)}" for part, count in start.images.items())
        trained = (
            "" if start.trained_parameters == start.parameters else f", {start.trained_parameters:,} of them trained"
        )
        self._say(
            f"{start.network}, {start.parameters:,} parameters{trained}, on {start.device}; {start.data}: {images}"
        )
        for note in start.notes:
            self._say(note)
        if start.unused:
            self._say(f"without a loss, since the recipe's `auxiliary` does not name them: {', '.join(start.unused)}")
        if start.step:
            self._say(f"going on after step {start.step:,} of {start.epochs * start.steps_per_epoch:,}")
        self._clock.begin(start.step, start.epochs * start.steps_per_epoch)
        self._task = self._bar.add_task("epoch", total=start.steps_per_epoch, about="")
        self._bar.start()

    def on_step(self, step: TrainingStep) -> None:
        assert self._start is not None
        start = self._start
        within = step.step - (step.epoch - 1) * start.steps_per_epoch
        rate, left = self._clock.tick(step.step)
        images = rate * start.images.get("train", 0) / start.steps_per_epoch
        about = f"loss {step.loss:.3f}  {images:,.0f} images/s  {duration(left)} left{self._clock.memory(start.device)}"
        self._bar.update(self._task, completed=within, description=f"epoch {step.epoch}/{start.epochs}", about=about)

    def on_epoch(self, epoch: Epoch) -> None:
        assert self._start is not None
        number = f"{epoch.epoch:>{len(str(self._start.epochs))}}/{self._start.epochs}"
        number += f", phase {epoch.phase}" if self._start.phases > 1 else ""
        best = self._start.best_by
        parts = [f"{_part(name)} {_shown(figures, best)}" for name, figures in _parts(epoch) if figures]
        star = "  best" if epoch.is_best and epoch.validation else ""
        self._say(f"epoch {number}  {'  '.join(parts)}  {epoch.seconds:.1f} s{star}")

    def on_end(self, result: Result) -> None:
        self._bar.stop()

    def show(self, result: Result, stream: TextIO) -> None:
        """Write what came of a run as a table."""
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(style="bold")
        table.add_column(justify="right")
        table.add_column(style="dim")
        best, name = result.best, result.best_by
        if result.test is not None:
            about = "the best weights, measured once; these images had no say in the run"
            for figure in (name, "loss") if name != "loss" else ("loss",):
                title = FIGURES[figure].title
                table.add_row(f"test {title}", FIGURES[figure].text(result.test[figure]), about)
                about = ""
        if best is not None and best.validation:
            shown = FIGURES[name].text(best.validation[name])
            table.add_row("best epoch", str(best.epoch), f"{shown} {FIGURES[name].title} on the validation images")
        if result.epochs:
            table.add_row("images per second", f"{result.epochs[-1].images_per_second:,.0f}", "in training, last epoch")
        if result.has_stopped_early:
            table.add_row("stopped early", str(len(result.epochs)), "epochs, by the recipe's early_stop")
        if result.skipped_images:
            count = len(result.skipped_images)
            table.add_row("left out", str(count), visible(f"cannot be read: {', '.join(result.skipped_images[:3])}"))
        if result.scaler_skips:
            table.add_row("steps left out", str(result.scaler_skips), "by the scaler of fp16")
        table.add_row("time", duration(result.seconds), "")
        table.add_row("folder", visible(str(result.out)), "")
        _console(stream).print(table)

    def _say(self, text: str) -> None:
        # Unlike a write of our own, one through the bar's console leaves the bar below it.
        with suppress(OSError):  # nobody reads it any more, and the run goes on
            self._console.print(visible(text))


def _parts(epoch: Epoch) -> list[tuple[str, Mapping[str, float]]]:
    return [("train", epoch.train), ("validation", epoch.validation)]


def _part(name: str) -> str:
    return "training" if name == "train" else name


def _shown(figures: Mapping[str, float], best: str) -> str:
    shown = f"loss {figures['loss']:.3f}"
    return shown if best == "loss" else f"{shown}, {FIGURES[best].text(figures[best])}"


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
        soft_wrap=not stream.isatty(),
    )
