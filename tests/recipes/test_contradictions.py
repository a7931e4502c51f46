"""Statements that contradict each other are found, and those that do not are left alone."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.text.source import Source

WRONG = {
    "epochs 10; schedule step after=[5, 20]": "schedule step after=[5, 20]",
    "schedule step after=[5, 3]": "schedule step after=[5, 3]",
    "epochs 3; warmup 4": "warmup 4",
    "optimizer sgd momentum=0 nesterov=true": "optimizer sgd momentum=0 nesterov=true",
    "images eval { flip }": "images eval { flip }",
    "images train { erase; resize 2 }": "images train { erase; resize 2 }",
    "images train { erase area=[0.5, 0.1] }": "images train { erase area=[0.5, 0.1] }",
    "images train { random_resized_crop area=[2, 3] }": "images train { random_resized_crop area=[2, 3] }",
    "images train { random_resized_crop shape=[3, 1] }": "images train { random_resized_crop shape=[3, 1] }",
    "images train { normalize imagenet; normalize none }": "images train { normalize imagenet; normalize none }",
    "images train { normalize }; images eval { normalize none }": "images eval { normalize none }",
    "schedule plateau patience=5; early_stop patience=5": "early_stop patience=5",
    "phase { epochs 3; warmup 4 }": "warmup 4",
    "warmup 4; phase { epochs 9 }; phase { epochs 3 }": "phase",
    "epochs 9; phase { schedule step after=[9] }": "schedule step after=[9]",
    "sampler balanced; loss cross_entropy classes=balanced": "sampler balanced",
}


@pytest.mark.parametrize(("text", "place"), WRONG.items())
def test_a_contradiction_is_told_at_its_statement(text: str, place: str) -> None:
    (found,) = archdsl.check(Source(f"recipe r {{ {text} }}"))
    assert (found.code, found.span.text) == ("E127", place)
    assert found.help


@pytest.mark.parametrize(
    "text",
    [
        "epochs 10; schedule step after=[5, 9]",
        "epochs 3; warmup 3",
        "epochs 3; warmup 4; phase { epochs 5 }; phase { warmup 0 }",
        "schedule step after=[40]; phase { epochs 50 }",
        "images eval { test_crop }; images train { flip }",
        "images eval { normalize none }; images train { flip; erase; grey; normalize none }",
        "schedule plateau on=train patience=5; early_stop patience=5",
    ],
)
def test_what_goes_together_passes(text: str) -> None:
    assert archdsl.check(Source(f"recipe r {{ {text} }}")) == ()


def test_a_contradiction_with_what_it_builds_on_is_told_in_its_own_text() -> None:
    (found,) = archdsl.check(Source("recipe r of small {\n  epochs 1\n}\nrecipe q of cifar_paper { epochs 100 }"))
    assert (found.code, found.span.text) == ("E127", "cifar_paper")
    assert "epoch 136 is not before the end, epoch 100" in found.message


@pytest.mark.parametrize(
    ("epochs", "help"), [(100, "schedule.after=[91]"), (10, "schedule.after=[5]"), (1, "schedule=constant")]
)
def test_what_to_type_instead_of_milestones_is_told(epochs: int, help: str) -> None:
    (found,) = archdsl.check(Source(f"recipe q of cifar_paper {{ epochs {epochs} }}"))
    assert f"`--set recipe.{help}`" in (found.help or "")
