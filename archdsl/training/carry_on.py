"""Carry a run on: its plan as it was, the state of its newest checkpoint, and as many threads."""

from __future__ import annotations

from pathlib import Path

import torch

from archdsl.training.beginning import NewModule, new_module
from archdsl.training.data.catalogue import load_again
from archdsl.training.data.dataset import DataSet
from archdsl.training.data.feed import Feed
from archdsl.training.data.statistics import Statistics
from archdsl.training.device import find_device
from archdsl.training.error import TrainingError
from archdsl.training.features import check_kept
from archdsl.training.loop import run
from archdsl.training.means import Means
from archdsl.training.observer import Observer, Result
from archdsl.training.phases import phases_of
from archdsl.training.plan import RunPlan
from archdsl.training.run.folder import RunFolder, settle
from archdsl.training.run.lock import locked
from archdsl.training.run.record import MODEL, RECIPE, SPEC, read_record
from archdsl.training.run.resume import Resumable
from archdsl.training.tasks.build import needs_counts, task_of


def carry_on(path: Path, observer: Observer, data: DataSet | None, means: Means) -> Result:
    """Go on with a run.

    Errors: TrainingError
    """
    settle(path)
    read_record(path)  # what is no run is not written to
    with locked(path):
        return _carry_on(path, observer, data, means)


def _carry_on(path: Path, observer: Observer, data: DataSet | None, means: Means) -> Result:
    found = Resumable(path)
    opened = found.run
    if found.state is None and opened.record.weights:
        fact = f"`{path}` ended before it had saved the weights that it started from, {opened.record.weights}"
        raise TrainingError(fact, "start it anew: `archdsl train SPEC --weights …`", "E370")
    data = data if data is not None else load_again(opened.record.data)
    found.check_data(data)
    device = find_device(means.device)
    feed = Feed(
        data,
        opened.recipe,
        opened.record.size,
        workers=means.workers,
        pin=device.type == "cuda",
        skip_bad=means.skip_bad,
        statistics=Statistics(opened.record.mean, opened.record.deviation),
    )
    counts = feed.class_counts() if needs_counts(data, opened.recipe) else ()
    plan = RunPlan(
        opened.network,
        (path / SPEC).read_text("utf-8"),
        (path / MODEL).read_bytes() if (path / MODEL).is_file() else b"",
        opened.recipe,
        # As it was written, for another version may write the same recipe in other words.
        (path / RECIPE).read_text("utf-8"),
        phases_of(opened.network, opened.recipe),
        data,
        task_of(opened.network, data, opened.recipe, counts),
        feed,
        opened.record.size,
        device,
        means,
        opened.record.settings,
        opened.record.freeze,
    )
    if means.cache_features:
        check_kept(plan.phases, plan.recipe, data, device)
    threads = torch.get_num_threads()
    torch.set_num_threads(found.threads or threads)
    notes = list(found.notes)
    if device.type != "cpu" or opened.recipe.compile.is_on:
        notes.append("going on gives the same weights on a CPU without `compile` alone; here they will differ slightly")
    try:
        # Before its first checkpoint a run begins as it did; behind one, all weights are the checkpoint's.
        new = new_module(plan) if found.state is None else NewModule(plan.phases[0].network.module(is_initial=True))
        folder = RunFolder(path, plan.network, plan.spec, plan.code)
        folder.has_progress = True
        return run(plan, new, folder, observer, found.state, tuple(notes))
    finally:
        torch.set_num_threads(threads)
