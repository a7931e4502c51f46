"""Files that are unpickled hold weights, or are refused before any of their code runs."""

from __future__ import annotations

import os
import pickle
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from archdsl.weights.error import WeightsError
from tests.weights.small_net import network, same, save_old, trained

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: {"epoch": 3, "state_dict": state},
        lambda state: {"best_accuracy": torch.tensor(76.1), "state_dict": state},
        lambda state: {"model": state, "optimizer": {"lr": 0.1}, "model_ema": {"x": torch.zeros(1)}},
        lambda state: {"model": {"state_dict": state}},
        lambda state: {"model_ema": state},
    ],
)
def test_weights_are_found_inside_a_training_checkpoint(
    wrapped: Callable[[dict[str, torch.Tensor]], object], tmp_path: Path
) -> None:
    state = trained().state_dict()
    torch.save(wrapped(state), tmp_path / "w.pth")
    assert same(network().module(tmp_path / "w.pth"), state)
    assert network().compare_weights(tmp_path / "w.pth").notes[0].startswith("the weights are those under `")


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def cut(save: Callable[[dict[str, torch.Tensor], Path], None], path: Path) -> None:
    save(trained().state_dict(), path)
    path.write_bytes(path.read_bytes()[:-200])


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch pwned",)


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing.pth": (lambda path: None, "no such file"),
    "folder.pth": (lambda path: path.mkdir(), "is a directory"),
    "empty.pth": (lambda path: write(path, b""), "damaged"),
    "noise.pth": (lambda path: write(path, b"<!DOCTYPE html><html></html>"), "damaged|else than tensors"),
    "cut.pth": (lambda path: cut(torch.save, path), "damaged"),
    "cut_old.pth": (lambda path: cut(save_old, path), "damaged"),
    "module.pth": (lambda path: torch.save(nn.Linear(2, 2), path), "torch.nn.modules.linear.Linear"),
    "arguments.pth": (lambda path: torch.save({"args": Namespace(lr=1), "model": {}}, path), "argparse.Namespace"),
    "evil.pth": (lambda path: torch.save({"w": Evil()}, path), "posix.system"),
    "evil_plain.pkl": (lambda path: write(path, pickle.dumps(Evil())), "else than tensors|posix.system|damaged"),
    "list.pth": (lambda path: torch.save([torch.zeros(2)], path), "holds a list"),
    "tensor.pth": (lambda path: torch.save(torch.zeros(2), path), "holds a Tensor"),
    "numbers.pth": (lambda path: torch.save({"epoch": 3}, path), "a dict of `epoch`"),
    "nothing.pth": (lambda path: torch.save({}, path), "an empty dict"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used_is_an_error_in_one_line_and_runs_no_code(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make, message = BAD[name]
    make(tmp_path / name)
    with pytest.raises(WeightsError, match=message) as caught:
        network().module(tmp_path / name)
    assert caught.value.code == "E301"
    assert "\n" not in caught.value.message
    assert not (tmp_path / "pwned").exists()
