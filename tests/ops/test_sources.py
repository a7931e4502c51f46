"""Operators that read nothing: what they give is their own tensor, whatever the images."""

from __future__ import annotations

import pytest

from archdsl.ops import OPS
from archdsl.ops.base import Op
from tests.ops.cases import ALL_CASES, CASES, SOURCES, Case
from tests.ops.execute import build

every_source = pytest.mark.parametrize("case", SOURCES, ids=lambda case: case.name)


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
def test_what_reads_nothing_is_a_source_or_an_input(op: type[Op]) -> None:
    reads_nothing = not any(case.inputs for case in CASES[op.keyword])
    assert reads_nothing == (op.is_source or op.category == "input")


def test_there_are_sources() -> None:
    assert {case.op.keyword for case in ALL_CASES if not case.inputs} > {case.op.keyword for case in SOURCES} != set()


@pytest.mark.torch
@every_source
def test_a_source_gives_its_tensor_with_the_shape_it_says(case: Case) -> None:
    import torch

    module = build(case.op.to_torch(()))
    (tensor,) = (*module.parameters(), *module.buffers())
    result = module()
    assert torch.equal(result, tensor)
    assert tuple(result.shape)[-len(case.op.infer_shape(())) :] == case.op.infer_shape(())
    assert result.numel() == case.op.infer_shape(()).elements


@pytest.mark.torch
@every_source
def test_a_sources_state_is_that_of_torch(case: Case) -> None:
    module = build(case.op.to_torch(()))
    learned = dict(module.named_parameters())
    real = [
        (tuple(tensor.shape), "parameter" if name in learned else "buffer", str(tensor.dtype))
        for name, tensor in module.state_dict().items()
    ]
    claimed = [(tensor.shape, tensor.kind, f"torch.{tensor.dtype}") for tensor in case.op.state(())]
    assert claimed == real
    assert case.op.is_parameter == case.op.to_torch(()).is_owned
    assert all(not tensor.name for tensor in case.op.state(()))
