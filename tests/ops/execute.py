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
from archdsl.ops.base import TorchCall
from archdsl.ops.shape import Shape

_NAMES = {"nn": nn, "torch": torch, "F": F, **vars(runtime)}
_INFIX = {"+": operator.add, "-": operator.sub, "*": operator.mul, "@": operator.matmul}


class Called(nn.Module):
    """A call that is no module by itself, as one."""

    def __init__(self, call: TorchCall) -> None:
        super().__init__()
        self.call = call
        if call.kind == "parameter":
            value = call.kwargs["value"]
            assert isinstance(value, float)
            self.factors = nn.Parameter(torch.full(call.args, value))  # type: ignore[arg-type]

    def forward(self, *inputs: Tensor) -> Any:
        call = self.call
        if call.kind == "operator":
            return reduce(_INFIX[call.target], inputs)
        if call.kind == "parameter":
            return inputs[0] * self.factors
        if call.kind == "method":
            x, *others = inputs
            return getattr(x, call.target)(*others, *call.args)
        if call.packs_inputs:
            return _target(call)(list(inputs), *call.args, **call.kwargs)
        by_place, by_name = _passed(call, inputs)
        return _target(call)(*by_place, *call.args, **by_name, **call.kwargs)


def build(call: TorchCall) -> nn.Module:
    """Return the call as a module that takes the inputs."""
    if call.kind != "module":
        return Called(call)
    module = _target(call)(*call.args, **call.kwargs)
    if call.input_names:
        module.register_forward_pre_hook(lambda _, inputs, __: _passed(call, inputs), with_kwargs=True)
    return module


def _passed(call: TorchCall, inputs: tuple[Tensor, ...]) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
    """Split the inputs into those by position and those by keyword."""
    first = len(inputs) - len(call.input_names)
    return inputs[:first], dict(zip(call.input_names, inputs[first:], strict=True))


def random_inputs(shapes: Sequence[Shape], batch: int = 2, requires_grad: bool = False) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    sizes = [(batch, *shape.numbers()) for shape in shapes]
    return [torch.randn(size, generator=generator).requires_grad_(requires_grad) for size in sizes]


def _target(call: TorchCall) -> Any:
    first, *rest = call.target.split(".")
    return reduce(getattr, rest, _NAMES[first])
