"""Files that are unpickled hold weights, or are refused before any of their code runs."""

from __future__ import annotations

import os
import pickle
import zipfile
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
        lambda state: {"params_ema": state},
        lambda state: {"params": state, "params_ema": state},
        lambda state: {"mine": state, "epoch": 3, "best": torch.tensor(76.1)},
        lambda state: {"a": {"b": {"mine": state}}},
        lambda state: {"mine": state, "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}, "param_groups": []}},
    ],
)
def test_weights_are_found_inside_a_training_checkpoint(
    wrapped: Callable[[dict[str, torch.Tensor]], object], tmp_path: Path
) -> None:
    state = trained().state_dict()
    torch.save(wrapped(state), tmp_path / "w.pth")
    assert same(network().module(tmp_path / "w.pth"), state)
    assert network().compare_weights(tmp_path / "w.pth").notes[0].startswith("the weights are those under `")


def test_where_the_weights_were_found_is_said_with_what_was_passed_by(tmp_path: Path) -> None:
    state = trained().state_dict()
    torch.save({"model": {"inner": state}, "ema": state}, tmp_path / "w.pth")
    notes = network().compare_weights(tmp_path / "w.pth").notes
    assert notes == ("the weights are those under `model.inner`, not those under `ema`",)


def test_mappings_that_hold_each_other_are_looked_through_once() -> None:
    inner: dict[str, object] = {"x": 1}
    for _ in range(6):
        inner = {f"k{i}": inner for i in range(200)}
    inner["self"] = inner
    with pytest.raises(WeightsError, match="no tensors under names"):
        network().compare_weights(inner)  # pyright: ignore[reportArgumentType] -- on purpose


@pytest.mark.parametrize("beside", [{"args": [1, "a"]}, {"lr_scheduler": {"last_epoch": 3}}, {"best": torch.zeros(3)}])
def test_what_stands_beside_a_state_dict_inside_it_is_left_over(beside: dict[str, object]) -> None:
    transfer = network().compare_weights({**trained().state_dict(), **beside})  # pyright: ignore[reportArgumentType]
    assert [entry.source for entry in transfer.of("unused")] == list(beside)
    assert not transfer.of("new")


def test_figures_of_numpy_beside_the_weights_are_allowed_and_nothing_of_numpy_runs(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    state = trained().state_dict()
    figures = {
        "scalars": [numpy.float64(76.1), numpy.float32(3), numpy.int64(3), numpy.bool_(True)],
        "array": numpy.arange(6).reshape(2, 3),
        "random": numpy.random.get_state(),
        "type": numpy.dtype("float32"),
    }
    for save in (torch.save, save_old):
        save({"model": state, **figures}, tmp_path / "w.pth")
        assert same(network().module(tmp_path / "w.pth"), state)
        save({**state, "accuracy": numpy.float64(76.1)}, tmp_path / "w.pth")
        (unused,) = network().compare_weights(tmp_path / "w.pth").of("unused")
        assert (unused.source, unused.source_dtype) == ("accuracy", "numpy")


@pytest.mark.parametrize("name", ["numpy.load", "numpy.core.multiarray.fromfile", "numpy.f2py.run_main", "numpy"])
def test_no_other_function_of_numpy_is(name: str, tmp_path: Path) -> None:
    module, _, function = name.rpartition(".")
    program = f"c{module}\n{function}\n(S'x'\ntR.".encode()
    with zipfile.ZipFile(tmp_path / "w.pth", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + program)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
    with pytest.raises(WeightsError) as caught:
        network().module(tmp_path / "w.pth")
    assert caught.value.code == "E301"


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def cut(save: Callable[[dict[str, torch.Tensor], Path], None], path: Path) -> None:
    save(trained().state_dict(), path)
    path.write_bytes(path.read_bytes()[:-200])


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch pwned",)


WEIGHTS = {"fc.weight": torch.zeros(2)}
BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing.pth": (lambda path: None, "no such file"),
    "folder.pth": (lambda path: path.mkdir(), "is a directory"),
    "noise.pth": (
        lambda path: write(path, b"noise, and nothing else"),
        "is a text that begins with `noise, and nothing else`",
    ),
    "cut.pth": (lambda path: cut(torch.save, path), "cut short"),
    "cut_old.pth": (lambda path: cut(save_old, path), "damaged"),
    "module.pth": (lambda path: torch.save(nn.Linear(2, 2), path), "torch.nn.modules.linear.Linear"),
    "arguments.pth": (lambda path: torch.save({"args": Namespace(lr=1), "model": {}}, path), "argparse.Namespace"),
    "evil.pth": (lambda path: torch.save({"w": Evil()}, path), "posix.system"),
    "evil_plain.pkl": (lambda path: write(path, pickle.dumps(Evil())), "is a pickle that `torch.save` did not write"),
    "list.pth": (lambda path: torch.save([torch.zeros(2)], path), "holds a list"),
    "tensor.pth": (lambda path: torch.save(torch.zeros(2), path), "holds a Tensor"),
    "numbers.pth": (lambda path: torch.save({"epoch": 3}, path), "a dict of `epoch`"),
    "nothing.pth": (lambda path: torch.save({}, path), "an empty dict"),
    "two.pth": (lambda path: torch.save({"a": WEIGHTS, "b": WEIGHTS}, path), "several things: `a`, `b`"),
    "many.pth": (lambda path: torch.save({f"m{i}": WEIGHTS for i in range(9)}, path), "`m0`, `m1`, `m2`, `m3`, …;"),
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
