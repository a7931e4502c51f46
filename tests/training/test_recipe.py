"""A recipe says what is wrong with it in the user's words."""

import pytest

from archdsl.training import Recipe, TrainingError


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epoch": 3}, "the recipe has no setting `epoch`; the nearest is `epochs`"),
        ({"lr": -1}, "recipe setting `lr` is -1, and it should be greater than 0"),
        ({"lr": float("inf")}, "recipe setting `lr` is inf, and it should be a finite number"),
        ({"schedule": "poly"}, "`schedule` is 'poly', and it should be 'cosine', 'plateau' or 'step'"),
        ({"schedule": "step"}, "`milestones` belong to schedule=step, which needs them"),
        ({"milestones": (3,)}, "`milestones` belong to schedule=step, which needs them"),
        ({"schedule": "step", "milestones": (5, 3)}, "`milestones` must rise"),
        ({"schedule": "step", "milestones": (9,), "epochs": 9}, "milestone 9 is not before the end, epoch 9"),
        ({"epochs": 2, "warmup_epochs": 3}, "`warmup_epochs` is 3 of only 2 epochs"),
        ({"momentum": 0}, "`nesterov` needs momentum above 0"),
    ],
)
def test_a_wrong_setting_is_one_line(settings: dict[str, object], message: str) -> None:
    with pytest.raises(TrainingError) as error:
        Recipe.of(**settings)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_all_wrong_settings_are_told_at_once() -> None:
    with pytest.raises(TrainingError, match=r"`epochs` is 0.*`batch_size` is 'many'"):
        Recipe.of(epochs=0, batch_size="many")


def test_a_recipe_survives_json() -> None:
    recipe = Recipe.of(schedule="step", milestones=(10, 20), lr=0.2)
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_every_setting_is_explained() -> None:
    assert all(field.description for field in Recipe.model_fields.values())
