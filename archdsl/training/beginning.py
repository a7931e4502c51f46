"""The module of a run before its first step: with the weights that it starts from, and what became of them."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn

from archdsl.backends.torch.build import build
from archdsl.network import Network
from archdsl.passes.heads import find_head, is_of
from archdsl.training.error import TrainingError
from archdsl.training.plan import RunPlan
from archdsl.training.run.weights import StartingWeights
from archdsl.weights import load
from archdsl.weights.report import counts, record
from archdsl.weights.transfer import LOADED, Cause, Entry, Transfer

_MOST_LISTED = 4
_ANEW: tuple[Cause, ...] = ("new", "different", "unusable")
"""What keeps its first, random values."""


@dataclass(frozen=True)
class NewModule:
    """A module, what is to be said of its weights, and what became of those of a file, if it has some."""

    module: nn.Module
    notes: tuple[str, ...] = ()
    transfer: Transfer | None = None

    def report(self, plan: RunPlan) -> bytes:
        """Return what weights.json holds: what became of each tensor of the file and of the network, by cause."""
        assert self.transfer is not None and plan.start is not None
        told = {"network": plan.network.name, "file": plan.start.name, **record(self.transfer)}
        return (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode(errors="backslashreplace")


def new_module(plan: RunPlan) -> NewModule:
    """Build the module of a plan's first phase, with the weights that it starts from as far as they fit.

    Errors: WeightsError where the file cannot be read; TrainingError with E302 where nothing in it fits, or it is for
    other input channels and nothing says what is to be done
    """
    network, start = plan.phases[0].network, plan.start
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(plan.recipe.seed.number)
        if start is None:
            note = "what is frozen keeps its first, random values, since there are no --weights to start from"
            return NewModule(network.module(is_initial=True), (note,) if network.frozen_keys else ())
        maps = network.key_maps
        file, transfer = load.compare(
            network.shapes, maps, start.path, start.origin, adapt=start.adapt, anew=start.anew
        )
        transfer = _with_own_classes(transfer, network, start, plan.data.classes)
        _check(transfer, network, start)
        source = network.source()
        module = load.build(network.name, lambda: build(source, network.name), (file, transfer), strict=False)
    return NewModule(module, tuple(_notes(transfer, network, start, plan.data.classes)), transfer)


def _with_own_classes(
    transfer: Transfer, network: Network, start: StartingWeights, classes: tuple[str, ...]
) -> Transfer:
    """Leave the head new where it is known to be of other classes, though there are as many of them."""
    if not start.classes or start.classes == classes:
        return transfer
    head, reason = find_head(network.shapes), f"the classes of {start.name} are others"
    entries = [
        replace(entry, cause="new", reason=reason) if entry.is_loaded and is_of(entry.key or "", head) else entry
        for entry in transfer.entries
    ]
    return replace(transfer, entries=tuple(entries))


def _check(transfer: Transfer, network: Network, start: StartingWeights) -> None:
    channels = next((entry for entry in transfer.of("different") if entry.reason), None)
    if channels is not None:
        help = "say what it gets: `--adapt-input mean`, `copy` or `new`, or `adapt=mean` where the spec names the file"
        raise TrainingError(f"`{channels.key}` has {channels.reason}, {start.name}", help, "E302")
    if not any(entry.is_loaded for entry in transfer.entries) and transfer.of("excepted"):
        raise TrainingError(f"all that `{start.name}` has for {network.name} is drawn anew", "name fewer parts", "E302")
    if not any(entry.is_loaded for entry in transfer.entries):
        help = "`archdsl weights` says what is in it, and `--from ORIGIN` names its keys"
        raise TrainingError(f"nothing in `{start.name}` fits {network.name}: {counts(transfer)}", help, "E302")


def _notes(transfer: Transfer, network: Network, start: StartingWeights, classes: tuple[str, ...]) -> Iterator[str]:
    found = [(cause, len(transfer.of(cause))) for cause in LOADED]
    taken = ", ".join(f"{count:,} {cause}" for cause, count in found if count)
    total = sum(count for _, count in found)
    wanted = len(network.state) - len(transfer.of("initial"))
    yield f"starts from {total:,} of {wanted:,} tensors of {start.name}: {taken}"
    for cause in ("adapted", *_ANEW):
        by_reason: dict[str, list[Entry]] = {}
        for entry in transfer.of(cause):
            by_reason.setdefault(entry.reason, []).append(entry)
        for reason, entries in by_reason.items():
            said = f" (by `{reason}`)" if cause == "adapted" else f" ({reason})" if reason else ""
            drawn = "" if cause == "adapted" else ", and so drawn anew"
            yield f"{_MEANING[cause]}{said}{drawn}: {_listed([entry.key or '' for entry in entries])}"
    if excepted := transfer.of("excepted"):
        yield f"drawn anew, as is asked: {_listed([entry.key or '' for entry in excepted])}"
    anew = {entry.key for cause in ("excepted", *_ANEW) for entry in transfer.of(cause)}
    if frozen := [key for key, _ in network.state if key in anew & network.frozen_keys]:
        yield f"frozen, and so left at its first, random values: {_listed(frozen)}"
    if start.adapt is not None and not transfer.of("adapted") and not any(e.reason for e in transfer.of("new")):
        yield f"nothing of {start.name} is for other input channels, so `{start.adapt}` changes nothing"
    if unused := transfer.of("unused"):
        yield f"in that file and not in the network: {_listed([entry.source or '' for entry in unused])}"
    if classes and not start.classes and _keeps_head(transfer, network):
        which = f"for {len(classes):,} classes, which may be others than here"
        yield f"the head is that of the file, {which}; `--new head` draws it anew"


def _keeps_head(transfer: Transfer, network: Network) -> bool:
    head = find_head(network.shapes)
    return any(entry.is_loaded and is_of(entry.key or "", head) for entry in transfer.entries)


_MEANING: dict[Cause, str] = {
    "adapted": "fitted to other input channels",
    "new": "not in that file",
    "different": "of another shape or type in that file",
    "unusable": "no numbers in that file",
}


def _listed(keys: list[str]) -> str:
    more = f" and {len(keys) - _MOST_LISTED} more" if len(keys) > _MOST_LISTED else ""
    return ", ".join(keys[:_MOST_LISTED]) + more
