"""Where a file's keys stand below a segment that a network's have not, or the other way round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

# Wrappers of training put these segments into keys: torch.nn.DataParallel and AveragedModel, torch.compile, FSDP, and
# activation checkpointing.
WRAPPERS = ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")


@dataclass(frozen=True, slots=True)
class Shift:
    """What stands before the keys of one of two state_dicts alone; not both have something."""

    ours: str = ""
    theirs: str = ""

    def rename(self, name: str) -> str:
        """Return what a name is called behind it."""
        if self.theirs:
            return f"{self.theirs}.{name}"
        return name.removeprefix(f"{self.ours}.") if self.ours else name

    def __str__(self) -> str:
        return self.theirs or self.ours


def see_through(stored: Iterable[str], own: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Map keys without the segments of wrappers that the network has none like to keys as written, and list those met.

    Two keys that only such a segment tells apart keep it.
    """
    segments = {segment for key in own for segment in key.split(".")}
    wrappers = [wrapper for wrapper in WRAPPERS if wrapper not in segments]
    written = list(stored)
    short = [".".join(part for part in key.split(".") if part not in wrappers) or key for key in written]
    counted = Counter(short)
    names = {
        (name if name == key or counted[name] == 1 else key): key for name, key in zip(short, written, strict=True)
    }
    met = {part for name, key in names.items() if name != key for part in key.split(".")}
    return names, [wrapper for wrapper in wrappers if wrapper in met]


def find_shifts(names: Collection[str], short: Collection[str], fits: Callable[[str, str], bool]) -> tuple[Shift, ...]:
    """Return what to put before or leave out of names, so that most of them are keys of the file and fit.

    Several are returned where they do equally well; none where no shift brings at least half of either side, or equal
    keys do as well. `fits` tells it of a name and a key.
    """
    plain = sum(key in names and fits(key, key) for key in short)
    theirs = Counter(start for key in short for start, end in _halves(key) if end in names and fits(end, key))
    ours = Counter(start for name in names for start, end in _halves(name) if end in short and fits(name, end))
    found = [(count, Shift(theirs=start)) for start, count in theirs.items() if 2 * count >= len(names)]
    found += [(count, Shift(ours=start)) for start, count in ours.items() if 2 * count >= len(short)]
    best = max((count for count, _ in found), default=0)
    return tuple(shift for count, shift in found if count == best) if best > plain else ()


def _halves(key: str) -> Sequence[tuple[str, str]]:
    """Cut a key at each of its dots, up to a number that no key of a network has."""
    dots = [place for place, letter in enumerate(key) if letter == "."][:_DEEPEST]
    return [(key[:dot], key[dot + 1 :]) for dot in dots if dot]


_DEEPEST = 64
