"""Recipes are found by name, in files, and with single values changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.ir.freezing import HEAD
from archdsl.lower.recipe_changes import change_recipe
from archdsl.recipe_specs import find_recipe, read_recipe
from archdsl.recipes.measures import CrossEntropy
from archdsl.recipes.updates import AdamW, Epochs, Plateau, Rates, Sgd, Steps
from archdsl.recipes.writing import write_recipe
from archdsl.text.error import SpecError
from archdsl.text.failure import Failure
from archdsl.text.source import Source


def test_the_papers_recipe_is_what_the_paper_says() -> None:
    recipe = find_recipe("resnet_paper")
    assert recipe.optimizer == Sgd(lr=0.1, momentum=0.9)
    assert recipe.schedule == Plateau(on="train", factor=0.1, patience=5)
    assert (recipe.batch_size.images, recipe.weight_decay.rate, recipe.weight_decay.norms) == (256, 1e-4, True)


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"epochs": "10"}, "epochs", 10),
        ({"optimizer.lr": "0.2"}, "optimizer", Sgd(lr=0.2, momentum=0.9, nesterov=True)),
        ({"lr": "0.2", "optimizer.momentum": "0.5"}, "optimizer", Sgd(lr=0.2, momentum=0.5, nesterov=True)),
        ({"optimizer": "adamw lr=3e-4"}, "optimizer", AdamW(lr=3e-4)),
        ({"schedule": "step after=[3, 4]"}, "schedule", Steps(after=(3, 4))),
        ({"loss.smoothing": "0"}, "loss", CrossEntropy()),
    ],
)
def test_single_values_are_changed(changes: dict[str, str], field: str, value: object) -> None:
    before = find_recipe("small")
    after = change_recipe(before, changes)
    found = getattr(after, field)
    assert (found.number if field == "epochs" else found) == value
    same = {name: value for name, value in dict(before).items() if name != field}
    assert {name: value for name, value in dict(after).items() if name != field} == same


def test_a_name_may_bring_changes() -> None:
    recipe = find_recipe("small(epochs=3, lr=0.2, batch_size=2*8)")
    assert (recipe.epochs.number, recipe.optimizer.lr, recipe.batch_size.images) == (3, 0.2, 16)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("smal", "E126", "nearest is `small`"),
        ("momentum=0.95", "E126", "--set recipe.optimizer.momentum=0.95"),
        ("milestones=10", "E126", "names no recipe"),
        ("warmup_epochs=2", "E126", "--set recipe.warmup=2"),
        ("small(3)", "E126", "has no name"),
        ("small(batch=3)", "E126", "no statement `batch`"),
        ("small(images=3)", "E126", "replaced whole"),
        ("nowhere.arch:x", "E114", "nowhere.arch"),
    ],
)
def test_what_names_no_recipe_is_refused_with_what_to_write(text: str, code: str, words: str) -> None:
    with pytest.raises(Failure) as caught:
        find_recipe(text)
    assert caught.value.code == code
    assert words in f"{caught.value.message} {caught.value.help}"


def test_a_phase_is_changed_alone() -> None:
    before = find_recipe("lp_ft")
    after = change_recipe(
        before, {"phase.1.epochs": "2", "phase.2.lr": "0.5", "epochs": "3", "phase.2.rates": "head 2"}
    )
    first, second = after.phases
    assert first == before.phases[0].model_copy(update={"epochs": Epochs(number=2)})
    assert second.said() == {"optimizer": Sgd(lr=0.5, momentum=0.9), "rates": Rates(factors=((HEAD, 2.0),))}
    assert after.total_epochs == 5


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("phase.3.epochs", "has 2"),
        ("phase.0.epochs", "has 2"),
        ("phase.epochs", "phase.1.epochs"),
        ("phase.1.batch_size", "the whole run's"),
        ("phase.1.epoch", "no statement `epoch`"),
    ],
)
def test_what_names_nothing_of_a_phase_is_refused(key: str, words: str) -> None:
    with pytest.raises(Failure, match=words):
        change_recipe(find_recipe("lp_ft"), {key: "3"})


@pytest.mark.parametrize("value", ["3 }\nrecipe evil {", "3; seed 4", "", "# no"])
def test_a_value_is_one_value(value: str) -> None:
    with pytest.raises(Failure):
        change_recipe(find_recipe("small"), {"epochs": value})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"epochs": "0"}, "E104"),
        ({"optimizer": "sdg"}, "E126"),
        ({"optimizer.speed": "3"}, "E102"),
        ({"warmup": "99"}, "E127"),
        ({"epochs": "3 4"}, "E107"),
    ],
)
def test_a_wrong_value_is_a_diagnostic(changes: dict[str, str], code: str) -> None:
    with pytest.raises(SpecError) as caught:
        change_recipe(find_recipe("small"), changes)
    assert [found.code for found in caught.value.diagnostics] == [code]


def test_files_hold_recipes(tmp_path: Path) -> None:
    path = tmp_path / "mine.arch"
    path.write_text(write_recipe(find_recipe("cifar_paper")))
    assert read_recipe(path) == find_recipe("cifar_paper")
    assert find_recipe(f"{path}:cifar_paper(epochs=150)").epochs.number == 150
    assert find_recipe(str(path)) == find_recipe("cifar_paper")
    path.write_text("recipe a { epochs 1 }\nrecipe b { epochs 2 }")
    with pytest.raises(Failure, match="declares 2 recipes"):
        read_recipe(path)
    with pytest.raises(Failure, match="declares no recipe `c`"):
        find_recipe(f"{path}:c")


def test_a_recipe_beside_the_spec_goes_before_a_bundled_one() -> None:
    source = Source("recipe small { epochs 3 }\nmodel m { input [3, 8, 8]; conv 8 }")
    assert find_recipe(None, source).epochs.number == 3
    assert find_recipe(None).epochs.number == 30
