"""Modules whose initial values are not drawn, since weights come to stand in their place."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from types import CodeType
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

_DRAWS = frozenset(
    {nn.init.kaiming_uniform_, nn.init.normal_, nn.init.uniform_, torch.Tensor.normal_, torch.Tensor.uniform_}
)
# Draws again what fell outside its bounds, for as long as any does. It has been written in three ways, of which the
# last leaves tensors without storage alone.
_DRAWS_AGAIN: CodeType = getattr(nn.init, "_no_grad_trunc_normal_", nn.init.trunc_normal_).__code__
_HAS_NO_STORAGE: object = getattr(torch.Tensor.is_meta, "__get__")  # noqa: B009 - a descriptor to torch alone
_ORTHOGONALISES: object = getattr(torch.linalg, "qr")  # noqa: B009 - torch leaves it without a type


class Undrawn(TorchFunctionMode):
    """Within it modules are made without drawing initial values; what is not random is as ever.

    With `fills` what would be drawn is zero; else it is whatever the memory holds, for a caller that puts something in
    its place. The generator is left as it is.
    """

    def __init__(self, *, fills: bool) -> None:
        super().__init__()
        self._fills = fills
        self.drawn: dict[int, torch.Tensor] = {}
        """What would have been drawn, by identity."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Carry a function of torch out, as torch asks of a mode."""
        given = kwargs or {}
        if func in _DRAWS:
            return self._left(args[0] if args else given["tensor"])
        if sys._getframe(1).f_code is _DRAWS_AGAIN:  # pyright: ignore[reportPrivateUsage] -- it is documented
            if func == _HAS_NO_STORAGE:
                self._left(args[0])
                return True
            if func is torch.Tensor.any:
                return torch.tensor(False)
            if func.__name__.endswith("_") and not func.__name__.endswith("__"):
                return args[0]
        if func is _ORTHOGONALISES:  # how `orthogonal_` turns what it drew
            return args[0], args[0].new_zeros(args[0].shape[1], args[0].shape[1])
        if self._fills and func in (torch.empty, torch.Tensor.new_empty):
            func = torch.zeros if func is torch.empty else torch.Tensor.new_zeros
        return func(*args, **given)

    def _left(self, tensor: torch.Tensor) -> torch.Tensor:
        self.drawn[id(tensor)] = tensor
        return tensor


def undrawn(make: Callable[[], nn.Module]) -> nn.Module:
    """Make a module for weights to come: it refuses to compute until it has some.

    What would be drawn is zero. A network of zeros would train to nothing without a word, so the first `forward` raises
    RuntimeError where none of it was given since, by `load_state_dict` or in place. Submodules that are called by
    themselves do not look.
    """
    with Undrawn(fills=True) as mode:
        module = make()
    names = [name for name, parameter in module.named_parameters() if id(parameter) in mode.drawn]
    if names:
        Waiting(names).watch(module)
    return module


class Waiting:
    """Watches a module for the weights that it waits for, and leaves it alone once they are there."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = [*names]
        self._handles: list[RemovableHandle] = []

    def watch(self, module: nn.Module) -> None:
        self._handles.append(module.register_forward_pre_hook(self.computes))
        self._handles.append(module.register_load_state_dict_post_hook(self.loaded))  # pyright: ignore[reportUnknownMemberType]

    def loaded(self, module: nn.Module, incompatible: Any) -> None:
        """Wait no longer for what a state_dict had."""
        self.names = [name for name in self.names if name in incompatible.missing_keys]
        if not self.names:
            self._leave()

    def computes(self, module: nn.Module, inputs: object) -> None:
        """Refuse to compute with none of what is waited for."""
        parameters = dict(module.named_parameters())
        if not any(bool(parameters[name].detach().any()) for name in self.names if name in parameters):
            count = len(self.names)
            more = f" and {count - 1} more" if count > 1 else ""
            raise RuntimeError(
                f"this module was made without initial values and has no weights yet: `{self.names[0]}`{more} wait for "
                "`load_state_dict`"
            )
        self._leave()

    def _leave(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
