"""Train compiled networks. Importing this package imports no torch; the first call of `train` does."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from archdsl.recipes.recipe import Recipe
from archdsl.text.failure import require
from archdsl.training.data.catalogue import load_data, python_data
from archdsl.training.data.dataset import DataSet
from archdsl.training.error import TrainingError
from archdsl.training.means import Means
from archdsl.training.observer import Epoch, Observer, Result, Several, Silent, Start, TrainingStep

if TYPE_CHECKING:
    from archdsl.network import Network

__all__ = [
    "DataSet",
    "Epoch",
    "Means",
    "Observer",
    "Recipe",
    "Result",
    "Several",
    "Silent",
    "Start",
    "TrainingError",
    "TrainingStep",
    "load_data",
    "python_data",
    "resume",
    "train",
]

_NEEDS = ("torch", "safetensors", "matplotlib", "sklearn", "lightning_fabric", "torchvision", "PIL")


def train(
    network: Network,
    recipe: Recipe,
    data: DataSet,
    out: Path,
    observer: Observer | None = None,
    *,
    overwrite: bool = False,
    weights: Path | None = None,
    origin: str | None = None,
    means: Means | None = None,
    settings: Mapping[str, str] | None = None,
) -> Result:
    """Train a network and write the run to a folder.

    It starts from fresh weights, or from those in `weights`, a file or another run's folder, as far as they fit;
    `origin` names the name map of a file. `settings` are those that the network was compiled with, as texts.
    `archdsl.training.observer.Epoch` explains the metrics, docs/training.md the folder.

    Ensures: the same recipe gives the same metrics and weights on a CPU with as many threads, whatever the workers; the
    caller's random state is as before; SIGINT, SIGTERM and SIGHUP end the run early, saved, so that `resume` goes on.
    Errors: Failure where a package is absent; TrainingError, which is one, where network and data do not fit, the
    folder holds a run that is not to be overwritten, or the loss is not finite
    """
    require(*_NEEDS, extra="train")
    from archdsl.training.loop import new_module, run
    from archdsl.training.plan import plan_run
    from archdsl.training.run.checkpoint import has_checkpoint
    from archdsl.training.run.folder import RunFolder
    from archdsl.training.run.lock import locked
    from archdsl.training.run.weights import weights_file

    plan = plan_run(network, recipe, data, means or Means(), settings)
    module, notes = new_module(plan, weights_file(weights), origin)
    inputs = [*network.files, *([source] if (source := weights_file(weights)) is not None else [])]
    # A run that is to be replaced may still be in training, which would write on into the new one.
    with locked(out) if overwrite and has_checkpoint(out) else nullcontext():
        folder = RunFolder.create(out, plan.network, plan.spec, plan.code, inputs=inputs, overwrite=overwrite)
        with locked(folder.path):
            return run(plan, module, folder, observer or Silent(), notes=notes)


def resume(
    path: Path, observer: Observer | None = None, *, data: DataSet | None = None, means: Means | None = None
) -> Result:
    """Go on with a run from its folder; on a CPU the weights in the end are those of an undisturbed run.

    `data` is needed where the run's own is not found under its name any more, or came from Python.
    Errors: Failure where a package is absent; TrainingError, where the run has ended, or its spec, recipe or data were
    changed
    """
    require(*_NEEDS, extra="train")
    from archdsl.training.carry_on import carry_on

    return carry_on(path, observer or Silent(), data, means or Means())
