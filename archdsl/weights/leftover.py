"""What no key of a network takes of a file, and what of it may well be left over."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import prod

from archdsl.semantics.keymap import KeyMap
from archdsl.weights.stored import Stored
from archdsl.weights.transfer import COUNTER, MEAN, Entry

# torch.optim.swa_utils.AveragedModel counts under this key what it has averaged.
_AVERAGED = "n_averaged"


def is_average(name: str, stored: Stored) -> bool:
    """Return whether a key is that of the count of averaged models."""
    return name == _AVERAGED and _is_number(stored)


class Leftover:
    """Knows what a file's leftover keys can be: those of counts, copies, and what a name map drops."""

    def __init__(
        self,
        stored: Mapping[str, Stored],
        short: Mapping[str, str],
        taken: Collection[str],
        key_map: KeyMap | None,
    ) -> None:
        self._stored, self._short, self._taken = stored, short, taken
        self._drops = key_map.drops if key_map is not None else ()
        self._twins = {twin: source for source in taken if (twin := stored[source].twin) is not None}

    def entry(self, source: str) -> Entry:
        """Say of a key that nothing takes why it may be left over, if it may."""
        stored = self._stored[source]
        reason = self._reason(source, stored)
        return Entry("dropped" if reason else "unused", None, source, None, None, stored.shape, stored.dtype, reason)

    def _reason(self, source: str, stored: Stored) -> str:
        module, _, part = source.rpartition(".")
        if part == COUNTER and _is_number(stored) and (f"{module}.{MEAN}" if module else MEAN) in self._taken:
            return "counts of batches that the norms here do not keep"
        if is_average(self._short[source], stored):
            return "how many models were averaged"
        if stored.twin in self._twins:
            return f"the same tensor as `{self._twins[stored.twin]}`"
        drop = next((drop for drop in self._drops if drop.matches(self._short[source])), None)
        return f"by `drop {drop.span.text}`" if drop is not None else ""

    def idle_drops(self, left: Sequence[Entry]) -> Iterator[str]:
        """Say which rules of the name map find nothing to drop."""
        for drop in self._drops:
            if not any(drop.matches(self._short[entry.source or ""]) for entry in left):
                yield f"`drop {drop.span.text}` finds no key of the file that is left over"


def _is_number(stored: Stored) -> bool:
    return stored.shape is not None and prod(stored.shape) == 1
