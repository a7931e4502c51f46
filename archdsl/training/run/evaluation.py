"""A run's network measured again, on its own data or on other data of the same classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from archdsl.recipes.recipe import Recipe
from archdsl.training.data.dataset import DataPart, DataSet
from archdsl.training.data.feed import Feed
from archdsl.training.data.statistics import Statistics
from archdsl.training.device import find_device
from archdsl.training.error import TrainingError
from archdsl.training.reports.outcomes import Outcomes
from archdsl.training.reports.report import report
from archdsl.training.run.loading import OpenRun, WhichWeights
from archdsl.training.tasks.build import task_of
from archdsl.training.tasks.measure import measure

_MOST_LISTED = 5


@dataclass(frozen=True)
class Evaluation:
    """The figures of a part, of how many images they are, and the epoch that the weights are of, if it is known."""

    figures: Mapping[str, float]
    images: int
    epoch: int | None
    files: Mapping[str, bytes]
    """A report by the names of its files; empty where none was asked for."""


def evaluate(
    run: OpenRun,
    data: DataSet,
    part: DataPart = "test",
    which: WhichWeights = "best",
    *,
    device: str = "auto",
    workers: int = 0,
    is_reported: bool = False,
) -> Evaluation:
    """Measure a run's weights on a part of a data set, whose images are prepared as the run's were.

    Errors: TrainingError with E369 where the data is not of the run's kind and classes, or lacks the part; E367 where
    the weights cannot be used; E368 where the device cannot
    """
    check_same(run, data)
    if part not in data.parts:
        there = ", ".join(data.parts)
        help = f"say `--part {'validation' if 'validation' in data.parts else next(iter(data.parts))}`"
        raise TrainingError(f"{data.name} has no {part} part; it has {there}", help, "E369")
    place = find_device(device)
    task = task_of(run.network, data, run.recipe)
    outcomes = Outcomes(task) if is_reported else None
    feed = feed_of(run, data, workers)
    prepared = Prepared(run.recipe, feed, run.module(which), place)
    try:
        watch = outcomes.add if outcomes is not None else None
        batches = feed.evaluate(part)
        figures = measure(
            task, prepared.module, batches, prepared.normalise, place, autocast=prepared.autocast, watch=watch
        )
    finally:
        feed.close()
    if not figures:
        raise TrainingError(f"{data.name} has no {part} images", "give other data", "E369")
    samples = data.parts[part]
    title = f"{run.record.model} on {data.name}, {part}"
    files = report(outcomes, samples, title) if outcomes is not None else dict[str, bytes]()
    return Evaluation(figures, len(samples), run.epoch(which), files)


def feed_of(run: OpenRun, data: DataSet, workers: int = 0) -> Feed:
    """Return what feeds images to a run's network as they were fed in training."""
    record = run.record
    statistics = Statistics(record.mean, record.deviation)
    return Feed(data, run.recipe, record.size, workers=workers, statistics=statistics)


class Prepared:
    """A module on a device, in the precision and the layout that a recipe measures it in."""

    def __init__(self, recipe: Recipe, feed: Feed, module: nn.Module, device: torch.device) -> None:
        self._feed, self.device = feed, device
        self._layout = torch.channels_last if recipe.layout.order == "channels_last" else torch.contiguous_format
        move = cast("Callable[..., nn.Module]", module.to)
        self.module = move(device=device, memory_format=self._layout)
        # Half precision by float16 is for GPUs; elsewhere such a run is measured in float32.
        is_half = recipe.precision.type == "bf16" or (recipe.precision.type == "fp16" and device.type == "cuda")
        self._type = {"bf16": torch.bfloat16, "fp16": torch.float16}[recipe.precision.type] if is_half else None

    def normalise(self, images: Tensor) -> Tensor:
        """Return images on the device as the network takes them."""
        return self._feed.normalise(images).contiguous(memory_format=self._layout)

    def autocast(self) -> torch.autocast:
        """Return what sets the precision while the network runs."""
        return torch.autocast(self.device.type, self._type, enabled=self._type is not None)


def check_same(run: OpenRun, data: DataSet) -> None:
    """Check that data is of the kind and the classes that a run was trained for.

    Errors: TrainingError with E369
    """
    record = run.record
    if data.kind != record.kind:
        fact = (
            f"the targets of {data.name} are of kind `{data.kind}`, and {record.model} was trained for `{record.kind}`"
        )
        raise TrainingError(fact, f"give data such as {record.data}", "E369")
    if data.classes == record.classes:
        return
    fact = f"{data.name} has other classes than the run, which was trained on {record.data}"
    more, fewer = (
        [name for name in these if name not in those]
        for these, those in ((data.classes, record.classes), (record.classes, data.classes))
    )
    parts = [f"{what}: {_listed(names)}" for what, names in (("it has", more), ("it lacks", fewer)) if names]
    raise TrainingError(fact, "; ".join(parts) or "they come in another order", "E369")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_MOST_LISTED])
    return f"{shown} and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else shown


def note_on(run: OpenRun, data: DataSet) -> str:
    """Say where a data set of the run's name holds other files than when the run was trained; else nothing."""
    record = run.record
    if data.name != record.data or not record.data_digest or data.digest == record.data_digest:
        return ""
    known = (*record.data_listing, *(key for key in data.listing if key not in record.data_listing))
    pairs = [(key, record.data_listing.get(key, "nothing"), data.listing.get(key, "nothing")) for key in known]
    changed = [f"{key}: {now}, then {then}" for key, then, now in pairs if then != now][:_MOST_LISTED]
    beside = f" ({'; '.join(changed)})" if changed else ""
    return f"{data.name} is not as it was when the run was trained{beside}"
