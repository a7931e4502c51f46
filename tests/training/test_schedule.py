"""Rates follow the recipe."""

from __future__ import annotations

from math import cos, pi

import pytest
import torch

from archdsl.training.schedule import LearningRate, Stall
from tests.training.small import recipe

pytestmark = pytest.mark.torch


def rates(statements: str, steps: int = 4) -> list[float]:
    own = recipe(statements)
    rate = LearningRate(own, steps)
    return [rate.at(step) for step in range(steps * own.epochs.number)]


def test_a_warm_up_rises_in_equal_steps() -> None:
    assert rates("optimizer sgd lr=1.0; schedule constant; warmup 1.5; epochs 2") == pytest.approx(
        [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 1, 1]
    )


def test_a_cosine_is_torch_s() -> None:
    found = rates("optimizer sgd lr=0.4; epochs 3; schedule cosine end=0.25")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 12, eta_min=0.1)
    expected: list[float] = []
    for _ in range(12):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    assert found == pytest.approx(expected)
    warm = rates("optimizer sgd lr=1.0; epochs 3; warmup 1")
    assert warm[4:] == pytest.approx([(1 + cos(pi * n / 8)) / 2 for n in range(8)])


def test_steps_fall_after_their_epochs() -> None:
    assert rates("optimizer sgd lr=1.0; epochs 4; schedule step after=[1, 3] factor=0.5", 1) == [1, 0.5, 0.5, 0.25]


def test_a_plateau_falls_where_the_error_it_looks_at_stalls() -> None:
    for on, falls in (("train", True), ("validation", False)):
        rate = LearningRate(recipe(f"optimizer sgd lr=1.0; schedule plateau on={on} patience=2 factor=0.5"), 1)
        for train, validation in ((0.5, 0.5), (0.5, 0.4), (0.6, 0.3)):
            rate.record(train, validation)
        assert rate.at(2) == (0.5 if falls else 1.0)
        again = LearningRate(recipe(f"optimizer sgd lr=1.0; schedule plateau on={on} patience=2 factor=0.5"), 1)
        again.restore(rate.state())
        for _ in range(2):
            rate.record(0.9, 0.9)
            again.record(0.9, 0.9)
        assert again.at(3) == rate.at(3) < 1


def test_a_stall_is_counted_from_the_last_minimum() -> None:
    stall = Stall(2)
    assert [stall.record(error) for error in (3, 2, 2.5, 1, 1, 1)] == [False, False, False, False, False, True]
