"""What a run needs, checked before its first step: network, data, task, device."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from archdsl import __version__
from archdsl.compiler import compile, write_text
from archdsl.network import Network
from archdsl.recipes.recipe import Recipe
from archdsl.recipes.writing import write_recipe
from archdsl.text.error import SpecError
from archdsl.text.marks import marked
from archdsl.text.source import Source
from archdsl.training.data.dataset import DataSet
from archdsl.training.data.feed import Feed
from archdsl.training.device import find_device
from archdsl.training.features import check_kept
from archdsl.training.means import Means
from archdsl.training.phases import RunPhase, phases_of
from archdsl.training.preparation import prepare
from archdsl.training.run.record import PhaseRecord, RunRecord, network_digest
from archdsl.training.run.weights import StartingWeights
from archdsl.training.tasks.base import Task
from archdsl.training.tasks.build import needs_counts, task_of
from archdsl.training.tasks.fit import check_trainable, image_size
from archdsl.weights.preprocessing import Preprocessing


@dataclass(frozen=True, eq=False)
class RunPlan:
    """A run that can begin: everything fits."""

    network: Network
    spec: str
    """The text that the network is compiled from."""
    code: bytes
    """The module that the user's own spec compiles to; its weights have the same names."""
    recipe: Recipe
    recipe_text: str
    """The resolved recipe, as the run's folder has it."""
    phases: tuple[RunPhase, ...]
    data: DataSet
    task: Task
    feed: Feed
    size: tuple[int, int, int]
    device: torch.device
    means: Means
    settings: Mapping[str, str]
    """What the text leaves unsaid of how the network was compiled."""
    freeze: tuple[str, ...]
    """What the text leaves unsaid of what is frozen, as specs write it."""
    start: StartingWeights | None = None
    brought: Preprocessing | None = None
    """What is known of the images that made the weights to start from."""
    notes: tuple[str, ...] = ()

    def record(self) -> RunRecord:
        """Return what run.json holds."""
        return RunRecord(
            model=self.network.name,
            data=self.data.name,
            kind=self.data.kind,
            classes=self.data.classes,
            size=self.size,
            mean=self.feed.mean,
            deviation=self.feed.deviation,
            data_digest=self.data.digest,
            data_listing=dict(self.data.listing),
            settings=dict(self.settings),
            freeze=self.freeze,
            spec_folder=_folder_of(self.network) if self.settings else "",
            network_digest=network_digest(self.network),
            best_by=self.task.best_by,
            weights=self.start.name if self.start is not None else "",
            preprocessing=self.brought,
            phases=tuple(
                PhaseRecord(
                    epochs=phase.recipe.epochs.number,
                    freeze=phase.freezings,
                    trained_parameters=phase.trained_parameters,
                )
                for phase in self.phases
            ),
            environment=environment(self.device, self.means.workers),
        )


def plan_run(
    network: Network,
    recipe: Recipe,
    data: DataSet,
    means: Means,
    settings: Mapping[str, str] | None = None,
    start: StartingWeights | None = None,
) -> RunPlan:
    """Check that a network can be trained on a data set as a recipe says.

    `settings` are those that the network was compiled with, as texts; `start` are the weights to start from, which say
    how images are prepared as far as the recipe does not.
    Errors: TrainingError
    """
    size = image_size(network, data, recipe)
    prepared = prepare(recipe, size, start)
    recipe = prepared.recipe
    task_of(network, data, recipe)  # before images are looked at
    device = find_device(means.device)
    code = marked(network.source().encode(), "py")
    network, spec, left, unsaid = resolve(network, settings or {})
    phases = phases_of(network, recipe)
    feed = Feed(
        data,
        recipe,
        size,
        workers=means.workers,
        pin=device.type == "cuda",
        skip_bad=means.skip_bad,
        statistics=prepared.statistics,
    )
    check_trainable(network, feed.smallest_batch)
    counts = feed.class_counts() if needs_counts(data, recipe) else ()
    task = task_of(network, data, recipe, counts)
    text = write_recipe(recipe)
    if means.cache_features:
        check_kept(phases, recipe, data, device)
    facts = (start, prepared.brought, prepared.notes)
    return RunPlan(
        network, spec, code, recipe, text, phases, data, task, feed, size, device, means, left, unsaid, *facts
    )


class Resolved(NamedTuple):
    """A network as one text says it, that text, and the settings and frozen parts that the text leaves unsaid."""

    network: Network
    text: str
    settings: Mapping[str, str]
    freeze: tuple[str, ...]


def resolve(network: Network, settings: Mapping[str, str]) -> Resolved:
    """Return a network as one text says it, with all settings in it.

    Where the language cannot say the resolved graph, it is the spec's own text, and settings and frozen parts remain.
    """
    own = Resolved(network, network.spec.text, settings, tuple(map(str, network.freezings)))
    try:
        # Without the file that it starts from: a run has weights of its own.
        text = write_text(network.shapes)
        again = Network(compile(Source(text, "spec.arch"), network.name))
    except SpecError:
        return own
    if network_digest(again) != network_digest(network):
        return own
    return Resolved(again, text, {}, ())


def environment(device: torch.device, workers: int) -> dict[str, str | int]:
    """Return what a run was carried out with: versions, machine, threads."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {
        "archdsl": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "implementation": sys.implementation.name,
        "cores": os.cpu_count() or 0,
        "threads": torch.get_num_threads(),
        "device": name,
        "workers": workers,
    }


def _folder_of(network: Network) -> str:
    path = network.spec.path
    return str(Path(path).resolve().parent) if path is not None else ""
