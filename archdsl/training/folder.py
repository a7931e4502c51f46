"""The folder of a run: it stands alone, and a crash leaves each of its files whole."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, fields
from hashlib import sha256
from io import StringIO
from pathlib import Path

from safetensors.torch import save
from torch import Tensor, nn

from archdsl.network import Network
from archdsl.text.files import write_atomically
from archdsl.training.error import TrainingError
from archdsl.training.observer import Epoch
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
        self._model = network.source()
        self._metrics = StringIO(newline="")
        _prepare(path, overwrite)

    def write_inputs(self, recipe: Recipe) -> None:
        """Write what the run starts from, and the metrics' header."""
        self.write_text("recipe.json", recipe.model_dump_json(indent=2) + "\n")
        self.write_text("spec.arch", self.network.spec.text)
        self.write_text("model.py", self._model)
        self._add_metrics(field.name for field in fields(Epoch))

    def add(self, epoch: Epoch) -> None:
        """Add a row to metrics.csv."""
        self._add_metrics(f"{value:.6g}" if isinstance(value, float) else value for value in asdict(epoch).values())

    def _add_metrics(self, row: Iterable[object]) -> None:
        csv.writer(self._metrics).writerow(row)
        self.write_text(METRICS, self._metrics.getvalue())  # an appended row could be cut by a crash

    def save(self, name: str, module: nn.Module, facts: Mapping[str, object]) -> None:
        """Write a module's weights and buffers, in their own dtypes, and strings that say what they are."""
        metadata = {
            "format": "pt",
            "network": self.network.name,
            "spec_digest": self.network.digest,
            "model_sha256": sha256(self._model.encode()).hexdigest(),
            **{key: str(value) for key, value in facts.items()},
        }
        write_atomically(self.path / name, save(_plain(module.state_dict()), metadata))

    def write_text(self, name: str, text: str) -> None:
        write_atomically(self.path / name, text)

    def take_back(self) -> None:
        """Remove what a run wrote that came to nothing, and its folder if that is empty then."""
        with suppress(OSError):
            for name in FILES:
                (self.path / name).unlink(missing_ok=True)
            self.path.rmdir()


def _prepare(path: Path, overwrite: bool) -> None:
    held = [name for name in FILES if (path / name).exists()]
    if held and not overwrite:
        what = "a run" if METRICS in held else f"a file `{held[0]}`"
        raise TrainingError(f"{path} already holds {what}", "name another folder, or overwrite it by `--overwrite`")
    try:
        path.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (path / name).unlink(missing_ok=True)
    except OSError as error:
        raise TrainingError(f"{path} cannot be a run's folder: {error.strerror}") from None


def _plain(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy tensors to the CPU in row-major order, none sharing memory, as the file format demands."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}
