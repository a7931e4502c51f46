"""Frozen means frozen: neither weights nor statistics move, and the rest trains."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import archdsl
from archdsl.network import Network
from archdsl.recipes.updates import Freeze
from archdsl.training import Means, Silent, train
from archdsl.training.freezing import Frozen, head_of
from tests.training.small import digits, recipe, tiny, trained

pytestmark = pytest.mark.torch


def moved(run: Path, start: Path) -> set[str]:
    before, after = load_file(start / "best.safetensors"), load_file(run / "last.safetensors")
    return {key for key, value in after.items() if not torch.equal(value, before[key])}


@pytest.mark.parametrize(
    ("freeze", "expected"),
    [
        ("backbone", {"fc.weight", "fc.bias"}),
        ("stem", {"fc.weight", "fc.bias"}),
        ('"stem.*"', {"fc.weight", "fc.bias"}),
        (
            "fc",
            {
                "stem.0.weight", "stem.1.weight", "stem.1.bias", "stem.1.running_mean", "stem.1.running_var",
                "stem.1.num_batches_tracked",
            },
        ),
    ],
)  # fmt: skip
def test_what_is_frozen_does_not_move(freeze: str, expected: set[str], tmp_path: Path) -> None:
    trained(tmp_path / "start", "epochs 1")
    own = recipe(f"freeze {freeze}; epochs 2; weight_decay 0.1; optimizer sgd lr=0.1 momentum=0.9")
    train(tiny(), own, digits(), tmp_path / "run", weights=tmp_path / "start", means=Means("cpu"))
    assert moved(tmp_path / "run", tmp_path / "start") == expected


def test_freezing_random_values_is_said(tmp_path: Path) -> None:
    notes: list[str] = []

    class Notes(Silent):
        def on_start(self, start: object) -> None:
            notes.extend(getattr(start, "notes", ()))

    trained(tmp_path / "run", "freeze backbone; epochs 1", Notes())
    assert any("random values" in note for note in notes)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("resnet18", "fc"),
        ("vgg11", "classifier.6"),
        ("mobilenet_v2", "classifier.1"),
        ("squeezenet1_0", "classifier.1"),
        ("densenet121", "classifier"),
        ("googlenet", "fc"),
    ],
)
def test_the_head_is_the_last_layer_with_weights(name: str, head: str) -> None:
    assert head_of(archdsl.load(name)) == head


def test_dropout_beside_the_head_goes_on() -> None:
    network: Network = archdsl.load("mobilenet_v2", classes=10)
    module = network.module()
    frozen = Frozen(module, network, Freeze(parts=("backbone",)))
    frozen.train(module)
    modes = {name: inner.training for name, inner in module.named_modules() if name}
    assert modes["classifier.0"]
    assert modes["classifier.1"]
    assert not any(mode for name, mode in modes.items() if name.startswith("features."))
    assert {name for name, p in module.named_parameters() if p.requires_grad} == {
        "classifier.1.weight",
        "classifier.1.bias",
    }
