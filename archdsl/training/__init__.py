"""Train compiled networks. Importing this package imports no torch; the first call of `train` does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from archdsl.text.failure import require
from archdsl.training.catalogue import DATA_SETS, load_data
from archdsl.training.error import TrainingError
from archdsl.training.observer import Epoch, Observer, Result, Silent, Start, TrainingStep
from archdsl.training.recipe import Recipe

if TYPE_CHECKING:
    from archdsl.network import Network
    from archdsl.training.data import DataSet

__all__ = [
    "DATA_SETS",
    "Epoch",
    "Observer",
    "Recipe",
    "Result",
    "Silent",
    "Start",
    "TrainingError",
    "TrainingStep",
    "load_data",
    "train",
]


def train(
    network: Network,
    recipe: Recipe,
    data: DataSet,
    out: Path,
    observer: Observer | None = None,
    *,
    overwrite: bool = False,
) -> Result:
    """Train a network from fresh weights and write the run to a folder.

    The folder gets recipe.json, spec.arch, model.py, metrics.csv, curves.png, best.safetensors and
    last.safetensors; `archdsl.training.observer.Epoch` explains the metrics.

    Ensures: the same recipe gives the same metrics and weights on a CPU with as many threads; the caller's
    random state is as before; an interrupt from the keyboard ends the run early, with its files written.
    Errors: Failure where a package is absent; TrainingError, which is one, where network and data do not fit, the
    folder holds a run that is not to be overwritten, or the loss is not finite
    """
    require("torch", "safetensors", "matplotlib", extra="train")
    from archdsl.training.loop import train as run

    return run(network, recipe, data, out, observer or Silent(), overwrite=overwrite)
