"""How an experiment looks while it goes on: one line that is rewritten, or a line for each tenth."""

from __future__ import annotations

from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from archdsl.backends.table import crop
from archdsl.cli.clock import duration
from archdsl.cli.console import width_of
from archdsl.text.render.display import visible

if TYPE_CHECKING:
    from archdsl.experiments.runner import Runner
    from archdsl.experiments.schedule import Seeded
    from archdsl.experiments.trace import Timing, Trace

_PARTS = 10
"""Lines that are written where there is no terminal."""


class ExperimentProgress:
    """Watch an experiment."""

    def __init__(self, stream: TextIO, runner: Runner) -> None:
        self._stream, self._runner = stream, runner
        self._is_terminal = stream.isatty()
        self.done, self.why = 0, ""
        self._new_steps, self._steps = 0, 0
        self._began: float | None = None
        self._part = 0
        self._is_open = False
        self._timings = 0

    def __enter__(self) -> ExperimentProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    def on_run(self, run: Seeded, trace: Trace, *, is_new: bool) -> None:
        self.done += 1
        steps = run.training.steps or len(trace.losses)  # one that diverged took fewer, and is as done
        self._steps += steps
        if not is_new:
            return
        total = max(self._runner.extent.runs, self.done)
        said = f"{self.done:>{len(str(total))}} of {total}  {self._runner.label(run)}{self._left(steps)}"
        part = self.done * _PARTS // total
        if self._is_terminal:
            self._write(f"\r\x1b[K{crop(visible(said), width_of(self._stream) - 1, at_start=False)}")
            self._is_open = True
        elif part > self._part:
            self._write(f"{visible(said)}\n")
        self._part = part

    def _left(self, steps: int) -> str:
        """Say how long the rest takes; the first runs, for which processes have to begin, tell nothing of it."""
        now = monotonic()
        if self._began is None:
            self._began = now
            return ""
        self._new_steps += steps
        left = max(self._runner.extent.total_steps - self._steps, 0)
        return f"  {duration(left * (now - self._began) / self._new_steps)} left"

    def on_death(self, run: Seeded, why: str) -> None:
        self.why = why
        self._clear()
        self._write(visible(f"{self._runner.label(run)}: {why}") + "\n")

    def on_timing(self, timing: Timing) -> None:
        self._timings += 1
        if self._timings == 1:
            self._clear()
            self._write("timing forward passes, with nothing beside them\n")

    def _clear(self) -> None:
        if self._is_open:
            self._write("\r\x1b[K")
            self._is_open = False

    def _write(self, text: str) -> None:
        with suppress(OSError):  # nobody reads it any more, and the runs go on
            self._stream.write(text)
            self._stream.flush()
