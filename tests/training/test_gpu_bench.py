"""The GPU comparison finds what differs, times what it says, and runs small without a GPU."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from bench import gpu
from tests.peers import torchvision
from tests.training.small import module as tiny

pytestmark = pytest.mark.torch


def without_dropout(model: nn.Module) -> nn.Module:
    model[3] = nn.Identity()  # pyright: ignore[reportIndexIssue]
    return model


IMAGES, LABELS = torch.randn(8, 1, 8, 8), torch.arange(8)


def test_equal_networks_differ_in_nothing() -> None:
    found = gpu.parity(without_dropout(tiny()), without_dropout(tiny()), IMAGES, LABELS)
    assert len(found) == 5
    assert all(difference.absolute == 0 and difference.scale > 0 for difference in found)


def test_a_wrong_epsilon_shows_in_evaluation_and_training() -> None:
    wrong = without_dropout(tiny())
    wrong[1].eps = 1e-2  # pyright: ignore[reportIndexIssue]
    found = {d.what: d.absolute for d in gpu.parity(wrong, without_dropout(tiny()), IMAGES, LABELS)}
    assert found["outputs, evaluation"] > 1e-4
    assert found["outputs, training"] > 1e-4
    assert found["gradients"] > 1e-5
    assert found["running statistics after one step"] == 0


def test_a_wrong_momentum_shows_in_the_running_statistics_alone() -> None:
    wrong = without_dropout(tiny())
    wrong[1].momentum = 0.01  # pyright: ignore[reportIndexIssue]
    found = {d.what: d.absolute for d in gpu.parity(wrong, without_dropout(tiny()), IMAGES, LABELS)}
    assert found.pop("running statistics after one step") > 1e-3
    assert set(found.values()) == {0}


def test_networks_of_other_names_are_refused() -> None:
    with pytest.raises(RuntimeError, match="Missing key"):
        gpu.parity(nn.Sequential(tiny()), tiny(), IMAGES, LABELS)


def test_a_nan_is_no_small_difference() -> None:
    found = gpu.difference("x", [torch.tensor([0.0, torch.nan])], [torch.zeros(2)])
    assert found.absolute != found.absolute


def test_rounds_take_turns_at_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[nn.Module] = []
    measured = gpu.Trainer.images_per_second

    def note(trainer: gpu.Trainer, steps: int) -> float:
        order.append(trainer.module)
        return measured(trainer, steps)

    monkeypatch.setattr(gpu.Trainer, "images_per_second", note)
    a, b = (nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1000)) for _ in "ab")
    sizes = gpu.Sizes("small", 8, parity_batch=2, batch=2, rounds=2, steps=1, warmup=1)
    speeds = gpu.speed({"a": a, "b": b}, torch.device("cpu"), sizes, compiled=False)
    assert [module is a for module in order] == [True, False, False, True]
    assert [len(speed.rates) for speed in speeds] == [2, 2]


def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main([]) == 2
    assert "no CUDA device" in capsys.readouterr().err


def test_the_report_of_a_small_run_is_a_table(tmp_path: Path) -> None:
    build = torchvision.models.resnet18
    sizes = gpu.Sizes("resnet18", 32, parity_batch=2, batch=2, rounds=2, steps=1, warmup=1)
    text = gpu.measure(build(), build(), torch.device("cpu"), sizes, compiled=False)
    assert "| outputs, evaluation | 0 |" in text
    assert "| archdsl |" in text
    assert "Ratio archdsl / torchvision, round by round: median" in text
