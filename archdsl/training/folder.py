"""The folder of a run: it stands alone, and a crash leaves each of its files whole."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, fields
from hashlib import sha256
from io import StringIO
from pathlib import Path

from safetensors.torch import save
from torch import Tensor, nn

from archdsl.network import Network
from archdsl.text.files import cannot_write, refuse_inputs, write_atomically
from archdsl.text.marks import marked
from archdsl.training.error import TrainingError
from archdsl.training.observer import Epoch
from archdsl.training.plot import curves
from archdsl.training.recipe import Recipe

METRICS = "metrics.csv"
FILES = (
    METRICS,
    "recipe.json",
    "model.py",
    "spec.arch",
    "curves.png",
    "best.safetensors",
    "last.safetensors",
)


class RunFolder:
    """Write what a run leaves: recipe, spec, compiled network, metrics and weights."""

    def __init__(self, path: Path, network: Network, *, overwrite: bool = False) -> None:
        self.path, self.network = path, network
        self._model = marked(network.source().encode(), "py")
        self._metrics = StringIO(newline="")
        _prepare(path, network.files, overwrite=overwrite)

    def write_inputs(self, recipe: Recipe) -> None:
        """Write what the run starts from, and the metrics' header; nothing is left where that cannot be written."""
        try:
            self._write("recipe.json", f"{recipe.model_dump_json(indent=2)}\n".encode())
            self._write("spec.arch", self.network.spec.text.encode())
            self._write("model.py", self._model)
            self._add_metrics(field.name for field in fields(Epoch))
        except TrainingError:
            self.take_back()
            raise

    def add(self, epoch: Epoch) -> None:
        """Add a row to metrics.csv."""
        self._add_metrics(f"{value:.6g}" if isinstance(value, float) else value for value in asdict(epoch).values())

    def _add_metrics(self, row: Iterable[object]) -> None:
        csv.writer(self._metrics).writerow(row)
        self._write(METRICS, self._metrics.getvalue().encode())  # an appended row could be cut by a crash

    def save(self, name: str, module: nn.Module, facts: Mapping[str, object]) -> None:
        """Write a module's weights and buffers, in their own dtypes, and strings that say what they are."""
        metadata = {
            "format": "pt",
            "network": self.network.name,
            "spec_digest": self.network.digest,
            "model_sha256": sha256(self._model).hexdigest(),
            **{key: str(value) for key, value in facts.items()},
        }
        self._write(name, save(_plain(module.state_dict()), metadata))

    def draw(self, title: str, epochs: Sequence[Epoch]) -> None:
        """Write the learning curves."""
        self._write("curves.png", marked(curves(epochs, title), "png"))

    def _write(self, name: str, content: bytes) -> None:
        try:
            write_atomically(self.path / name, content)
        except OSError as error:
            failure = cannot_write(self.path / name, error)
            raise TrainingError(failure.message, code=failure.code) from None

    def take_back(self) -> None:
        """Remove what a run wrote that came to nothing, and its folder if that is empty then."""
        with suppress(OSError):
            for name in FILES:
                _remove(self.path / name)
            self.path.rmdir()


def _prepare(path: Path, inputs: Sequence[Path], *, overwrite: bool) -> None:
    """Make the folder, without what a run before left in it.

    Errors: TrainingError; Failure where a file of the run would replace one that was read
    """
    try:
        for name in FILES:
            refuse_inputs(path / name, inputs)
        held = [name for name in FILES if (path / name).exists()]
        if held and not overwrite:
            what = "a run" if METRICS in held else f"a file `{held[0]}`"
            raise TrainingError(f"{path} already holds {what}", "name another folder, or say --overwrite", "E331")
        path.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            _remove(path / name)
    except OSError as error:
        raise TrainingError(f"{path} cannot be a run's folder: {error.strerror}", code="E332") from None


def _remove(path: Path) -> None:
    """Remove a file, through a link that leads to it, as writing goes through links."""
    Path(os.path.realpath(path)).unlink(missing_ok=True)


def _plain(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy tensors to the CPU in row-major order, none sharing memory, as the file format demands."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}
