"""Where the device itself leaves steps out, which is what a GPU does, the same is found and nothing is polluted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import nn

from archdsl.recipes.recipe import Recipe
from archdsl.training import Means, Silent, TrainingError, TrainingStep
from archdsl.training import learner as learners
from archdsl.training.beginning import new_module
from archdsl.training.optimizer import optimizer_of, parameter_groups
from archdsl.training.plan import plan_run
from archdsl.training.session import Session
from tests.training.small import digits, recipe, tiny

pytestmark = pytest.mark.torch

TEXT = "model m { input [1, 8, 8]; flatten; a: fc 16; b: fc 16; c: fc 10 }"
WILD = "optimizer sgd lr=1e7 momentum=0.5; batch_size 128"


class Steps(Silent):
    def __init__(self) -> None:
        self.steps: list[int] = []

    def on_step(self, step: TrainingStep) -> None:
        self.steps.append(step.step)


def fused(module: nn.Module, own: Recipe, device: torch.device, factors: Mapping[str, float]) -> torch.optim.Optimizer:
    """Build what CUDA gets; the CPU has these kernels too."""
    usual = optimizer_of(module, own, device, factors)
    settings: dict[str, Any] = {
        name: usual.defaults[name] for name in ("lr", "momentum", "nesterov", "betas") if name in usual.defaults
    }
    return type(usual)(parameter_groups(module, own.weight_decay), **settings, fused=True)  # pyright: ignore[reportCallIssue]


def ends(statements: str) -> tuple[Session, Steps, TrainingError | None]:
    own = recipe(statements)
    plan = plan_run(tiny(TEXT), own, digits(), Means("cpu"))
    session, heard = Session(plan, new_module(plan).module), Steps()
    try:
        for epoch in (1, 2):
            for batch in plan.feed.train(epoch):
                session.update(batch, heard)
            session.batches = 0
        session.read(heard)
    except TrainingError as error:
        return session, heard, error
    return session, heard, None


@pytest.mark.parametrize("statements", [WILD, f"{WILD}; ema 0.9; clip 1e9", "optimizer adamw lr=1e18; batch_size 128"])
def test_what_a_gated_step_finds_is_what_a_step_finds(statements: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, heard, told = ends(statements)
    assert told is not None
    monkeypatch.setattr(learners, "optimizer_of", fused)
    gated, gated_heard, gated_told = ends(statements)
    assert gated.learner.is_gated
    assert not usual.learner.is_gated
    assert gated_told is not None
    assert gated_told.message == told.message
    assert gated_heard.steps == heard.steps
    for one, other in zip(gated.module.parameters(), usual.module.parameters(), strict=True):
        assert torch.isfinite(one).all()
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


def test_a_gated_run_that_stays_finite_is_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    usual, heard, told = ends("batch_size 128; clip 1.0")
    monkeypatch.setattr(learners, "optimizer_of", fused)
    gated, gated_heard, gated_told = ends("batch_size 128; clip 1.0")
    assert told is gated_told is None
    assert heard.steps == gated_heard.steps == list(range(1, 23))
    for one, other in zip(gated.module.parameters(), usual.module.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
