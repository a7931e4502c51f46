"""What a run's folder says of the run: its record, its metrics and its test figures. Importing this needs no torch."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from archdsl.ir.content import content_of
from archdsl.text.failure import cannot
from archdsl.training.data.dataset import TargetKind
from archdsl.training.error import TrainingError
from archdsl.training.tasks.figures import figures_of
from archdsl.weights.preprocessing import Preprocessing

if TYPE_CHECKING:
    from archdsl.network import Network

RECORD, SPEC, RECIPE, MODEL = "run.json", "spec.arch", "recipe.arch", "model.py"
METRICS, CURVES, TEST = "metrics.csv", "curves.png", "test.json"
REPORT = "weights.json"
"""What became of the weights that the run started from."""
BEST, LAST, CHECKPOINTS = "best.safetensors", "last.safetensors", "checkpoints"
TENSORBOARD = "tensorboard"
"""A folder, where TensorBoard is installed."""
REPORTS = ("confusion.png", "confusion.csv", "classes.csv", "mistakes.png")
FILES = (RECORD, SPEC, RECIPE, MODEL, METRICS, CURVES, BEST, LAST, TEST, REPORT, *REPORTS)
"""What a run's folder holds at its top, beside the folder `checkpoints`."""

_FORMAT = 1
_LARGEST = 64_000_000
"""Bytes of the largest file of text that is read."""


class PhaseRecord(BaseModel):
    """What `run.json` says of a phase."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int
    """At most; `early_stop` may end it before."""
    freeze: tuple[str, ...] = ()
    """What the spec, the recipe and the phase freeze, as specs write it."""
    trained_parameters: int


class RunRecord(BaseModel):
    """What `run.json` holds: which network was trained on what, and how images reach it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = _FORMAT
    """Of this file."""
    model: str
    """The network's name."""
    data: str
    """The data set as it was named, such as `imagefolder:pets`."""
    kind: TargetKind
    classes: tuple[str, ...]
    size: tuple[int, int, int]
    """[C, H, W] of the network's input."""
    mean: tuple[float, ...]
    """What is taken from each channel, whose values are from 0 to 1."""
    deviation: tuple[float, ...]
    """What each channel is divided by then."""
    data_digest: str = ""
    data_listing: Mapping[str, str] = {}
    settings: Mapping[str, str] = {}
    """Of the network, by name, as texts of a spec."""
    freeze: tuple[str, ...] = ()
    """What else of the network is frozen than `spec.arch` says, as specs write it."""
    spec_folder: str = ""
    """Where the spec lay, beside which the files are that it uses."""
    network_digest: str
    """As `network_digest` gives it."""
    best_by: str
    weights: str = ""
    """What the run started from, as the user called it."""
    preprocessing: Preprocessing | None = None
    """How images reached the network whose weights these are; how they reach this one, `mean`, `deviation` and the
    recipe say."""
    phases: tuple[PhaseRecord, ...] = ()
    """In their order; a run of a recipe without phases has one, and one of an older version none."""
    environment: Mapping[str, str | int] = {}
    """Versions, platform, threads, device and workers."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not len(self.mean) == len(self.deviation) == self.size[0]:
            raise ValueError(f"`mean` and `deviation` have no number for each of {self.size[0]} channels")
        if not all(map(isfinite, self.mean)) or not all(0 < value < inf for value in self.deviation):
            raise ValueError("`mean` and `deviation` are no numbers to normalise by")
        if self.best_by not in figures_of(self.kind, self.classes):
            raise ValueError(f"`best_by` is {self.best_by}, which data of kind `{self.kind}` has not")
        return self

    @property
    def name(self) -> str:
        """The data set's name, as a data set has it."""
        return self.data


def network_digest(network: Network) -> str:
    """Identify what is computed and the names of the weights, whatever the text of the spec.

    A spec written anew, or another release's, which make the same network, have the same digest.
    """
    shapes = [[*shape.numbers()] for shape in network.inputs.values()]
    keys = [(key, [*tensor.shape]) for key, tensor in network.state]
    told = repr((content_of(network.graph, is_bare=True), shapes, [*network.outputs], keys))
    return sha256(told.encode()).hexdigest()[:32]


def write_record(record: RunRecord) -> bytes:
    """Return the content of `run.json`."""
    return (json.dumps(record.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n").encode(
        errors="backslashreplace"
    )


def read_record(run: Path) -> RunRecord:
    """Read a run's record.

    Errors: TrainingError with E366 where the folder is no run, or its record is damaged
    """
    if not _is_run(run):
        raise _no_run(run)
    found = _object(run / RECORD)
    version = found.get("format", _FORMAT)
    if isinstance(version, int) and version > _FORMAT:
        raise TrainingError(f"`{run}` was written by a newer archdsl", "update archdsl", "E366")
    try:
        return RunRecord.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise _damaged(run / RECORD, f"`{place}`: {first['msg'].lower()}") from None


def _no_run(run: Path) -> TrainingError:
    if not run.exists():
        return TrainingError(f"there is no folder `{run}`", "`archdsl runs FOLDER` lists the runs below one", "E366")
    if not run.is_dir():
        return TrainingError(f"`{run}` is a file, and a run is a folder", f"name its folder: {run.parent}", "E366")
    below = next(iter(find_runs(run)), None)
    help = (
        f"there is one in `{below}`" if below is not None else "`archdsl train SPEC --data DATA -o FOLDER` writes one"
    )
    return TrainingError(f"`{run}` is no run's folder: it has no {RECORD}", help, "E366")


def _object(path: Path) -> dict[str, object]:
    try:
        found: object = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise _damaged(path, " ".join(str(error).split())) from None
    if not isinstance(found, dict):
        raise _damaged(path, "it holds no object")
    return cast("dict[str, object]", found)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise _damaged(path, f"it has more than {_LARGEST:,} bytes")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise TrainingError(cannot("read", path, error), code="E366") from None
    except UnicodeDecodeError as error:
        raise _damaged(path, f"it is no UTF-8 text: {error.reason} at byte {error.start}") from None


def _damaged(path: Path, why: str) -> TrainingError:
    return TrainingError(f"`{path}` is damaged: {why}", "take it from a copy, or train anew", "E366")


def read_metrics(run: Path) -> tuple[Mapping[str, float], ...]:
    """Read a run's metrics, a row for each epoch that ended; none where no epoch did.

    Errors: TrainingError with E366
    """
    path = run / METRICS
    if not path.exists():
        return ()
    try:
        header, *rows = list(csv.reader(_text(path).splitlines(), strict=True)) or [[]]
    except csv.Error as error:
        raise _damaged(path, str(error)) from None
    if rows and not {"epoch", "train_loss"} <= {*header}:
        raise _damaged(path, "its first line does not name the columns")
    return tuple(_row(path, number, header, row) for number, row in enumerate(rows, 2))


def _row(path: Path, number: int, header: Sequence[str], row: Sequence[str]) -> Mapping[str, float]:
    try:
        return {name: float(value) for name, value in zip(header, row, strict=True) if value}
    except ValueError as error:
        raise _damaged(path, f"line {number}: {error}") from None


def read_test(run: Path) -> Mapping[str, float] | None:
    """Read a run's test figures; None where the test part was not measured.

    Errors: TrainingError with E366
    """
    path = run / TEST
    if not path.exists():
        return None
    return {name: float(value) for name, value in _object(path).items() if isinstance(value, int | float)}


def _is_run(folder: Path) -> bool:
    try:
        return (folder / RECORD).is_file()
    except OSError:  # a folder that may not be looked into
        return False


def _may_hold_runs(name: str) -> bool:
    """Return whether runs are looked for in a folder; a hidden one is a run that is only beginning to replace one."""
    return name != CHECKPOINTS and not name.startswith(".")


_DEEPEST = 3


def find_runs(folder: Path) -> Iterator[Path]:
    """Yield the folders of runs: the folder itself, and those below it to a depth of 3, in the order of their names."""
    yield from _find(folder, _DEEPEST)


def _find(folder: Path, depth: int) -> Iterator[Path]:
    if _is_run(folder):
        yield folder
    if not depth:
        return
    try:
        inner = sorted(path for path in folder.iterdir() if path.is_dir() and _may_hold_runs(path.name))
    except OSError:
        return  # what may not be looked into holds no run for this user
    for path in inner:
        yield from _find(path, depth - 1)
