"""What is asked of a run beside its losses, and what it leaves: all that measures read. It needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import file_digest, sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict

FORMAT = 1
"""Of a trace's file; another number makes all runs anew."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What a run is asked for. Two are joined by `|`."""

    gradients: frozenset[str] = frozenset()
    """Paths in the network."""
    gaps: frozenset[float] = frozenset()
    """Training losses at which both parts are measured."""
    modes: frozenset[tuple[str, int]] = frozenset()
    """`training` or `evaluation`, and a batch size."""
    accuracies: frozenset[str] = frozenset()
    """Parts of the data: `training`, `validation` or `test`."""
    weights: bool = False
    """Whether its weights are kept, since other runs start from them."""

    def __or__(self, other: Readings) -> Readings:
        return Readings(*(getattr(self, field.name) | getattr(other, field.name) for field in fields(self)))

    def told(self) -> Mapping[str, object]:
        """Return the same in one order, for a digest."""
        return {field.name: _told(getattr(self, field.name)) for field in fields(self)}


def _told(value: frozenset[str] | bool) -> object:
    return value if isinstance(value, bool) else sorted(value)


class Gap(BaseModel):
    """Plain losses in evaluation mode of both parts' images, at a step; None for what is not finite."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int
    training: float | None
    validation: float | None


class Trace(BaseModel):
    """What a run leaves. Numbers are finite; what is not is None, or not there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    key: str
    """Identifies all that the run depends on."""
    about: Mapping[str, str | int]
    """Model, recipe, data and seed, for people."""
    losses: tuple[float, ...]
    """What was minimised, of each step."""
    diverged_at: int | None = None
    """The first step, from 1, without a finite loss; 0 where what was trained before diverged."""
    gradients: Mapping[str, float] = {}
    """L2 norms at the first step, by path."""
    gaps: Mapping[str, Gap] = {}
    """By the training loss that was reached, as a text."""
    modes: Mapping[str, float | None] = {}
    """Mean plain losses, by such as `training 2`."""
    accuracies: Mapping[str, float] = {}
    """Shares from 0 to 1, by part."""
    preprocessing: Mapping[str, object] | None = None
    """How images reached the network, where weights are kept."""
    classes: tuple[str, ...] = ()
    weights: str = ""
    """SHA-256 of the file of its weights, where they are kept."""
    cpu_seconds: float = 0.0
    environment: Mapping[str, str | int] = {}
    seal: str = ""
    """What `seal_of` gives, in a file."""


class Timing(BaseModel):
    """The time of a forward pass."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    key: str
    about: Mapping[str, str | int]
    seconds: float
    """The median of some passes."""
    cpu_seconds: float = 0.0
    seal: str = ""
    """What `seal_of` gives, in a file."""


def seal_of(record: Trace | Timing) -> str:
    """Return what tells a record that is whole from one that was cut, edited or damaged on a disk."""
    return sha256(record.model_dump_json(exclude={"seal"}).encode()).hexdigest()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
