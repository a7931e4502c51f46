"""A run taken up again from its folder: its network, its recipe, and its weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from archdsl import compiler
from archdsl.network import Network
from archdsl.recipe_specs import read_recipe
from archdsl.recipes.recipe import Recipe
from archdsl.semantics.files import read_source
from archdsl.text.error import SpecError
from archdsl.text.failure import Failure, cannot, require
from archdsl.text.source import Source
from archdsl.training.error import TrainingError
from archdsl.training.run.record import RECIPE, RECORD, SPEC, RunRecord, network_digest, read_record
from archdsl.training.tasks.fit import input_size

if TYPE_CHECKING:
    from torch import nn

WhichWeights: TypeAlias = Literal["best", "last"]


@dataclass(frozen=True)
class OpenRun:
    """A run's folder, and what it holds."""

    path: Path
    record: RunRecord
    network: Network
    recipe: Recipe

    def weights(self, which: WhichWeights = "best") -> Path:
        """Return the file of the best or the last weights.

        Errors: TrainingError with E367 where it is not there
        """
        path = self.path / f"{which}.safetensors"
        if not path.is_file():
            other = self.path / f"{'last' if which == 'best' else 'best'}.safetensors"
            help = f"say `--weights {other.stem}`" if other.is_file() else "no epoch of it ended; train it on"
            raise TrainingError(f"`{self.path}` has no {which} weights: `{path}` is not there", help, "E367")
        return path

    def module(self, which: WhichWeights = "best", taps: Sequence[str] = ()) -> nn.Module:
        """Build the network with its best or last weights, on the CPU and in evaluation mode; with `taps`, up to these.

        Errors: TrainingError with E367 where they are not there or damaged
        """
        path = self.weights(which)
        try:
            return self.network.module(path, taps=taps).eval()
        except Failure as error:
            raise TrainingError(error.message, "take the run from a copy, or train it anew", "E367") from None

    def epoch(self, which: WhichWeights = "best") -> int | None:
        """Return the epoch after which the weights were saved, counted from 1, if their file says so."""
        import safetensors

        opened: Any = safetensors.safe_open
        try:
            with opened(self.weights(which), framework="pt") as file:
                metadata = cast("dict[str, str] | None", file.metadata())
        except (safetensors.SafetensorError, OSError):
            return None
        text = (metadata or {}).get("epoch", "")
        return int(text) if text.isdecimal() else None


def open_run(run: Path) -> OpenRun:
    """Read a run's folder.

    Errors: TrainingError with E366 where it is no run or damaged, E367 where its spec or recipe is damaged or makes
    another network than the one that was trained; Failure where a package is absent
    """
    require("torch", "safetensors", extra="train")
    record = read_record(run)
    network = _network(run, record)
    try:
        recipe = read_recipe(run / RECIPE)
    except (SpecError, Failure) as error:
        raise _cannot_use(run / RECIPE, error) from None
    if input_size(network) != record.size:
        raise TrainingError(f"`{run / RECORD}` is damaged: `size` is not the network's", "take it from a copy", "E366")
    return OpenRun(run, record, network, recipe)


def _network(run: Path, record: RunRecord) -> Network:
    try:
        source = read_source(run / SPEC)
    except OSError as error:
        raise TrainingError(cannot("read", run / SPEC, error), "take it from a copy", "E367") from None
    except ValueError:
        raise TrainingError(f"`{run / SPEC}` is no UTF-8 text", "take it from a copy", "E367") from None
    errors: list[SpecError] = []
    others: list[Network] = []
    for network in _candidates(source, run, record):
        if isinstance(network, SpecError):
            errors.append(network)
        elif network_digest(network) == record.network_digest:
            return network
        else:
            others.append(network)
    if others:
        fact = f"`{run / SPEC}` makes another network than the one that was trained"
        raise TrainingError(fact, "take the spec, and the files that it uses, from a copy", "E367")
    # A mistake in the spec itself is found with the run's settings and without.
    last = {found.message for found in errors[-1].diagnostics}
    shared = [found for error in errors for found in error.diagnostics if found.message in last]
    raise _cannot_use(run / SPEC, SpecError(shared or errors[0].diagnostics))


def _candidates(source: Source, run: Path, record: RunRecord) -> Iterator[Network | SpecError]:
    """Compile a spec as it may be meant: with the run's settings, from its own folder, or as it stands."""
    folders = [Path(record.spec_folder), run] if record.spec_folder else [run]
    ways: list[tuple[str | None, Mapping[str, str]]] = [(record.model, record.settings), (None, {})]
    for folder in folders:
        for model, settings in ways:
            for size in (None, record.size):
                try:
                    network = Network(compiler.compile(source, model, settings, size, folder))
                    yield reduce(Network.frozen, record.freeze, network)
                except SpecError as error:
                    yield error


def _cannot_use(path: Path, error: SpecError | Failure) -> TrainingError:
    if isinstance(error, Failure):
        return TrainingError(f"`{path}` cannot be used: {error.message}", error.help, "E367")
    told = error.diagnostics[0]
    line, _ = told.span.source.position(told.span.start)
    return TrainingError(f"`{path}` cannot be used: line {line}: {told.message}", told.help, "E367")
