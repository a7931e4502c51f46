"""What a file of weights holds, and what every kind of file can be asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Stored:
    """What a file holds under a key: a tensor's shape and type ("float16"), or no tensor, whose `shape` is None.

    `twin` is the first key of the file under which it has the very same tensor, where it has it under several.
    """

    shape: tuple[int, ...] | None
    dtype: str
    twin: str | None = None


class WeightsFile(Protocol):
    """A file of weights, or what stands in for one."""

    @property
    def name(self) -> str: ...

    @property
    def stored(self) -> Mapping[str, Stored]:
        """Map keys, in the file's order, to what they hold."""
        ...

    @property
    def is_in_order(self) -> bool:
        """Whether that order is the one of the state_dict that was saved."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of the file."""
        ...

    def read(self, keys: Iterable[str]) -> Iterator[tuple[str, torch.Tensor]]:
        """Read some tensors, one after another."""
        ...
