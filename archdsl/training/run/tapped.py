"""Features: what flows at places inside a network when images pass through it, in evaluation."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from math import prod
from pathlib import Path
from typing import cast
from zipfile import ZipFile

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from archdsl.ir.start import InputAdaption
from archdsl.network import Network
from archdsl.recipes.recipe import Recipe
from archdsl.training.data.statistics import Statistics
from archdsl.training.device import find_device
from archdsl.training.error import TrainingError
from archdsl.training.preparation import prepare
from archdsl.training.run.evaluation import Prepared
from archdsl.training.run.images import ImageFiles
from archdsl.training.run.loading import OpenRun, WhichWeights
from archdsl.training.run.weights import starting_weights
from archdsl.training.tasks.fit import input_size
from archdsl.training.tasks.scikit import listed

FORMATS = (".npz", ".safetensors", ".csv")
"""What names of files end in that features are written to."""
_MOST_COLUMNS = 100_000


@dataclass(frozen=True)
class Tapped:
    """A module that gives a dict of features, and how images reach it."""

    module: nn.Module
    recipe: Recipe
    size: tuple[int, int, int]
    statistics: Statistics
    notes: tuple[str, ...] = ()
    """What is to be said of it."""
    inputs: tuple[Path, ...] = ()
    """The files that it was made of."""


@dataclass(frozen=True)
class ImageFeatures:
    """What flows at each place for one file, by path, float32 without the batch; else the reason, `unread`."""

    path: Path
    values: Mapping[str, Tensor]
    unread: str = ""


def tap_run(run: OpenRun, taps: Sequence[str], which: WhichWeights = "best") -> Tapped:
    """Return a run's network that ends at places inside it, with its own weights.

    Errors: Failure with E374 for a path that no step has; TrainingError with E367 where the weights cannot be used
    """
    run.network.tap(*taps)  # what is wrong with them is no fault of the weights
    record, statistics = run.record, Statistics(run.record.mean, run.record.deviation)
    module = run.module(which, taps)
    return Tapped(module, run.recipe, record.size, statistics, inputs=(run.weights(which),))


def tap_network(
    network: Network,
    taps: Sequence[str],
    weights: str | None,
    origin: str | None = None,
    adapt: InputAdaption | None = None,
) -> Tapped:
    """Return a network that ends at places inside it, with weights as `train` takes them, or with fresh ones.

    Images are prepared as the weights ask for; where they do not tell, of three channels as those of ImageNet, and
    others only scaled to values from 0 to 1.
    Errors: Failure with E374 as above; WeightsError where what the places need is not all in the file
    """
    network.tap(*taps)
    size, start = input_size(network), starting_weights(weights, origin, network, adapt)
    prepared = prepare(Recipe(), size, start)
    notes, statistics = list(prepared.notes), prepared.statistics
    if statistics is None:
        statistics = Statistics((0.0,) * size[0], (1.0,) * size[0])
        notes.append("images are not normalised: their values are from 0 to 1")
    if start is None:
        notes.append("the weights are fresh, random ones; `--weights` names others")
        with torch.random.fork_rng(()):
            torch.manual_seed(0)
            module = network.module(taps=taps, is_initial=True)
    else:
        notes += [f"drawn anew, as is asked: {patterns}" for patterns in start.anew]
        module = network.module(start.path, origin=start.origin, taps=taps, adapt=start.adapt, anew=start.anew)
    inputs = (*network.files, *((start.path,) if start is not None else ()))
    return Tapped(module.eval(), prepared.recipe, size, statistics, tuple(notes), inputs)


def features(tapped: Tapped, paths: Sequence[Path], device: str = "auto") -> Iterator[ImageFeatures]:
    """Yield the features of each file, in their order.

    Errors: TrainingError with E368 where the device cannot
    """
    files = ImageFiles(paths, tapped.size[0], tapped.recipe)
    feed = files.feed(tapped.recipe, tapped.size, tapped.statistics)
    prepared = Prepared(tapped.recipe, feed, tapped.module, find_device(device))
    for index, output in files.passed(feed, prepared):
        if isinstance(output, str):
            yield ImageFeatures(paths[index], {}, output)
        else:
            yield ImageFeatures(paths[index], cast("Mapping[str, Tensor]", output))


def write_features(found: Sequence[ImageFeatures], format: str) -> bytes:
    """Return the content of a file of features: a tensor [N, …] for each path, and the names of the N files.

    In `.npz` they are an array for each path and one of texts, `files`, with `_` behind it if that is a path too; in
    `.safetensors` tensors with the list `files` as JSON in the metadata; in `.csv` a row for each file with its values,
    the last axis fastest.
    Errors: TrainingError where a row would have too many values
    """
    read = [one for one in found if not one.unread]
    names = [str(one.path) for one in read]
    taps = list(read[0].values) if read else []
    if format == ".csv":
        return _csv(read, names, taps)
    stacked = {tap: torch.stack([one.values[tap] for one in read]).contiguous() for tap in taps}
    if format == ".safetensors":
        return save(stacked, {"files": json.dumps(names)})
    key = "files"
    while key in stacked:
        key += "_"
    content = BytesIO()
    # As np.savez writes them, which takes no array called `file`.
    with ZipFile(content, "w") as archive:
        arrays = {key: np.array(names, dtype=np.str_), **{tap: values.numpy() for tap, values in stacked.items()}}
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    return content.getvalue()


def _csv(read: Sequence[ImageFeatures], names: Sequence[str], taps: Sequence[str]) -> bytes:
    sizes = {tap: tuple(read[0].values[tap].shape) for tap in taps}
    count = sum(map(prod, sizes.values()))
    if count > _MOST_COLUMNS:
        fact = f"a row of CSV would have {count:,} values"
        raise TrainingError(
            fact, f"write `.npz` or `.safetensors`, or tap behind a pool; {_MOST_COLUMNS:,} are the most"
        )
    text = StringIO(newline="")
    rows = csv.writer(text)
    columns = [f"{tap}[{','.join(map(str, place))}]" for tap in taps for place in np.ndindex(sizes[tap])]
    rows.writerow(["file", *columns])
    for name, one in zip(names, read, strict=True):
        rows.writerow([name, *(f"{value:.9g}" for tap in taps for value in listed(one.values[tap].flatten()))])
    return text.getvalue().encode(errors="backslashreplace")
