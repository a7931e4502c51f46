"""Perform a TorchCall as the backend's files do, to compare an operator's claims with torch."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (as in the emitted files)

from archdsl.backends.torch import runtime
from archdsl.backends.torch.layout import flat
from archdsl.backends.torch.modules import owned_form
from archdsl.ops.base import TorchCall, TorchName
from archdsl.ops.shape import Shape

_NAMES = {"nn": nn, "torch": torch, "F": F, **vars(runtime)}
_INFIX = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "@": operator.matmul}


class Called(nn.Module):
    """A call that is no module by itself, as one."""

    def __init__(self, call: TorchCall) -> None:
        super().__init__()
        self.call = call
        if call.is_owned:
            self.tensor = _owned(call)

    def forward(self, *inputs: Tensor) -> Any:
        call = self.call
        if call.kind == "operator":
            return reduce(_INFIX[call.target], inputs)
        if call.is_owned:
            return reduce(_INFIX[call.target], inputs, self.tensor) if inputs else self.tensor
        if call.kind == "method":
            x, *others = inputs
            return getattr(x, call.target)(*others, *call.args)
        if call.packs_inputs:
            return _target(call)(list(inputs), *call.args, **call.kwargs)
        if call.is_led:
            return _target(call)(*call.args, *inputs, **call.kwargs)
        by_place, by_name = _passed(call, inputs)
        return _target(call)(*by_place, *call.args, **by_name, **call.kwargs)


class Reader(nn.Module):
    """A call that reads values beside what flows in, with values of these shapes."""

    def __init__(self, module: nn.Module, shapes: Sequence[Shape]) -> None:
        super().__init__()
        self.module = module
        self.values = random_inputs(shapes)

    def forward(self, *inputs: Tensor) -> Any:
        return self.module(*inputs, *self.values)


def build(call: TorchCall, read: Sequence[Shape] = ()) -> nn.Module:
    """Return the call as a module that takes what flows in; values that it reads beside it have the shapes `read`."""
    if read:
        return Reader(build(call), read)
    if call.kind != "module":
        return Called(call)
    args = [_found(arg) if isinstance(arg, TorchName) else arg for arg in call.args]
    module = _target(call)(*args, **call.kwargs)
    if call.input_names:
        module.register_forward_pre_hook(lambda _, inputs, __: _passed(call, inputs), with_kwargs=True)
    return module


def _passed(call: TorchCall, inputs: tuple[Tensor, ...]) -> tuple[tuple[Tensor, ...], dict[str, Any]]:
    """Split the inputs into those by position and those by keyword."""
    first = len(inputs) - len(call.input_names) - len(call.size_names)
    named = dict(zip((*call.input_names, *call.size_names), inputs[first:], strict=True))
    return inputs[:first], {name: x.shape[-2:] if name in call.size_names else x for name, x in named.items()}


def random_inputs(shapes: Sequence[Shape], batch: int = 2, requires_grad: bool = False) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    sizes = [(batch, *shape.numbers()) for shape in shapes]
    return [torch.randn(size, generator=generator).requires_grad_(requires_grad) for size in sizes]


def _owned(call: TorchCall) -> nn.Parameter | nn.Buffer:
    """Make a call's own tensor as the emitter has it made."""
    made: Any = eval(flat(owned_form(call)), _NAMES)
    return made


def _target(call: TorchCall) -> Any:
    return _found(call.target)


def _found(name: str) -> Any:
    first, *rest = name.split(".")
    return reduce(getattr, rest, _NAMES[first])
