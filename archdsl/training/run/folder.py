"""The folder of a run: it stands alone, a crash leaves each file whole, and no run before it is lost too soon."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from io import StringIO
from itertools import count
from pathlib import Path

from safetensors.torch import save
from torch import Tensor, nn

from archdsl.network import Network
from archdsl.text.files import TEMPORARY, cannot_write, refuse_inputs, write_atomically
from archdsl.training.error import TrainingError
from archdsl.training.observer import Epoch
from archdsl.training.run.checkpoint import has_checkpoint
from archdsl.training.run.record import (
    CHECKPOINTS,
    FILES,
    METRICS,
    MODEL,
    RECIPE,
    RECORD,
    SPEC,
    TENSORBOARD,
    RunRecord,
    network_digest,
    write_record,
)


class RunFolder:
    """Write what a run leaves.

    A run that replaces another is written beside it, to `.NAME.new`, and takes its place with `take_place`.
    """

    def __init__(self, path: Path, network: Network, spec: str, code: bytes, *, is_staged: bool = False) -> None:
        self.final, self.network, self.spec = path, network, spec
        self.path = _beside(path, "new") if is_staged else path
        self.has_progress = False
        """Whether a checkpoint with at least one step was saved."""
        self._model = code
        self._old: Path | None = None
        """Where the run is that this one replaced, until this one has come to its end."""

    @classmethod
    def create(
        cls, path: Path, network: Network, spec: str, code: bytes, *, inputs: Sequence[Path], overwrite: bool
    ) -> RunFolder:
        """Make the folder of a new run; `inputs` are files that were read for it.

        Errors: TrainingError with E331 where it holds a run, or a file that a run writes, and is not to be overwritten,
        and with E332 where it cannot be written; Failure where a file of the run would replace one that was read
        """
        settle(path)
        try:
            for name in FILES:
                refuse_inputs(path / name, inputs)
            held = [name for name in (*FILES, CHECKPOINTS) if (path / name).exists()]
            if held and not overwrite:
                what = "a run" if {RECORD, METRICS} & {*held} else f"a file `{held[0]}`"
                help = "name another folder, say --overwrite, or go on with it: `archdsl train --resume`"
                raise TrainingError(f"`{path}` already holds {what}", help, "E331")
            folder = cls(path, network, spec, code, is_staged=bool(held))
            if folder.path != path:
                shutil.rmtree(folder.path, ignore_errors=True)
            folder.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise TrainingError(f"`{path}` cannot be a run's folder: {reason}", code="E332") from None
        return folder

    @property
    def is_staged(self) -> bool:
        """Whether another run is still where this one is to be."""
        return self.path != self.final

    def write_inputs(self, record: RunRecord, recipe: str) -> None:
        """Write what the run starts from."""
        self.write(RECORD, write_record(record))
        self.write(SPEC, self.spec.encode())
        self.write(RECIPE, recipe.encode())
        self.write(MODEL, self._model)

    def write_metrics(self, epochs: Sequence[Epoch], names: Sequence[str], *, has_phases: bool = False) -> None:
        """Write metrics.csv anew: a row for each epoch, with its phase if it `has_phases`. `names` are the figures."""
        text = StringIO(newline="")
        rows = csv.writer(text)
        columns = [f"{part}_{name}" for part in ("train", "validation") for name in names]
        header = ["epoch", *(["phase"] if has_phases else []), "step", "lr", *columns, "seconds", "images_per_second"]
        rows.writerow(header)
        for row in map(row_of, epochs):
            values = [row.get(name) for name in header]
            rows.writerow(["" if v is None else f"{v:.6g}" if isinstance(v, float) else v for v in values])
        self.write(METRICS, text.getvalue().encode())

    def save(self, name: str, module: nn.Module, facts: Mapping[str, object]) -> None:
        """Write a module's weights and buffers, in their own dtypes, with the spec and what is said of them."""
        metadata = {
            "format": "pt",
            "network": self.network.name,
            "spec": self.spec,
            "network_digest": network_digest(self.network),
            "model_sha256": sha256(self._model).hexdigest(),
            **{key: str(value) for key, value in facts.items()},
        }
        self.write(name, weights_file(module, metadata))

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole.

        Errors: TrainingError with E332
        """
        try:
            write_atomically(self.path / name, content)
        except OSError as error:
            failure = cannot_write(self.path / name, error)
            raise TrainingError(failure.message, failure.help, failure.code) from None

    def take_place(self) -> None:
        """Let this run take the place of the one that it replaces; what is no run's file stays in the folder."""
        if not self.is_staged:
            return
        old = _beside(self.final, "old")
        try:
            shutil.rmtree(old, ignore_errors=True)
            self.final.rename(old)
            self.path.rename(self.final)
            _move_others(old, self.final)
        except OSError as error:
            raise TrainingError(f"`{self.final}` cannot be replaced: {error.strerror}", code="E332") from None
        self.path, self._old = self.final, old

    def leave_old(self) -> Path | None:
        """Put the run that this one replaced beside it, where anyone finds it, since this one fails; return where."""
        if self._old is None:
            return None
        kept = next(path for path in _names_before(self.final) if not path.exists())
        try:
            self._old.rename(kept)
        except OSError:
            return None
        self._old = None
        return kept

    def forget_old(self) -> None:
        """Remove the run that this one replaced."""
        if self._old is not None:
            shutil.rmtree(self._old, ignore_errors=True)
            self._old = None

    def take_back(self) -> None:
        """Remove what a run wrote that came to nothing, and its folder if that is empty then."""
        shutil.rmtree(self.path / CHECKPOINTS, ignore_errors=True)
        with suppress(OSError):
            for name in FILES:
                _remove(self.path / name)
            self.path.rmdir()


def row_of(epoch: Epoch) -> dict[str, float]:
    """Return an epoch's row of metrics.csv."""
    parts = {"train": epoch.train, "validation": epoch.validation}
    figures = {f"{part}_{name}": value for part, found in parts.items() for name, value in found.items()}
    ends = {"seconds": epoch.seconds, "images_per_second": epoch.images_per_second}
    return {"epoch": epoch.epoch, "phase": epoch.phase, "step": epoch.step, "lr": epoch.lr, **figures, **ends}


def weights_file(module: nn.Module, metadata: Mapping[str, str]) -> bytes:
    """Return a safetensors file of a module's weights and buffers, in their own dtypes."""
    return in_one_order(save(_plain(module.state_dict()), {**metadata}))


def in_one_order(content: bytes) -> bytes:
    """Return a safetensors file whose metadata come in the order of their keys; the library writes them in any.

    >>> one, other = (in_one_order(save({}, {"a": "1", "b": "2", "c": "3", "d": "4"})) for _ in "xy")
    >>> one == other
    True
    """
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    metadata = dict(sorted(header.pop("__metadata__", {}).items()))
    text = json.dumps({"__metadata__": metadata, **header}, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # tensors begin where 8 bytes do
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


def settle(path: Path) -> None:
    """Finish, or undo, a replacement that a crash cut in two."""
    new, old = _beside(path, "new"), _beside(path, "old")
    with suppress(OSError):
        if not path.exists() and old.exists():
            is_whole = new.exists() and has_checkpoint(new)
            (new if is_whole else old).rename(path)
        if path.exists() and old.exists():
            _move_others(old, path)
            shutil.rmtree(old, ignore_errors=True)


def _names_before(path: Path) -> Iterator[Path]:
    """Yield names for the run that was in a folder before."""
    yield path.with_name(f"{path.name}.before")
    yield from (path.with_name(f"{path.name}.before-{number}") for number in count(2))


def clear(path: Path) -> None:
    """Remove what is left of writes that were cut in two. Requires: no other program writes to the run."""
    for folder in (path, path / CHECKPOINTS):
        for left in folder.glob(TEMPORARY):
            with suppress(OSError):
                left.unlink()


def _beside(path: Path, what: str) -> Path:
    real = Path(os.path.realpath(path))
    return real.with_name(f".{real.name}.{what}")


def _move_others(old: Path, new: Path) -> None:
    for entry in old.iterdir():
        if entry.name not in (*FILES, CHECKPOINTS, TENSORBOARD) and not (new / entry.name).exists():
            entry.rename(new / entry.name)


def _remove(path: Path) -> None:
    """Remove a file, through a link that leads to it, as writing goes through links."""
    Path(os.path.realpath(path)).unlink(missing_ok=True)


def _plain(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy tensors to the CPU in row-major order, none sharing memory, as the file format demands."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}
