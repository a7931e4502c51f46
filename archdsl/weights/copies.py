"""Second names of modules that a network applies again, saved as tensors of their own."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

import torch

from archdsl.weights.stored import WeightsFile
from archdsl.weights.transfer import Entry, Transfer


def find_copies(file: WeightsFile, transfer: Transfer, shared: Collection[str]) -> Transfer:
    """Let be left over what has the numbers of a module that is applied again, tensor by tensor.

    `shared` are the keys of such modules. What is constant, such as a fresh norm, says nothing by itself: it counts
    beside a copy that is not.
    """
    firsts = _by_module(e for e in transfer.entries if e.is_loaded and e.key in shared)
    lefts = _by_module(transfer.of("unused"))
    pairs = [(left, first) for left in lefts for first in firsts if _are_alike(left, first)]
    sources = {entry.source for left, first in pairs for entry in (*left.values(), *first.values()) if entry.source}
    tensors = dict(file.read(sources)) if pairs else {}
    copies: dict[str, str] = {}
    is_told = False
    for left, first in pairs:
        named = {left[part].source or "": first[part].source or "" for part in left}
        if all(_are_equal(tensors[one], tensors[other]) for one, other in named.items()):
            copies |= {one: other for one, other in named.items() if one not in copies}
            is_told = is_told or not all(_is_constant(tensors[one]) for one in named)
    if not is_told:
        return transfer
    entries = [
        replace(entry, cause="dropped", reason=f"a copy of `{copies[entry.source]}`")
        if entry.cause == "unused" and entry.source in copies
        else entry
        for entry in transfer.entries
    ]
    return replace(transfer, entries=tuple(entries))


def _by_module(entries: Iterable[Entry]) -> list[dict[str, Entry]]:
    """Group entries by the module of their source; each has its tensors by name."""
    found: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        module, _, part = (entry.source or "").rpartition(".")
        found.setdefault(module, {})[part] = entry
    return list(found.values())


def _are_alike(left: dict[str, Entry], first: dict[str, Entry]) -> bool:
    return left.keys() == first.keys() and all(
        (left[part].source_shape, left[part].source_dtype) == (first[part].source_shape, first[part].source_dtype)
        for part in left
    )


def _are_equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    return not (one.is_meta or other.is_meta) and torch.equal(one, other)


def _is_constant(tensor: torch.Tensor) -> bool:
    return tensor.numel() == 0 or bool((tensor == tensor.flatten()[0]).all())
