"""What becomes of the weights of a file in a network: the words for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from archdsl.passes.state import State

Cause: TypeAlias = Literal[
    "matched", "renamed", "reshaped", "adapted", "initial", "dropped", "new", "different", "unusable", "unused"
]

LOADED: tuple[Cause, ...] = ("matched", "renamed", "reshaped", "adapted")
MISFITS: tuple[Cause, ...] = ("new", "different", "unusable", "unused")
CAUSES: tuple[Cause, ...] = (*LOADED, "initial", "dropped", *MISFITS)

COUNTER = "num_batches_tracked"
MEAN = "running_mean"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a network needs: the tensors of its state by key, and what is known of them beside their shapes."""

    state: State
    adaptable: frozenset[str] = frozenset()
    """Keys of weights that can be fitted to other input channels."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What becomes of one key: `key` is the network's, `source` the file's as it is written there.

    matched: the same key and shape. renamed: another key. reshaped: the same elements in the same order, with axes
    split, merged, or of size 1 more or fewer. adapted: fitted to other input channels, as a rule of `keys` asks.
    initial: a norm's count of batches, which older files lack, stays at 0. dropped: the network lacks it, and needs it
    for nothing, for which `reason` stands. new: the file lacks it. different: another shape, or a type that cannot be
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
    """How the weights of a file fit a network; `origin` names the name map that was used, if one was."""

    entries: tuple[Entry, ...]
    origin: str | None
    notes: tuple[str, ...] = ()

    def of(self, cause: Cause) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.cause == cause)

    @property
    def fits(self) -> bool:
        """Whether the file has exactly what the network needs."""
        return not any(entry.cause in MISFITS for entry in self.entries)
