"""Runs carried out one after another, or by several processes. Importing this imports no torch, and is soon done."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from typing import TYPE_CHECKING, Any, TypeAlias

from archdsl.text.error import SpecError
from archdsl.text.failure import Failure

if TYPE_CHECKING:
    from archdsl.experiments.setup import Home, Setup
    from archdsl.experiments.single import Job
    from archdsl.experiments.trace import Trace

_PATIENCE = 0.2
"""Seconds between two looks at whether to stop."""


@dataclass(frozen=True, slots=True)
class Died:
    """What is left of a run whose process ended: how."""

    why: str


Ending: TypeAlias = "Trace | Died"


class Crew:
    """Carries runs out, by so many processes; with one worker it is this process that does it.

    Runs are the same with any number of workers. Processes begin with the first runs, and end with `close`.
    """

    def __init__(self, setup: Setup, workers: int) -> None:
        self._setup, self._most = setup, workers
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []

    def carry_out(self, jobs: Sequence[Job], is_over: Callable[[], bool]) -> Iterator[tuple[Job, Ending]]:
        """Yield what came of each run as soon as it is there, until `is_over` asks to end.

        Errors: Failure and SpecError, as of the run
        """
        return self._by_processes(jobs, is_over) if self._most > 1 else self._alone(jobs, is_over)

    def _alone(self, jobs: Sequence[Job], is_over: Callable[[], bool]) -> Iterator[tuple[Job, Ending]]:
        from archdsl.experiments.single import StoppedError, carry_out

        for job in jobs:
            if is_over():
                return
            try:
                yield job, carry_out(job, self._setup, is_over)
            except StoppedError:
                return

    def _by_processes(self, jobs: Sequence[Job], is_over: Callable[[], bool]) -> Iterator[tuple[Job, Ending]]:
        left = list(reversed(jobs))
        while (left or self._busy) and not is_over():
            while left and len(self._busy) < self._most:
                self._busy.append(self._idle.pop() if self._idle else _Worker(self._setup.home))
                self._busy[-1].give(left.pop())
            pipes = {worker.pipe: worker for worker in self._busy}
            for pipe in connection.wait([*pipes], _PATIENCE):
                worker = pipes[pipe]  # pyright: ignore[reportArgumentType] -- only pipes were given
                assert worker.job is not None
                outcome = worker.take()
                self._busy.remove(worker)
                if isinstance(outcome, Died):
                    worker.end()
                else:
                    self._idle.append(worker)
                yield worker.job, outcome

    @property
    def pids(self) -> list[int]:
        """The processes that there are."""
        return [worker.process.pid or 0 for worker in (*self._busy, *self._idle)]

    def close(self) -> None:
        """End all processes, whatever they do."""
        for worker in (*self._idle, *self._busy):
            worker.end()
        self._idle, self._busy = [], []


class _Worker:
    """A process that carries out the runs that it is sent."""

    def __init__(self, home: Home) -> None:
        # A fork would take torch's threads along, which do not outlive it.
        context = get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=work, args=(other, home), daemon=True)
        self.process.start()
        other.close()
        self.job: Job | None = None

    def give(self, job: Job) -> None:
        """Send a run."""
        self.job = job
        with suppress(OSError):  # it died; its pipe tells so
            self.pipe.send(job)

    def take(self) -> Ending:
        """Return what came of the run. Requires: the pipe has something to say.

        Errors: Failure and SpecError, as of the run
        """
        try:
            word, content = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(_PATIENCE)
            return Died(_ending(self.process.exitcode))
        match word:
            case "trace":
                return content
            case "failure":
                raise Failure(*content)
            case "spec":
                raise SpecError(content)
            case _:
                raise RuntimeError(f"a run of an experiment failed:\n{content}")

    def end(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process ended with exit status {code}"


def work(pipe: Any, home: Home) -> None:
    """Carry out the runs that come through a pipe, until it is closed."""
    # Signals of a terminal reach all its processes, and the parent ends its workers itself.
    for name in ("SIGINT", "SIGHUP", "SIGTERM"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"
    from archdsl.experiments.setup import Setup
    from archdsl.experiments.single import carry_out

    setup = Setup(home)
    with suppress(EOFError, OSError):
        while True:
            job = pipe.recv()
            try:
                said: tuple[str, object] = ("trace", carry_out(job, setup))
            except Failure as error:
                said = ("failure", (error.message, error.help, error.code))
            except SpecError as error:
                said = ("spec", error.diagnostics)
            except Exception:  # noqa: BLE001 - the parent tells it
                said = ("bug", traceback.format_exc())
            pipe.send(said)
