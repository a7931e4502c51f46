"""The learning rate's course, worked out by hand."""

import pytest

from archdsl.training.recipe import Recipe
from archdsl.training.schedule import Plateau, learning_rate, schedule_of


def course(recipe: Recipe, steps_per_epoch: int) -> list[float]:
    schedule = schedule_of(recipe)
    steps = recipe.epochs * steps_per_epoch
    return [learning_rate(recipe, schedule, step, steps_per_epoch) for step in range(steps)]


def test_cosine_rises_in_the_warmup_and_then_falls_towards_zero() -> None:
    rates = course(Recipe.of(epochs=5, warmup_epochs=1, lr=1), 4)
    assert rates[:5] == pytest.approx([0.25, 0.5, 0.75, 1, 1])
    assert rates[12] == pytest.approx(0.5)
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert 0 < rates[-1] < 0.01


def test_steps_fall_after_each_milestone() -> None:
    recipe = Recipe.of(epochs=4, warmup_epochs=0, lr=1, schedule="step", milestones=(1, 3), factor=0.1)
    assert course(recipe, 2) == pytest.approx([1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01])


def test_a_run_may_be_all_warmup() -> None:
    assert course(Recipe.of(epochs=1, lr=1), 4) == pytest.approx([0.25, 0.5, 0.75, 1])


def test_a_plateau_lowers_the_rate_once_per_stall() -> None:
    schedule = Plateau(drop=0.1, patience=2)
    factors: list[float] = []
    for error in [0.5, 0.4, 0.4, 0.4, 0.3, 0.3, 0.35]:
        schedule.record(error)
        factors.append(schedule.factor(0))
    assert factors == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.01])
