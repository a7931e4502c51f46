"""Weights by name: what of a file fits a network, and a module that has them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from archdsl.ir.freezing import Freezing
from archdsl.ir.start import InputAdaption
from archdsl.passes.arrivals import find_arrivals
from archdsl.passes.freeze import covered_keys
from archdsl.passes.heads import find_head
from archdsl.passes.shapes import Shapes
from archdsl.passes.state import list_adaptable, list_shared, list_state
from archdsl.semantics.keymap import KeyMap
from archdsl.text.failure import require
from archdsl.text.suggest import nearest
from archdsl.weights.error import WeightsError
from archdsl.weights.file import open_weights
from archdsl.weights.origin import resolve_weights
from archdsl.weights.plan import plan_transfer, transfer_from
from archdsl.weights.report import counts, describe
from archdsl.weights.stored import WeightsFile
from archdsl.weights.transfer import MISFITS, Needs, Transfer

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

# A path, a name such as `torchvision:resnet50`, or a state_dict.
Weights: TypeAlias = "str | Path | Mapping[str, Tensor]"


class MisfitError(WeightsError):
    """Weights that do not fit, with the report that says which and why."""

    def __init__(self, network: str, transfer: Transfer) -> None:
        message = f"the weights do not fit {network}: {counts(transfer)}"
        causes = {entry.cause for entry in transfer.entries if entry.cause in MISFITS}
        more = ", and `drop` in `keys` says what may be left over" if causes == {"unused"} else ""
        is_renamed = "unused" in causes and any(entry.source is None for entry in transfer.of("new"))
        more = ", and `archdsl weights` guesses what is renamed" if is_renamed else more
        super().__init__(message, f"`strict=False` loads what fits{more}", "E302")
        self.transfer = transfer
        self.args = (f"{message}\n{describe(transfer)}",)


def compare(
    shapes: Shapes,
    key_maps: tuple[KeyMap, ...],
    weights: Weights,
    origin: str | None = None,
    *,
    values: bool = False,
    adapt: InputAdaption | None = None,
    guess: bool = False,
    anew: Sequence[Freezing] = (),
) -> tuple[WeightsFile, Transfer]:
    """Say what becomes of each of the weights; without an origin, the name map that fits best is used, if any.

    With `values` the numbers are read too, and those that cannot be loaded are told. `adapt` says what is to be done
    where the file has other input channels. With `guess`, what the file most likely calls otherwise is told too,
    which nothing loads by. `anew` is what is drawn anew, whatever the file has.

    Errors: WeightsError where they cannot be read, or no name map has this origin and the keys are not the network's
    """
    file = _open(weights)
    arrivals, head = cache(partial(find_arrivals, shapes)), cache(partial(find_head, shapes))
    needs = Needs(list_state(shapes), list_adaptable(shapes), arrivals, head, adapt)
    chosen = next((key_map for key_map in key_maps if key_map.origin == origin), None)
    if chosen is not None:
        transfer = transfer_from(chosen, needs, file.stored, is_in_order=file.is_in_order)
    else:
        maps = key_maps if origin is None else ()
        transfer = plan_transfer(needs, file.stored, maps, is_in_order=file.is_in_order)
    guessed = _guess(needs, file, transfer, key_maps) if guess else None
    if guessed is not None:
        transfer = guessed
    elif origin is not None and chosen is None:
        transfer = _of_equal_keys(origin, key_maps, transfer)
    transfer = replace(transfer, notes=(*file.notes, *transfer.notes))
    for patterns in anew:
        transfer = _without(transfer, covered_keys(shapes, patterns))
    shared = list_shared(shapes) if transfer.of("unused") else ()
    if not (values or shared):
        return file, transfer
    require("torch", extra="torch")
    from archdsl.weights.copies import find_copies
    from archdsl.weights.values import check_values

    transfer = find_copies(file, transfer, shared)
    return file, check_values(file, transfer) if values else transfer


def _without(transfer: Transfer, keys: frozenset[str]) -> Transfer:
    """Leave out what is to be drawn anew."""
    entries = [replace(e, cause="excepted", reason="") if e.key in keys else e for e in transfer.entries]
    return replace(transfer, entries=tuple(entries))


def _guess(needs: Needs, file: WeightsFile, known: Transfer, key_maps: tuple[KeyMap, ...]) -> Transfer | None:
    from archdsl.weights.guess import guess_renames

    base = next((key_map for key_map in key_maps if key_map.origin == known.origin), None)
    return guess_renames(needs, file.stored, known, base, is_in_order=file.is_in_order)


def _of_equal_keys(origin: str, key_maps: tuple[KeyMap, ...], transfer: Transfer) -> Transfer:
    """Take a file without its name map where that would say nothing, since every key is the same in both."""
    known = [key_map.origin for key_map in key_maps]
    near = nearest(origin, known)
    if near is None and not (any(e.source is None for e in transfer.of("new")) or transfer.of("unused")):
        note = f"the spec has no name map for `{origin}`, and needs none: the keys are the same"
        return Transfer(transfer.entries, transfer.origin, (*transfer.notes, note))
    there = near or ", ".join(known)
    help = f"there is `{there}`" if there else f'declare one: `keys {origin} {{ "ours" = "theirs" }}`'
    message = f"the spec has no name map for `{origin}`"
    raise WeightsError(message if near else f"{message}, and by equal keys {counts(transfer)}", help)


def _open(weights: Weights) -> WeightsFile:
    if isinstance(weights, Mapping):
        require("torch", extra="torch")
        from archdsl.weights.checkpoint import unwrap

        return unwrap("the state_dict", weights)
    return open_weights(resolve_weights(weights).path)


def build(
    name: str,
    make: Callable[[], nn.Module],
    compared: tuple[WeightsFile, Transfer],
    *,
    strict: bool = True,
    kept: Collection[str] | None = None,
) -> nn.Module:
    """Make a module with weights from a file; numbers are converted to the network's types.

    `make` builds it with initial values, which are drawn only where the file leaves some in place. `kept` are the keys
    that it has, where those are not all of the network's.
    Errors: MisfitError with `strict`, where the file has not exactly what the network needs, or lacks some of `kept`
    """
    file, transfer = compared
    if kept is not None:
        transfer = replace(transfer, entries=tuple(entry for entry in transfer.entries if entry.key in kept))
    if strict and not transfer.fits:
        raise MisfitError(name, transfer)
    require("torch", extra="torch")
    import torch

    from archdsl.weights.values import convert, with_unusable

    state = {e.key: torch.zeros((), dtype=torch.int64) for e in transfer.of("initial") if e.key is not None}
    loaded = {e.source: e for e in transfer.entries if e.is_loaded and e.source is not None}
    unusable: dict[str, str] = {}
    for source, tensor in file.read(loaded):
        converted, key = convert(loaded[source], tensor), loaded[source].key
        if isinstance(converted, str):
            unusable[source] = converted
        elif key is not None:
            state[key] = converted
    transfer = with_unusable(transfer, unusable)
    if strict and unusable:
        raise MisfitError(name, transfer)
    is_whole = not any(map(transfer.of, ("excepted", "new", "different", "unusable")))
    return _without_drawing(make, state) if is_whole else _into(make(), state)


def _without_drawing(make: Callable[[], nn.Module], state: Mapping[str, Tensor]) -> nn.Module:
    """Make a module that takes tensors over, so that initial values are neither drawn nor stored.

    Requires: `state` has all that a state_dict has. What no state_dict holds, the module's own code knows.
    """
    from archdsl.weights.undrawn import Undrawn

    with Undrawn(fills=False):
        module = make()
    module.load_state_dict(state, assign=True)
    return module


def _into(module: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    module.load_state_dict(state, strict=False)
    return module
