"""Which weights of a file go where in a network, and why some do not: without torch, by keys and shapes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.ops.base import Tensor
from archdsl.passes.heads import is_of
from archdsl.semantics.keymap import KeyMap
from archdsl.weights.leftover import Leftover, is_average
from archdsl.weights.prefix import Shift, find_shifts, see_through
from archdsl.weights.shape import differs_in_outputs, fits, fits_adapted
from archdsl.weights.stored import Stored
from archdsl.weights.transfer import COUNTER, MEAN, MISFITS, Cause, Entry, Needs, Transfer

_PARTS = frozenset({"weight", "bias", MEAN, "running_var", COUNTER})


def plan_transfer(
    needs: Needs, stored: Mapping[str, Stored], maps: Sequence[KeyMap] = (), *, is_in_order: bool = True
) -> Transfer:
    """Say what becomes of each key of a network's state and of a file.

    Of equal keys and the name maps, those are used that load most, then those that leave least over, or need no prefix
    guessed; equal keys go before maps, earlier maps before later ones. `is_in_order` says whether the file keeps the
    order that the weights had when it was saved.
    """
    file = _Keys(needs, stored, is_in_order)
    plans = [_plan(needs, file, known) for known in (None, *maps)]
    return max(((plan.result(), plan.is_guessed) for plan in plans), key=_rank)[0]


def _rank(plan: tuple[Transfer, bool]) -> tuple[int, int, bool]:
    transfer, is_guessed = plan
    loaded = sum(entry.is_loaded for entry in transfer.entries)
    return loaded, -sum(entry.cause in MISFITS for entry in transfer.entries), not is_guessed


def transfer_from(origin: KeyMap, needs: Needs, stored: Mapping[str, Stored], *, is_in_order: bool = True) -> Transfer:
    """Say what becomes of each key where the file's origin is known."""
    return _plan(needs, _Keys(needs, stored, is_in_order), origin).result()


class _Keys:
    """A file's keys, as they are written and without the segments of wrappers."""

    def __init__(self, needs: Needs, stored: Mapping[str, Stored], is_in_order: bool) -> None:
        self.stored, self.is_in_order = stored, is_in_order
        self.short, self.wrappers = see_through(stored, [key for key, _ in needs.state])
        self.short_of = {source: name for name, source in self.short.items()}

    def find(self, name: str) -> str | None:
        """Return the key as written; a map may name the segment of a wrapper itself."""
        return self.short.get(name) or (name if name in self.stored else None)


def _plan(needs: Needs, file: _Keys, key_map: KeyMap | None) -> _Plan:
    """Assign by a name map or equal keys, below the one prefix, if any, that brings more."""
    plan = _Plan(needs, file, key_map)
    if plan.is_whole or (key_map is not None and key_map.is_ordered):
        return plan
    named = ((plan.name(key), tensor) for key, tensor in needs.state if not key.endswith(COUNTER))
    tensors = {name: tensor for name, tensor in named if name is not None}
    keys = dict.fromkeys(key for key in file.short if not key.endswith(COUNTER))
    shifts = find_shifts(tensors, keys, lambda name, key: fits(tensors[name], file.stored[file.short[key]]))
    if len(shifts) > 1:
        plan.tell_shifts(shifts)
    return _Plan(needs, file, key_map, shifts[0]) if len(shifts) == 1 else plan


class _Plan:
    """One way to assign a file's keys to a network's."""

    def __init__(self, needs: Needs, file: _Keys, key_map: KeyMap | None, shift: Shift | None = None) -> None:
        self._needs, self._state, self._file, self._map, self._shift = needs, dict(needs.state), file, key_map, shift
        self._notes: list[str] = []
        self._sources: dict[str, str] = {}
        self._taken: set[str] = set()
        self._assign()
        if key_map is not None and key_map.is_ordered:
            self._pair_in_order([key for key in self._state if key_map.rename(key) is None])
        self._entries = {key: self._entry(key, tensor) for key, tensor in self._state.items()}

    @property
    def is_guessed(self) -> bool:
        """Whether a prefix is used that no rule says."""
        return self._shift is not None

    @property
    def is_whole(self) -> bool:
        """Whether everything that the network needs is loaded."""
        return all(entry.is_loaded or entry.cause == "initial" for entry in self._entries.values())

    def name(self, key: str) -> str | None:
        """Return what the file calls a key; None where only the order tells."""
        name = self._map.rename(key) if self._map is not None else key
        return self._shift.rename(name) if self._shift is not None and name is not None else name

    def tell_shifts(self, shifts: Sequence[Shift]) -> None:
        """Say that the keys fit below several prefixes."""
        named = ", ".join(f"`{shift}`" for shift in shifts[:4]) + (", …" if len(shifts) > 4 else "")
        rule = f'`"" = "{shifts[0].theirs}"`' if shifts[0].theirs else f'`"{shifts[0].ours}" = ""`'
        self._notes.append(f"the keys fit below each of {named}: a rule of `keys` says which is meant, {rule}")

    def _assign(self) -> None:
        """Give each key the source of its name; of keys that share one, the first gets it."""
        for key in self._state:
            name = self.name(key)
            source = self._file.find(name) if name is not None else None
            if source is not None and source not in self._taken:
                self._sources[key] = source
                self._taken.add(source)

    def _pair_in_order(self, keys: Sequence[str]) -> None:
        """Pair what is left in order, up to the first pair that does not fit; behind it, only to report."""
        assert self._map is not None
        if not self._file.is_in_order:
            self._notes.append(
                f"`keys {self._map.origin} in order` has no order to go by: files of safetensors keep none"
            )
            return
        sources = [source for source in self._file.short.values() if self._is_to_pair(source)]
        if not any(source.endswith(COUNTER) for source in sources):
            keys = [key for key in keys if not key.endswith(COUNTER)]
        is_broken = False
        for key, source in zip(keys, sources, strict=False):
            is_fitting = self._needs.fits(key, self._state[key], self._file.stored[source])
            agrees = _is_same_part(key, source)
            if not ((is_fitting and agrees) or is_broken):
                is_broken = True
                why = "their shapes differ" if agrees else "they are no such pair"
                self._notes.append(f"in order, `{source}` stands for `{key}`, and {why}")
            # Behind such a pair an order says nothing, and shapes may agree by chance.
            if agrees and not (is_fitting and is_broken):
                self._sources[key] = source
                self._taken.add(source)

    def _is_to_pair(self, source: str) -> bool:
        assert self._map is not None
        name = self._file.short_of[source]
        is_dropped = any(drop.matches(name) for drop in self._map.drops)
        return source not in self._taken and not is_dropped and not is_average(name, self._file.stored[source])

    def _entry(self, key: str, tensor: Tensor) -> Entry:
        source = self._sources.get(key)
        if source is None:
            counted = f"{key.removesuffix(COUNTER)}{MEAN}"
            is_counter = key.rpartition(".")[2] == COUNTER and counted in self._sources
            return Entry("initial" if is_counter else "new", key, None, tensor.shape, tensor.dtype)
        stored, reason = self._file.stored[source], ""
        cause: Cause = "matched" if source == key else "renamed"
        if not self._needs.fits(key, tensor, stored):
            cause, reason = self._misfit(key, tensor, stored)
        elif tensor.shape != stored.shape:
            cause = "reshaped"
        return Entry(cause, key, source, tensor.shape, tensor.dtype, stored.shape, stored.dtype, reason)

    def _misfit(self, key: str, tensor: Tensor, stored: Stored) -> tuple[Cause, str]:
        """Say what becomes of a tensor whose shape is another in the file, and why, or how."""
        if stored.shape is not None and differs_in_outputs(tensor, stored) and self._is_head(key):
            return "new", f"{tensor.shape[0]:,} classes here, {stored.shape[0]:,} in the file"
        if stored.shape is None or key not in self._needs.adaptable or not fits_adapted(tensor, stored):
            return "different", ""
        told = f"{tensor.shape[1]:,} input channels here, {stored.shape[1]:,} in the file"
        # What somebody asks for goes before what the spec says of every such file.
        if self._needs.adapt is not None and key in self._needs.arrivals().entrance:
            return ("new", told) if self._needs.adapt == "new" else ("adapted", self._needs.adapt)
        if self._map is not None and any(adapt.matches(key) for adapt in self._map.adapts):
            return "adapted", "copy"
        if key not in self._needs.arrivals().entrance:
            return "different", ""
        origin = self._map.origin if self._map is not None else "NAME"
        beginning = key.removesuffix(".weight")
        self._notes.append(
            f"`{key}` has {told}: say `--adapt-input mean`, `copy` or `new`, or write "
            f'`keys {origin} {{ adapt "{beginning}" }}`'
        )
        return "different", told

    def _is_head(self, key: str) -> bool:
        return is_of(key, self._needs.head())

    def result(self) -> Transfer:
        leftover = Leftover(self._file.stored, self._file.short_of, self._taken, self._map)
        left = [leftover.entry(source) for source in self._file.stored if source not in self._taken]
        origin = self._map.origin if self._map is not None else None
        notes = (*self._say_prefixes(), *self._notes, *leftover.idle_drops(left))
        return Transfer((*self._entries.values(), *left), origin, notes)

    def _say_prefixes(self) -> list[str]:
        """Say what was passed over in keys that are used."""
        met = [w for w in self._file.wrappers if any(w in source.split(".") for source in self._taken)]
        named = " and ".join(f"`{wrapper}`" for wrapper in met)
        verb = "is" if len(met) == 1 else "are"
        notes = [f"{named} of wrappers {verb} passed over in the file's keys"] if met else []
        if self._shift is not None and self._shift.theirs:
            prefix = self._shift.theirs
            notes.append(f'the file\'s keys stand below `{prefix}`; a rule of `keys` says so: `"" = "{prefix}"`')
        elif self._shift is not None:
            prefix = self._shift.ours
            notes.append(f'the file has what stands below `{prefix}` here; a rule of `keys` says so: `"{prefix}" = ""`')
        return notes


def _is_same_part(key: str, source: str) -> bool:
    """Return whether two keys may name the same tensor of a module: not where one is a weight and the other a bias."""
    parts = {name.rpartition(".")[2] for name in (key, source)}
    return len(parts) == 1 or not parts <= _PARTS
