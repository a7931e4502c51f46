"""An experiment from its text to its findings: what is there already is read, the rest is carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from typing import Protocol, TypeVar

from pydantic import ValidationError

from archdsl.experiments.findings import Findings, NetworkChoice, batch_of, network_of
from archdsl.experiments.measures import GAUGES
from archdsl.experiments.pool import Crew, Died
from archdsl.experiments.schedule import (
    Seeded,
    count_runs,
    depth_of,
    final_runs,
    measures_at,
    readings_by_training,
    tuning_runs,
)
from archdsl.experiments.setup import Home, Setup, check
from archdsl.experiments.single import Job
from archdsl.experiments.timing import time_forward
from archdsl.experiments.trace import FORMAT, Timing, Trace, digest_of, seal_of
from archdsl.experiments.words import training_name
from archdsl.ir.experiment import Experiment
from archdsl.text.files import cannot_write, write_atomically
from archdsl.training.device import find_device
from archdsl.training.plan import environment

RUNS = "runs"
"""The folder below an experiment's that has a file for each run."""
_LARGEST = 64_000_000
R = TypeVar("R", Trace, Timing)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is to be done: points, distinct trainings, runs, and the steps of the shortest and the longest."""

    points: int
    trainings: int
    runs: int
    steps: tuple[int, int]
    total_steps: int
    """Of all runs, as far as it is known before options are chosen."""


class Watcher(Protocol):
    """Sees an experiment go on. Runs are told as they end; those that were there already at once."""

    def on_run(self, run: Seeded, trace: Trace, *, is_new: bool) -> None: ...

    def on_death(self, run: Seeded, why: str) -> None: ...

    def on_timing(self, timing: Timing) -> None: ...


@dataclass
class Runner:
    """Carries an experiment out, as far as it is not done, and keeps each run in a file of its folder.

    Errors: where it is made, SpecError and Failure for what is wrong with models, recipes, data and paths
    """

    experiment: Experiment
    home: Home
    out: Path
    seeds: int
    workers: int = 1
    deaths: int = 0
    setup: Setup = field(init=False)
    findings: Findings = field(init=False)

    def __post_init__(self) -> None:
        self.setup = Setup(self.home)
        self.findings = Findings(self.experiment, self.seeds)
        self._readings = readings_by_training(self.experiment)
        self._keys: dict[Seeded, str] = {}
        self.extent = self._check()
        self._count_costs()

    def _check(self) -> Extent:
        """Check all trainings before the first run, and count."""
        steps = {
            training: check(training, readings, self.setup.plan(training, 0))
            for training, readings in self._readings.items()
        }
        runs = count_runs(self.experiment, self.seeds)
        mean = sum(steps.values()) / max(len(steps), 1)
        longest = (min(steps.values(), default=0), max(steps.values(), default=0))
        return Extent(len(self.experiment.points), len(steps), runs, longest, round(mean * runs))

    def _count_costs(self) -> None:
        for point in self.experiment.points:
            network, _ = self.setup.compiled(point.training.model, self.setup.data(point.training.data, 0))
            costs = network.costs
            memory = float(network.memory().inference)
            found = {"parameters": float(costs.parameters), "macs": float(costs.macs), "memory": memory}
            self.findings.costs[network_of(point)] = found

    def run(self, watcher: Watcher, is_over: Callable[[], bool] = lambda: False) -> bool:
        """Carry out what is left; return whether all is there then.

        Errors: Failure; E332 where a run cannot be kept
        """
        crew = Crew(self.setup, self.workers)
        try:
            tuning = tuning_runs(self.experiment, self.seeds)
            if not self._carry_out(crew, tuning, watcher, is_over):
                return False
            self.findings.choose()
            final = final_runs(self.experiment, self.seeds, self.findings.chosen)
            if not self._carry_out(crew, final, watcher, is_over):
                return False
        finally:
            crew.close()
        return self._time(watcher, is_over)

    def _carry_out(self, crew: Crew, runs: Sequence[Seeded], watcher: Watcher, is_over: Callable[[], bool]) -> bool:
        self._make_folder()
        deepest = max((depth_of(run.training) for run in runs), default=0)
        for depth in range(deepest + 1):  # what is started from comes before what starts from it
            level = [run for run in runs if depth_of(run.training) == depth and run not in self.findings.traces]
            left = [run for run in level if not self._take_kept(run, watcher)]
            # Texts that differ may mean the same run: `lr=0.1` and `lr=0.10`.
            jobs = {self._key(run): self._job(run) for run in left}
            for job, outcome in crew.carry_out([*jobs.values()], is_over):
                runs_of = [run for run in left if self._key(run) == job.key]
                if isinstance(outcome, Died):
                    self.deaths += 1
                    watcher.on_death(runs_of[0], outcome.why)
                    continue
                self._keep(job.key, outcome)
                for run in runs_of:
                    self.findings.traces[run] = outcome
                    watcher.on_run(run, outcome, is_new=True)
            if any(run not in self.findings.traces for run in level):
                return False
        return True

    def _key(self, run: Seeded) -> str:
        if run not in self._keys:
            self._keys[run] = self.setup.key(run.training, run.seed, self._readings[run.training])
        return self._keys[run]

    def _job(self, run: Seeded) -> Job:
        before = Seeded(run.training.before, run.seed) if run.training.before is not None else None
        readings = self._readings[run.training]
        return Job(
            training=run.training,
            seed=run.seed,
            readings=readings,
            key=self._key(run),
            save_to=self._weights(run) if readings.weights else None,
            before=self.findings.traces[before] if before is not None else None,
            start=self._weights(before) if before is not None else None,
        )

    def _weights(self, run: Seeded) -> Path:
        return self.out / RUNS / f"{self._key(run)}.safetensors"

    def label(self, run: Seeded) -> str:
        """Name a run as people read it: `norm=batch lr=0.1 seed=3`."""
        return f"{training_name(self.experiment, run.training)} seed={run.seed}"

    # Files of runs.

    def _take_kept(self, run: Seeded, watcher: Watcher) -> bool:
        """Take a run from its file, if it is there, whole, and of just this run."""
        trace = self._read(self._key(run), Trace)
        if trace is None:
            return False
        is_whole = trace.diverged_at is not None or not self._readings[run.training].weights
        if not is_whole and trace.weights != digest_of(self._weights(run)):
            return False
        self.findings.traces[run] = trace
        watcher.on_run(run, trace, is_new=False)
        return True

    def _read(self, key: str, kind: type[R]) -> R | None:
        path = self.out / RUNS / f"{key}.json"
        try:
            if path.stat().st_size > _LARGEST:
                return None
            found = kind.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None  # it is not there, or another program's: the run is done again
        is_whole = (found.key, found.format, found.seal) == (key, FORMAT, seal_of(found))
        return found.model_copy(update={"seal": ""}) if is_whole else None

    def _make_folder(self) -> None:
        path = self.out / RUNS
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(path, error) from None

    def _keep(self, key: str, record: Trace | Timing) -> None:
        path = self.out / RUNS / f"{key}.json"
        sealed = record.model_copy(update={"seal": seal_of(record)})
        try:
            write_atomically(path, sealed.model_dump_json(indent=1) + "\n")
        except OSError as error:
            raise cannot_write(path, error) from None

    # Times, which nothing else may run beside.

    def _time(self, watcher: Watcher, is_over: Callable[[], bool]) -> bool:
        """Time forward passes, network after network and then again, so that a slow minute is all networks' alike."""
        for turn in range(self.seeds):
            for network, batch in self._timed():
                if is_over():
                    return False
                place = (network, batch, turn)
                if place in self.findings.timings:
                    continue
                key = self.setup.timing_key(*network, batch, turn)
                timing = self._read(key, Timing)
                if timing is None:
                    timing = self._timing(network, batch, key)
                    self._keep(key, timing)
                self.findings.timings[place] = timing
                watcher.on_timing(timing)
        return True

    def _timed(self) -> list[tuple[NetworkChoice, int]]:
        """Return the networks and batches that `latency` is asked of, each once."""
        asked = [(point, measure) for point in self.findings.points for measure in measures_at(point, self.experiment)]
        is_clock = {name for name, gauge in GAUGES.items() if gauge.origin == "clock"}
        return [*dict.fromkeys((network_of(point), batch_of(m)) for point, m in asked if m.name in is_clock)]

    def _timing(self, choice: NetworkChoice, batch: int, key: str) -> Timing:
        began = process_time()
        network, _ = self.setup.compiled(choice[0], self.setup.data(choice[1], 0))
        device = find_device(self.home.device)
        (shape,) = (shape.numbers() for shape in network.inputs.values())
        seconds = time_forward(network.module(is_initial=True).to(device), shape, batch, device)
        about = {"model": network.name, "batch": batch, **environment(device, 0)}
        return Timing(key=key, about=about, seconds=seconds, cpu_seconds=round(process_time() - began, 3))
