"""A run's folder keeps what was read and what is not the run's, and a full disk leaves whole files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from safetensors.torch import load_file

import archdsl
from archdsl.text.marks import is_own
from archdsl.training import Recipe, TrainingError, train
from archdsl.training.data import ArrayDataSet, Batch
from archdsl.training.digits import digits
from archdsl.training.folder import FILES
from tests.cli.conftest import TINY
from tests.training.small_nets import Network

pytestmark = pytest.mark.torch

QUICK = Recipe.of(epochs=2, batch_size=32, augment="none", device="cpu")


@pytest.fixture(scope="module")
def data() -> ArrayDataSet:
    whole = digits()
    parts = (Batch(part.images[:40], part.labels[:40]) for part in (whole.train, whole.test))
    return ArrayDataSet("digits", whole.classes, *parts)


@pytest.mark.parametrize("link", ["itself", "hard", "symbolic"])
def test_a_spec_is_not_replaced_by_a_run_of_it(data: ArrayDataSet, tmp_path: Path, link: str) -> None:
    out, spec = tmp_path / "run", tmp_path / "tiny.arch"
    out.mkdir()
    if link == "itself":
        spec = out / "spec.arch"
    spec.write_text(TINY)
    if link == "hard":
        (out / "spec.arch").hardlink_to(spec)
    elif link == "symbolic":
        (out / "spec.arch").symlink_to(spec)
    with pytest.raises(archdsl.Failure, match="was read for this") as caught:
        train(archdsl.load(spec), QUICK, data, out, overwrite=True)
    assert caught.value.code == "E330"
    assert spec.read_text() == TINY
    assert [path.name for path in out.iterdir()] == ["spec.arch"]


@pytest.mark.parametrize("name", FILES)
def test_no_file_is_replaced_that_a_run_did_not_write(data: ArrayDataSet, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(TrainingError, match="already holds") as caught:
        train(Network(), QUICK, data, tmp_path)
    assert caught.value.code == "E331"
    assert (tmp_path / name).read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_in_the_folder_is_followed(data: ArrayDataSet, tmp_path: Path) -> None:
    out, target = tmp_path / "run", tmp_path / "code.py"
    out.mkdir()
    (out / "model.py").symlink_to(target)
    train(Network(), QUICK, data, out)
    assert (out / "model.py").is_symlink()
    assert is_own(target.read_bytes())
    assert is_own((out / "curves.png").read_bytes())


def test_a_full_disk_names_the_file_and_leaves_whole_files(
    data: ArrayDataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, real = 0, os.fsync
    room = 0

    def fsync(descriptor: int) -> None:
        nonlocal synced
        synced += 1
        if synced > room:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    names = list[str]()
    for room in range(14):
        synced, out = 0, tmp_path / str(room)
        error = failure_of(data, out)
        if error is None:
            break
        assert error.code == "E332"
        assert error.message.startswith(f"cannot write `{out}{os.sep}")
        assert error.message.endswith("`: no space left on device")
        names.append(error.message.split("`")[1].rpartition(os.sep)[2])
        left = sorted(path.name for path in out.iterdir()) if out.exists() else []
        assert set(left) <= set(FILES)  # no temporary file is left
        assert not left or "metrics.csv" in left
        for name in (name for name in left if name.endswith(".safetensors")):
            assert load_file(out / name)
    first = [
        "recipe.json",
        "spec.arch",
        "model.py",
        "metrics.csv",
        "last.safetensors",
        "best.safetensors",
        "metrics.csv",
    ]
    assert names[:7] == first
    assert names[-1] == "curves.png"


def failure_of(data: ArrayDataSet, out: Path) -> TrainingError | None:
    try:
        train(Network(), QUICK, data, out)
    except TrainingError as error:
        return error
    return None
