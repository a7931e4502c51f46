"""The numbers of a file of weights: whether they are any, and fit the types of a network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from archdsl.weights.shape import adapt_weight
from archdsl.weights.stored import WeightsFile
from archdsl.weights.transfer import Entry, Transfer

if TYPE_CHECKING:
    from torch import Tensor


def convert(entry: Entry, tensor: Tensor) -> Tensor | str:
    """Return what the network takes for an entry that is loaded, or why its numbers cannot be used.

    The result is a copy: what a file maps or another module owns stays as it is.
    """
    import torch

    assert entry.shape is not None and entry.dtype is not None
    if tensor.is_meta:
        return "on `meta`, without numbers"
    dtype: torch.dtype = getattr(torch, entry.dtype)
    # For the shortest floats torch lacks most of what is asked here.
    tensor = tensor.detach().float() if tensor.is_floating_point() and tensor.itemsize == 1 else tensor.detach()
    if tensor.is_floating_point() and not torch.isfinite(tensor).all():
        return "NaN" if torch.isnan(tensor).any() else "infinite"
    if tensor.is_floating_point() and not (dtype.is_floating_point or float(tensor.item()).is_integer()):
        return f"{tensor.item():g}, which is no whole number"
    if entry.cause == "adapted":
        tensor = adapt_weight(tensor, entry.shape[1], "mean" if entry.reason == "mean" else "copy")
    made = torch.empty(entry.shape, dtype=dtype).copy_(tensor.reshape(entry.shape))
    is_kept = bool(torch.isfinite(made).all()) if dtype.is_floating_point else int(made.item()) == int(tensor.item())
    return made if is_kept else f"too large for {entry.dtype}"


def check_values(file: WeightsFile, transfer: Transfer) -> Transfer:
    """Read what would be loaded, tensor by tensor, and say which of it is unusable."""
    sources = {entry.source: entry for entry in transfer.entries if entry.is_loaded and entry.source is not None}
    found: dict[str, str] = {}
    for source, tensor in file.read(sources):
        reason = convert(sources[source], tensor)
        if isinstance(reason, str):
            found[source] = reason
    return with_unusable(transfer, found)


def with_unusable(transfer: Transfer, reasons: dict[str, str]) -> Transfer:
    """Return a report in which some sources cannot be used."""
    if not reasons:
        return transfer
    entries = [
        replace(entry, cause="unusable", reason=reasons[entry.source]) if entry.is_loaded and entry.source in reasons
        else entry
        for entry in transfer.entries
    ]  # fmt: skip
    return replace(transfer, entries=tuple(entries))
