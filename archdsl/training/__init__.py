"""Train compiled networks. Importing this package imports no torch; the first call of `train` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    from archdsl.ir.freezing import Freezing
    from archdsl.ir.start import InputAdaption
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
    weights: str | Path | None = None,
    origin: str | None = None,
    means: Means | None = None,
    settings: Mapping[str, str] | None = None,
    adapt: InputAdaption | None = None,
    anew: Sequence[Freezing] = (),
) -> Result:
    """Train a network and write the run to a folder.

    It starts from fresh weights, or from those that `weights` names, as far as they fit: a file, another run's folder,
    or such as `torchvision:resnet50` and `timm:resnet50.a1_in1k`, which also say how images are prepared as far as the
    recipe does not. Without any, those that the spec names are taken. `origin` names the name map of a file. `settings`
    are those that the network was compiled with, as texts. `adapt` says what the first convolutions get where the
    weights are for other input channels, `anew` what is drawn anew, whatever they have.
    `archdsl.training.observer.Epoch` explains the metrics, docs/training.md the folder.

    Ensures: the same recipe gives the same metrics and weights on a CPU with as many threads, whatever the workers; the
    caller's random state is as before; SIGINT, SIGTERM and SIGHUP end the run early, saved, so that `resume` goes on.
    Errors: Failure where a package is absent; TrainingError, which is one, where network and data do not fit, the
    folder holds a run that is not to be overwritten, or the loss is not finite
    """
    require(*_NEEDS, extra="train")
    from archdsl.training.beginning import new_module
    from archdsl.training.loop import run
    from archdsl.training.plan import plan_run
    from archdsl.training.run.checkpoint import has_checkpoint
    from archdsl.training.run.folder import RunFolder
    from archdsl.training.run.lock import locked
    from archdsl.training.run.weights import starting_weights

    start = starting_weights(weights, origin, network, adapt, anew)
    plan = plan_run(network, recipe, data, means or Means(), settings, start)
    new = new_module(plan)
    inputs = [*network.files, *([start.path] if start is not None else [])]
    # A run that is to be replaced may still be in training, which would write on into the new one.
    with locked(out) if overwrite and has_checkpoint(out) else nullcontext():
        folder = RunFolder.create(out, plan.network, plan.spec, plan.code, inputs=inputs, overwrite=overwrite)
        with locked(folder.path):
            return run(plan, new, folder, observer or Silent())


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
