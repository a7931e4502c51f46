"""Activations overwrite their input where nothing else needs it, and nowhere else."""

from __future__ import annotations

import pytest
from torch import nn

import archdsl
from archdsl.ops import OPS
from tests.backends.torch.interpreter import agree

pytestmark = pytest.mark.torch

IN_PLACE = sorted(
    "threshold(0.1, 0.2)" if name == "threshold" else name
    for name, op in OPS.items()
    if op.category == "activation" and op.can_run_in_place
)


@pytest.mark.parametrize(
    "norm", ["batch", "layer(axis=channels)", "group(2)", "rms", "instance", "lrn", "frozen_batch", "none"]
)
@pytest.mark.parametrize("act", IN_PLACE)
def test_every_activation_may_run_in_place_after_every_norm(act: str, norm: str) -> None:
    text = (
        f"defaults {{ norm={norm} act={act} }}\nmodel m {{ input [2, 4, 4]; conv 4; norm; act; fc_like: conv 4; act }}"
    )
    agree(archdsl.load_text(text))


def test_an_activation_that_nobody_misses_runs_in_place() -> None:
    module = archdsl.load_text("model m { input [3, 8, 8]; conv 4; act; conv 4; norm; act; flatten; act }").module()
    assert [m.inplace for m in module.modules() if isinstance(m, nn.ReLU)] == [True, True, False]
