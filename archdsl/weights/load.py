"""Weights by name: what of a file fits a network, and a module that has them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from archdsl.passes.state import State
from archdsl.semantics.keymap import KeyMap
from archdsl.text.failure import require
from archdsl.text.suggest import nearest
from archdsl.weights.error import WeightsError
from archdsl.weights.file import WeightsFile, open_weights
from archdsl.weights.report import counts, describe
from archdsl.weights.transfer import Transfer, plan_transfer, transfer_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

# A path, or a state_dict.
Weights: TypeAlias = "str | Path | Mapping[str, Tensor]"


class MisfitError(WeightsError):
    """Weights that do not fit, with the report that says which and why."""

    def __init__(self, network: str, transfer: Transfer) -> None:
        message = f"the weights do not fit {network}: {counts(transfer)}"
        super().__init__(message, "`strict=False` loads what fits", "E302")
        self.transfer = transfer
        self.args = (f"{message}\n{describe(transfer)}",)


def compare(
    state: State, key_maps: tuple[KeyMap, ...], weights: Weights, origin: str | None = None
) -> tuple[WeightsFile, Transfer]:
    """Say what becomes of each of the weights; without an origin, the name map that fits best is used, if any.

    Errors: WeightsError where they cannot be read, or no name map has this origin
    """
    file = _open(weights)
    if origin is None:
        transfer = plan_transfer(state, file.stored, key_maps, is_in_order=file.is_in_order)
    else:
        chosen = _named(origin, key_maps)
        transfer = transfer_from(chosen, state, file.stored, is_in_order=file.is_in_order)
    return file, Transfer(transfer.entries, transfer.origin, (*file.notes, *transfer.notes))


def _open(weights: Weights) -> WeightsFile:
    if isinstance(weights, Mapping):
        require("torch", extra="torch")
        from archdsl.weights.checkpoint import unwrap

        return unwrap("the state_dict", weights)
    return open_weights(Path(weights))


def _named(origin: str, key_maps: tuple[KeyMap, ...]) -> KeyMap:
    found = next((key_map for key_map in key_maps if key_map.origin == origin), None)
    if found is None:
        known = [key_map.origin for key_map in key_maps]
        near = nearest(origin, known) or ", ".join(known)
        help = f"there is `{near}`" if near else f'declare one: `keys {origin} {{ "ours" = "theirs" }}`'
        raise WeightsError(f"the spec has no name map for `{origin}`", help)
    return found


def build(
    name: str,
    make: Callable[[], nn.Module],
    compared: tuple[WeightsFile, Transfer],
    *,
    strict: bool = True,
) -> nn.Module:
    """Make a module with weights from a file; numbers are converted to the network's types.

    `make` builds it with initial values, which are drawn only where the file leaves some in place.
    Errors: MisfitError with `strict`, where the file has not exactly what the network needs
    """
    file, transfer = compared
    if strict and not transfer.fits:
        raise MisfitError(name, transfer)
    require("torch", extra="torch")
    import torch

    state = {e.key: torch.zeros((), dtype=torch.int64) for e in transfer.of("initial") if e.key is not None}
    loaded = [(e.key, e.source, e.shape, e.dtype) for e in transfer.entries if e.is_loaded]
    tensors = file.tensors([source for _, source, _, _ in loaded if source is not None])
    for key, source, shape, dtype in loaded:
        assert key is not None and source is not None and shape is not None
        # A copy: what a file maps or another module owns stays as it is.
        state[key] = torch.empty(shape, dtype=getattr(torch, dtype or "")).copy_(tensors[source].reshape(shape))
    is_whole = not (transfer.of("new") or transfer.of("different"))
    return _without_drawing(make, state) if is_whole else _into(make(), state)


def _without_drawing(make: Callable[[], nn.Module], state: Mapping[str, Tensor]) -> nn.Module:
    """Make a module that takes tensors over, so that initial values are neither drawn nor stored."""
    import torch

    with torch.device("meta"):
        module = make()
    module.load_state_dict(state, assign=True)
    kept = [*module.parameters(), *module.buffers()]
    # A buffer that no state_dict holds has no value yet, and its own code knows it.
    return module if not any(tensor.is_meta for tensor in kept) else _into(make(), state)


def _into(module: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    module.load_state_dict(state, strict=False)
    return module
