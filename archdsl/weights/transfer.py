"""What becomes of the weights of a file in a network: the words for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from archdsl.ir.start import InputAdaption
from archdsl.ops.base import Tensor
from archdsl.passes.arrivals import Arrivals
from archdsl.passes.state import State
from archdsl.weights.shape import fits
from archdsl.weights.stored import Stored

Cause: TypeAlias = Literal[
    "matched", "renamed", "reshaped", "adapted", "initial", "excepted", "dropped",
    "guessed", "new", "different", "unusable", "unused",
]  # fmt: skip

LOADED: tuple[Cause, ...] = ("matched", "renamed", "reshaped", "adapted")
MISFITS: tuple[Cause, ...] = ("guessed", "new", "different", "unusable", "unused")
CAUSES: tuple[Cause, ...] = (*LOADED, "initial", "excepted", "dropped", *MISFITS)

COUNTER = "num_batches_tracked"
MEAN = "running_mean"


def _nothing() -> Arrivals:
    return Arrivals(frozenset(), {})


@dataclass(frozen=True, slots=True)
class Needs:
    """What a network needs: the tensors of its state by key, and what is known of them beside their shapes."""

    state: State
    adaptable: frozenset[str] = frozenset()
    """Keys of weights that can be fitted to other input channels."""
    arrivals: Callable[[], Arrivals] = _nothing
    """Says, when asked, what reaches linear maps."""
    head: Callable[[], frozenset[str]] = frozenset
    """Gives, when asked, the paths of the last steps before the classes."""
    adapt: InputAdaption | None = None
    """What is to be done where the first convolutions have other input channels in the file."""

    def fits(self, key: str, tensor: Tensor, stored: Stored) -> bool:
        """Return whether what a file holds can stand for a key's tensor as it is."""
        is_window = stored.shape is not None and len(stored.shape) > len(tensor.shape) == 2
        flattened = self.arrivals().flattened.get(key) if is_window else None
        return fits(tensor, stored, None if flattened is None else flattened.numbers())


@dataclass(frozen=True, slots=True)
class Entry:
    """What becomes of one key: `key` is the network's, `source` the file's as it is written there.

    matched: the same key and shape. renamed: another key. reshaped: the same elements in the same order, with axes
    split, merged, or of size 1 more or fewer. adapted: fitted to other input channels, in the way that `reason` names.
    initial: a norm's count of batches, which older files lack, stays at 0. excepted: drawn anew at somebody's word,
    whatever the file has. dropped: the network lacks it, and needs it
    for nothing, for which `reason` stands. guessed: most likely another key, by what `reason` says, which is not loaded
    until a rule of `keys` says it. new: the file lacks it, or what it has is of other classes or channels, as `reason`
    says. different: another shape, or a type that cannot be
    converted. unusable: its numbers are none, or do not fit the type here; `reason` says why. unused: the network lacks
    it.
    """

    cause: Cause
    key: str | None
    source: str | None
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    source_shape: tuple[int, ...] | None = None
    source_dtype: str | None = None
    reason: str = ""

    @property
    def is_loaded(self) -> bool:
        return self.cause in LOADED

    @property
    def is_converted(self) -> bool:
        """Whether loading changes the type of the numbers."""
        return self.is_loaded and self.dtype != self.source_dtype


@dataclass(frozen=True, slots=True)
class Transfer:
    """How the weights of a file fit a network; `origin` names the name map that was used, if one was.

    `rules` are those of `keys` by which what is guessed would be loaded.
    """

    entries: tuple[Entry, ...]
    origin: str | None
    notes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    def of(self, cause: Cause) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.cause == cause)

    @property
    def fits(self) -> bool:
        """Whether the file has exactly what the network needs."""
        return not any(entry.cause in MISFITS for entry in self.entries)
