"""The run, from top to bottom: epochs of steps, validation after each, checkpoints, and the test at the end."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import Any

import torch

from archdsl.text.marks import marked
from archdsl.training.beginning import NewModule
from archdsl.training.data.dataset import DataPart
from archdsl.training.error import TrainingError
from archdsl.training.finite import not_finite
from archdsl.training.memory import out_of_memory
from archdsl.training.observer import Observer, Result, Start
from archdsl.training.plan import RunPlan
from archdsl.training.reports.curves import curves
from archdsl.training.reports.outcomes import Outcomes
from archdsl.training.reports.report import report
from archdsl.training.run.checkpoint import save_checkpoint
from archdsl.training.run.folder import RunFolder, row_of
from archdsl.training.run.record import BEST, CURVES, LAST, REPORT, TEST
from archdsl.training.session import Session
from archdsl.training.stop import StopSignals

SECONDS_PER_CHECKPOINT = 600


def run(
    plan: RunPlan,
    new: NewModule,
    folder: RunFolder,
    observer: Observer,
    state: Mapping[str, Any] | None = None,
    notes: tuple[str, ...] = (),
) -> Result:
    """Train a module as a plan says, from the state of a checkpoint if one is given, and write the run to its folder.

    Errors: TrainingError; what was saved before is as it was
    """
    began = perf_counter()
    with torch.random.fork_rng(range(torch.cuda.device_count())), StopSignals() as stop:
        try:
            session = Session(plan, new.module)
            if state is not None:
                session.restore(state)
            keeper = Keeper(session, folder)
            if state is None:
                folder.write_inputs(plan.record(), plan.recipe_text)
                if new.transfer is not None:
                    folder.write(REPORT, new.report(plan))
                keeper.save()
            _write_metrics(session, folder)
            observer.on_start(_start(session, folder, (*plan.notes, *new.notes, *notes)))
            is_done = _train(session, keeper, observer, stop)
            test = _finish(session, folder, stop) if is_done else None
            has_ended = is_done and test is not None
        except torch.OutOfMemoryError as error:
            raise _with_old(out_of_memory(plan, error), folder) from None
        except TrainingError as error:
            if state is None and not folder.has_progress:
                folder.take_back()
            raise _with_old(error, folder) from None
        except BaseException:
            if state is None and not folder.has_progress:
                folder.take_back()  # so that another try finds the folder as this one did
            raise
        finally:
            plan.feed.close()
        folder.forget_old()
        if folder.is_staged:
            folder.take_back()  # it ended before its first step, and the old run stays
        result = Result(
            out=folder.final,
            epochs=tuple(session.epochs),
            seconds=perf_counter() - began,
            best_by=plan.task.best_by,
            test=test or None,
            interrupted_by=stop.received,
            has_ended=has_ended,
            has_stopped_early=session.is_over and len(session.epochs) < plan.recipe.total_epochs,
            skipped_images=tuple(plan.feed.bad),
            scaler_skips=session.scaler_skips,
        )
        observer.on_end(result)
        return result


def _with_old(error: TrainingError, folder: RunFolder) -> TrainingError:
    """Return an error that also says where the run is that this one had replaced."""
    kept = folder.leave_old()
    if kept is None:
        return error
    said = f"the run that was there before is in `{kept}`"
    return TrainingError(error.message, f"{error.help}; {said}" if error.help else said, error.code)


def _train(session: Session, keeper: Keeper, observer: Observer, stop: StopSignals) -> bool:
    """Take the epochs that are left; return whether the run came to its end."""
    plan, folder = session.plan, keeper.folder
    has_validation = "validation" in plan.data.parts
    while not session.is_over:
        session.enter_phase()
        started = perf_counter()
        for batch in session.batches_left():
            session.update(batch, observer)
            if stop.received:
                break
            if keeper.is_due():
                session.read(observer)
                keeper.save()
        session.read(observer)
        trained = perf_counter()
        figures: dict[str, float] | None = {}
        if not stop.received and has_validation:
            figures = session.validate(lambda: bool(stop.received))
        if stop.received or figures is None:
            keeper.save()
            return False
        epoch = session.end_epoch(figures, perf_counter() - started, trained - started)
        facts = {"epoch": epoch.epoch, "step": epoch.step, **{f"validation_{k}": v for k, v in figures.items()}}
        keeper.check()
        if epoch.is_best:
            folder.save(BEST, session.measured, facts)
        folder.save(LAST, session.module, facts)
        _write_metrics(session, folder)
        keeper.save()
        observer.on_epoch(epoch)
    return True


def _write_metrics(session: Session, folder: RunFolder) -> None:
    plan = session.plan
    folder.write_metrics(session.epochs, plan.task.figures, has_phases=len(plan.phases) > 1)


def _finish(session: Session, folder: RunFolder, stop: StopSignals) -> Mapping[str, float] | None:
    """Measure the best weights on the test images, once, and write the reports.

    Return the figures, none where there is no test part, and None where a signal came before they were measured.
    """
    plan, best = session.plan, session.best
    rows = [row_of(epoch) for epoch in session.epochs]
    folder.write(CURVES, marked(curves(rows, f"{plan.network.name} on {plan.data.name}"), "png"))
    if best is None:
        return {}
    module = plan.network.module(folder.path / BEST).to(session.device)
    parts: tuple[DataPart, ...] = ("test", "validation", "train")
    part: DataPart = next(part for part in parts if part in plan.data.parts)
    outcomes = Outcomes(plan.task)
    figures = session.measure(module, part, lambda: bool(stop.received), outcomes.add)
    if figures is None:
        return None
    title = f"{plan.network.name} on {plan.data.name}, {part} images"
    for name, content in report(outcomes, plan.data.parts[part], title).items():
        folder.write(name, marked(content, name.rpartition(".")[2]))
    if part != "test":
        return {}
    folder.write(TEST, (json.dumps({"weights": "best", "epoch": best.epoch, **figures}, indent=2) + "\n").encode())
    return figures


class Keeper:
    """Saves checkpoints: after each epoch, when it is asked to, and within an epoch by steps or minutes."""

    def __init__(self, session: Session, folder: RunFolder, clock: Callable[[], float] = perf_counter) -> None:
        self.session, self.folder, self._clock = session, folder, clock
        self._saved_at = clock()

    def is_due(self) -> bool:
        """Return whether a checkpoint within an epoch is to be saved."""
        every = self.session.plan.means.checkpoint_every
        if every:
            return self.session.step % every == 0
        return self._clock() - self._saved_at > SECONDS_PER_CHECKPOINT

    def check(self) -> None:
        """Check that nothing polluted is saved.

        Errors: TrainingError with E372 where a weight or buffer is not finite
        """
        key = self.session.polluted()
        if key:
            raise not_finite(f"`{key}` after step {self.session.step} is not finite", self.session.learner.phase.recipe)

    def save(self) -> None:
        """Save a checkpoint; with the first that holds any progress the run takes the place of an earlier one.

        Errors: TrainingError with E332 where it cannot be written, with E372 where a weight is not finite
        """
        self.check()
        plan, session = self.session.plan, self.session
        about = {
            "spec": plan.spec,
            "recipe": plan.recipe_text,
            "data_digest": plan.data.digest,
            "threads": torch.get_num_threads(),
        }
        save_checkpoint(self.folder.path, session.step, {**about, **session.state()})
        if session.step:
            self.folder.take_place()
            self.folder.has_progress = True
        self._saved_at = self._clock()


def _start(session: Session, folder: RunFolder, notes: tuple[str, ...]) -> Start:
    plan = session.plan
    return Start(
        network=plan.network.name,
        data=plan.data.name,
        device=str(plan.device),
        parameters=sum(parameter.numel() for parameter in session.module.parameters()),
        trained_parameters=sum(p.numel() for p in session.module.parameters() if p.requires_grad),
        images={part: len(samples) for part, samples in plan.data.parts.items()},
        epochs=plan.recipe.total_epochs,
        steps_per_epoch=plan.feed.steps_per_epoch,
        out=folder.final,
        step=session.step,
        best_by=plan.task.best_by,
        unused=plan.task.unused,
        notes=(*plan.data.notes, *notes, *_phase_notes(plan)),
        phases=len(plan.phases),
    )


def _phase_notes(plan: RunPlan) -> Iterator[str]:
    for phase in plan.phases if len(plan.phases) > 1 else ():
        frozen = f"; frozen: {'; '.join(phase.freezings)}" if phase.freezings else ""
        count = phase.recipe.epochs.number
        epochs = f"{count} epoch{'s' if count > 1 else ''}"
        yield f"phase {phase.number}, {epochs}, trains {phase.trained_parameters:,} parameters{frozen}"
        if plan.means.cache_features and isinstance(phase.cut, str):
            yield f"phase {phase.number} keeps no features: {phase.cut}"
