"""Which weights of a file go where in a network, and why some do not: without torch, by keys and shapes alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal, TypeAlias

from archdsl.ops.base import Tensor
from archdsl.passes.state import State
from archdsl.semantics.keymap import KeyMap

Cause: TypeAlias = Literal["matched", "renamed", "reshaped", "initial", "new", "different", "unused"]

LOADED: tuple[Cause, ...] = ("matched", "renamed", "reshaped")
CAUSES: tuple[Cause, ...] = (*LOADED, "initial", "new", "different", "unused")

# Wrappers of training put these before every key: torch.nn.DataParallel and AveragedModel, and torch.compile.
PREFIXES = ("module.", "_orig_mod.")
_COUNTER = "num_batches_tracked"
_PARTS = frozenset({"weight", "bias", "running_mean", "running_var", _COUNTER})


@dataclass(frozen=True, slots=True)
class Stored:
    """What a file holds under a key: a tensor's shape and type ("float16"), or no tensor, whose `shape` is None."""

    shape: tuple[int, ...] | None
    dtype: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What becomes of one key: `key` is the network's, `source` the file's as it is written there.

    matched: the same key and shape. renamed: another key. reshaped: the same elements in the same order, with axes
    split, merged, or of size 1 more or fewer. initial: a norm's count of batches, which older files lack, stays at 0.
    new: the file lacks it. different: another shape, or a type that cannot be converted. unused: the network lacks it.
    """

    cause: Cause
    key: str | None
    source: str | None
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    source_shape: tuple[int, ...] | None = None
    source_dtype: str | None = None

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
        return not any(entry.cause in ("new", "different", "unused") for entry in self.entries)


def plan_transfer(
    state: State, stored: Mapping[str, Stored], maps: Sequence[KeyMap] = (), *, is_in_order: bool = True
) -> Transfer:
    """Say what becomes of each key of a network's state and of a file.

    Of equal keys and the name maps, those are used that load most; equal keys go before maps, earlier maps before later
    ones. `is_in_order` says whether the file keeps the order that the weights had when it was saved.
    """
    short = _without_prefixes(stored, [key for key, _ in state])
    plans = [_Plan(state, stored, short, known, is_in_order) for known in (None, *maps)]
    return max(plans, key=lambda plan: plan.loaded).result()


def transfer_from(origin: KeyMap, state: State, stored: Mapping[str, Stored], *, is_in_order: bool = True) -> Transfer:
    """Say what becomes of each key where the file's origin is known."""
    short = _without_prefixes(stored, [key for key, _ in state])
    return _Plan(state, stored, short, origin, is_in_order).result()


def _without_prefixes(stored: Iterable[str], own: Sequence[str]) -> dict[str, str]:
    """Map keys without the prefixes of wrappers, as far as the network has none like them, to the keys as written."""
    prefixes = tuple(prefix for prefix in PREFIXES if not any(key.startswith(prefix) for key in own))
    written = list(stored)
    short = [_strip(key, prefixes) for key in written]
    # Two keys that only a prefix tells apart keep it.
    taken = set(written)
    return {(name if name == key or name not in taken else key): key for name, key in zip(short, written, strict=True)}


def _strip(key: str, prefixes: Sequence[str]) -> str:
    while prefix := next((p for p in prefixes if key.startswith(p)), None):
        key = key.removeprefix(prefix)
    return key


class _Plan:
    """One way to assign a file's keys to a network's."""

    def __init__(
        self,
        state: State,
        stored: Mapping[str, Stored],
        short: Mapping[str, str],
        key_map: KeyMap | None,
        is_in_order: bool,
    ) -> None:
        self._state, self._stored, self._short, self._map = dict(state), stored, short, key_map
        self._notes: list[str] = []
        self._sources: dict[str, str] = {}
        ruled = {key: key_map.rename(key) if key_map is not None else None for key in self._state}
        named = {key: name for key, name in ruled.items() if name is not None}
        if key_map is not None and key_map.is_ordered:
            self._assign(named)
            self._pair_in_order([key for key in ruled if key not in named], is_in_order)
        else:
            self._assign({key: named.get(key, key) for key in ruled})
        self._entries = {key: self._entry(key, tensor) for key, tensor in self._state.items()}
        self.loaded = sum(entry.is_loaded for entry in self._entries.values())

    def _assign(self, names: Mapping[str, str]) -> None:
        """Return each key the source of its name; of keys that share one, the first gets it."""
        taken: set[str] = set()
        for key, name in names.items():
            source = self._short.get(name)
            if source is not None and source not in taken:
                self._sources[key] = source
                taken.add(source)

    def _pair_in_order(self, keys: Sequence[str], is_in_order: bool) -> None:
        """Pair what is left in order, up to the first pair that does not fit; behind it, only to report."""
        assert self._map is not None
        if not is_in_order:
            self._notes.append(
                f"`keys {self._map.origin} in order` has no order to go by: files of safetensors keep none"
            )
            return
        taken = set(self._sources.values())
        sources = [source for source in self._short.values() if source not in taken]
        if not any(source.endswith(_COUNTER) for source in sources):
            keys = [key for key in keys if not key.endswith(_COUNTER)]
        is_broken = False
        for key, source in zip(keys, sources, strict=False):
            fits, agrees = _fits(self._state[key], self._stored[source]), _is_same_part(key, source)
            if not ((fits and agrees) or is_broken):
                is_broken = True
                why = "their shapes differ" if agrees else "they are no such pair"
                self._notes.append(f"in order, `{source}` stands for `{key}`, and {why}")
            # Behind such a pair an order says nothing, and shapes may agree by chance.
            if agrees and not (fits and is_broken):
                self._sources[key] = source

    def _entry(self, key: str, tensor: Tensor) -> Entry:
        source = self._sources.get(key)
        if source is None:
            counted = f"{key.removesuffix(_COUNTER)}running_mean"
            is_counter = key.rpartition(".")[2] == _COUNTER and counted in self._sources
            return Entry("initial" if is_counter else "new", key, None, tensor.shape, tensor.dtype)
        stored = self._stored[source]
        cause: Cause = "matched" if source == key else "renamed"
        if not _fits(tensor, stored):
            cause = "different"
        elif tensor.shape != stored.shape:
            cause = "reshaped"
        return Entry(cause, key, source, tensor.shape, tensor.dtype, stored.shape, stored.dtype)

    def result(self) -> Transfer:
        used = set(self._sources.values())
        unused = [
            Entry("unused", None, source, None, None, stored.shape, stored.dtype)
            for source, stored in self._stored.items()
            if source not in used
        ]
        origin = self._map.origin if self._map is not None else None
        return Transfer((*self._entries.values(), *unused), origin, tuple(self._notes))


def _fits(tensor: Tensor, stored: Stored) -> bool:
    return (
        stored.shape is not None
        and _kind(tensor.dtype) == _kind(stored.dtype)
        and can_reshape(stored.shape, tensor.shape)
    )


def _is_same_part(key: str, source: str) -> bool:
    """Return whether two keys may name the same tensor of a module: not where one is a weight and the other a bias."""
    parts = {name.rpartition(".")[2] for name in (key, source)}
    return len(parts) == 1 or not parts <= _PARTS


def _kind(dtype: str) -> str:
    """Return the kind of numbers; between kinds nothing is converted."""
    if dtype.startswith(("float", "bfloat")):
        return "float"
    return "integer" if dtype.startswith(("int", "uint")) else dtype


def can_reshape(shape: Sequence[int], other: Sequence[int]) -> bool:
    """Return whether two shapes differ only by axes of size 1, or by neighbouring axes that one of them merges.

    >>> can_reshape([4096, 25088], [4096, 512, 7, 7]), can_reshape([3, 4], [4, 3])
    (True, False)
    """
    if prod(shape) != prod(other):
        return False
    left, right = [n for n in shape if n != 1], [n for n in other if n != 1]
    return left == right or _merges(left, right) or _merges(right, left)


def _merges(fine: Sequence[int], coarse: Sequence[int]) -> bool:
    """Return whether each size of `coarse` is a product of neighbours in `fine`."""
    position = 0
    for size in coarse:
        made = 1
        while made < size and position < len(fine):
            made *= fine[position]
            position += 1
        if made != size:
            return False
    return position == len(fine)
