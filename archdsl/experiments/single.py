"""One run of an experiment: steps of a session, and what is read on the way and at the end."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from math import isfinite, sqrt
from pathlib import Path
from time import process_time

import torch
from torch import Tensor

from archdsl.experiments.measures import RUNNING, running_means
from archdsl.experiments.setup import Setup
from archdsl.experiments.trace import Gap, Readings, Trace, digest_of
from archdsl.ir.experiment import Training
from archdsl.passes.state import is_at
from archdsl.recipes.updates import Plateau
from archdsl.text.files import cannot_write, write_atomically
from archdsl.training.beginning import new_module
from archdsl.training.data.dataset import DataPart
from archdsl.training.data.order import Draw, shuffled
from archdsl.training.data.statistics import Statistics
from archdsl.training.error import TrainingError
from archdsl.training.observer import Silent, TrainingStep
from archdsl.training.plan import RunPlan, environment
from archdsl.training.resources import seed_step
from archdsl.training.run.folder import weights_file
from archdsl.training.run.weights import StartingWeights, images_by, starting_weights
from archdsl.training.session import Session
from archdsl.training.tasks.base import as_outputs
from archdsl.weights.origin import FoundWeights
from archdsl.weights.preprocessing import Preprocessing

NOT_FINITE = "E372"
PARTS: Mapping[str, DataPart] = {"training": "train", "validation": "validation", "test": "test"}


@dataclass(frozen=True, slots=True)
class Job:
    """A run to carry out, and where its weights and those that it starts from lie."""

    training: Training
    seed: int
    readings: Readings
    key: str
    save_to: Path | None = None
    before: Trace | None = None
    """What was trained before, if something was."""
    start: Path | None = None


class StoppedError(Exception):
    """A run that was asked to end before its end; nothing of it is kept."""


def carry_out(job: Job, setup: Setup, is_over: Callable[[], bool] = lambda: False) -> Trace:
    """Train as a job says, on one thread, and return what came of it.

    It ends after `steps` updates, or with the recipe's last epoch where it has none; beyond its epochs, which say how
    the rate changes, a recipe goes on as it ended. A loss that is not finite is a result. What is measured is the last
    weights, or their running mean where the recipe keeps one.
    Errors: TrainingError, but for E372; StoppedError where `is_over` asks to end
    """
    began = process_time()
    plan = setup.plan(job.training, job.seed, _start(job, setup))
    run = _Run(job, plan, is_over)
    with alone():
        if job.before is not None and job.before.diverged_at is not None:
            run.diverged_at = 0
        else:
            try:
                run.train()
                run.read()
            except TrainingError as error:
                if error.code != NOT_FINITE:
                    raise
                run.diverged_at = len(run.losses.values) + 1
            finally:
                plan.feed.close()
    return run.trace(process_time() - began)


@contextmanager
def alone() -> Generator[None]:
    """Compute on one thread, by which results do not depend on how many there are, and leave random numbers be."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(range(torch.cuda.device_count())):
            yield
    finally:
        torch.set_num_threads(threads)


def _start(job: Job, setup: Setup) -> StartingWeights | None:
    if job.before is None or job.start is None or job.training.before is None:
        data = setup.data(job.training.data, job.seed)
        return starting_weights(None, network=setup.compiled(job.training.model, data)[0])
    told = job.before.preprocessing
    name = f"the {job.training.before.model.name} that was trained before"
    preprocessing = Preprocessing.model_validate(told) if told is not None else None
    return StartingWeights(FoundWeights(name, job.start, preprocessing), classes=job.before.classes)


class _Losses(Silent):
    def __init__(self) -> None:
        self.values: list[float] = []

    def on_step(self, step: TrainingStep) -> None:
        self.values.append(step.loss)


class _Run:
    """A run under way, with what was read of it."""

    def __init__(self, job: Job, plan: RunPlan, is_over: Callable[[], bool]) -> None:
        self.job, self.plan, self._is_over = job, plan, is_over
        self.losses = _Losses()
        self.diverged_at: int | None = None
        self.gradients: dict[str, float] = {}
        self.gaps: dict[str, Gap] = {}
        self.modes: dict[str, float | None] = {}
        self.accuracies: dict[str, float] = {}
        self.weights = ""
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """What is trained."""
        if self._session is None:
            self._session = Session(self.plan, new_module(self.plan).module)
        return self._session

    def train(self) -> None:
        """Take all steps.

        Errors: TrainingError with E372 at a loss that is not finite
        """
        session, steps = self.session, self.job.training.steps
        while session.step < steps if steps is not None else not session.is_over:
            if not session.is_over:
                session.enter_phase()
            for batch in session.batches_left():
                self._heed()
                with self._watched():
                    session.update(batch, self.losses)
                self._look()
                if session.step == steps:
                    break
            else:
                session.read(self.losses)
                session.end_epoch(self._validated(), 0.0, 0.0)
        session.read(self.losses)

    def _heed(self) -> None:
        if self._is_over():
            raise StoppedError

    def _validated(self) -> Mapping[str, float]:
        """Measure the validation images where the recipe looks at them."""
        recipe = self.session.learner.phase.recipe
        is_needed = isinstance(recipe.schedule, Plateau) or recipe.early_stop is not None
        if not is_needed or "validation" not in self.plan.data.parts:
            return {}
        figures = self.session.validate(self._is_over)
        if figures is None:
            raise StoppedError
        return figures

    # On the way.

    @contextmanager
    def _watched(self) -> Generator[None]:
        """Take the gradients of the first step, as they are before they are clipped."""
        if self.session.step or not self.job.readings.gradients:
            yield
            return
        squares: dict[str, float] = {}
        scaler = self.session.learner.scaler

        def look(key: str) -> Callable[[Tensor], None]:
            def note(parameter: Tensor) -> None:
                assert parameter.grad is not None
                scale = float(scaler.get_scale()) if scaler is not None else 1.0
                squares[key] = float((parameter.grad.double() / scale).square().sum())

            return note

        parameters = [(key, one) for key, one in self.session.module.named_parameters() if one.requires_grad]
        hooks = [one.register_post_accumulate_grad_hook(look(key)) for key, one in parameters]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
        for path in self.job.readings.gradients:
            norm = sqrt(sum(square for key, square in squares.items() if is_at(key, path)))
            if isfinite(norm):
                self.gradients[path] = norm

    def _look(self) -> None:
        """Measure both parts where the running loss has just come to a level that is asked for."""
        left = [level for level in self.job.readings.gaps if str(level) not in self.gaps]
        if not left:
            return
        self.session.read(self.losses)
        mean = running_means(self.losses.values[-RUNNING:])[-1]
        for level in left:
            if mean <= level:
                training, validation = (self._figure(part, "loss") for part in ("train", "validation"))
                self.gaps[str(level)] = Gap(step=self.session.step, training=training, validation=validation)

    def _figure(self, part: DataPart, name: str) -> float | None:
        session = self.session
        figures = session.measure(session.measured, part, self._is_over)
        session.module.train()
        if figures is None:
            raise StoppedError
        return _finite(figures[name])

    # At the end.

    def read(self) -> None:
        """Read what is asked for of the weights as they are in the end."""
        readings = self.job.readings
        for part in sorted(readings.accuracies):
            found = self._figure(PARTS[part], "accuracy")
            if found is not None:
                self.accuracies[part] = found
        for mode, batch in sorted(readings.modes):
            self.modes[f"{mode} {batch}"] = _finite(loss_in(self.session, mode, batch))
        if readings.weights and self.job.save_to is not None:
            try:
                write_atomically(self.job.save_to, weights_file(self.session.measured, {"format": "pt"}))
            except OSError as error:
                raise cannot_write(self.job.save_to, error) from None
            self.weights = digest_of(self.job.save_to)

    def trace(self, seconds: float) -> Trace:
        """Return what came of it."""
        plan, job = self.plan, self.job
        statistics = Statistics(plan.feed.mean, plan.feed.deviation)
        images = images_by("what was trained before", plan.recipe, statistics, plan.size)
        return Trace(
            key=job.key,
            about={
                "model": plan.network.name,
                "recipe": plan.recipe.name,
                "data": plan.data.name,
                "seed": job.seed,
                "parameters": plan.network.costs.parameters,
            },
            losses=tuple(self.losses.values),
            diverged_at=self.diverged_at,
            gradients=self.gradients,
            gaps=self.gaps,
            modes=self.modes,
            accuracies=self.accuracies,
            preprocessing=images.model_dump(mode="json") if job.readings.weights else None,
            classes=plan.data.classes,
            weights=self.weights,
            cpu_seconds=round(seconds, 3),
            environment=environment(plan.device, 0),
        )


def loss_in(session: Session, mode: str, size: int) -> float:
    """Return the mean plain loss of the validation images, or else those of training, in a mode and a batch size.

    All batches have that size: the last is filled up with images from the front, whose losses are left out. Images come
    in an order by the seed, since folders have theirs class by class. What a forward pass in training changes, such as
    running statistics, is changed in a copy.
    """
    plan, device = session.plan, session.device
    module = deepcopy(session.measured).train(mode == "training")
    part: DataPart = "validation" if "validation" in plan.data.parts else "train"
    order = shuffled(len(plan.data.parts[part]), plan.recipe.seed.number, 0).indices
    losses: list[Tensor] = []
    with torch.no_grad():
        for first in range(0, len(order), size):
            rows = order[first : first + size]
            filled = torch.cat([rows, order[: size - len(rows)]])
            seed_step(device, plan.recipe.seed.number, first)
            batch = next(plan.feed.chosen(part, 0, Draw(filled, filled)))
            images, targets = session.load(batch)
            with session.learner.fabric.autocast():
                output = as_outputs(module(images))[0]
            losses.append(plan.task.each(output.float(), targets)[: len(rows)].cpu())
    return float(torch.cat(losses).double().mean())


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
