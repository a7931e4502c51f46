"""A run is never lost to the next one, and nothing half-written is left."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from archdsl.text.failure import Failure
from archdsl.training import Means, Silent, TrainingError, resume, train
from archdsl.training.run import checkpoint
from archdsl.training.run.folder import settle
from tests.training.small import Crash, CrashAt, differences, digits, recipe, tiny, trained

pytestmark = pytest.mark.torch

FILES = {
    "run.json", "spec.arch", "recipe.arch", "model.py", "metrics.csv", "curves.png", "best.safetensors",
    "last.safetensors", "test.json", "confusion.png", "confusion.csv", "classes.csv", "mistakes.png", "checkpoints",
}  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_s_folder_holds_what_is_documented(tmp_path: Path) -> None:
    result = trained(tmp_path / "run", "epochs 1")
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES
    assert result.out == tmp_path / "run"
    assert not list(tmp_path.glob(".*"))


def test_a_folder_with_a_run_is_refused(tmp_path: Path) -> None:
    trained(tmp_path / "run", "epochs 1")
    before = contents(tmp_path / "run")
    with pytest.raises(TrainingError, match="already holds a run") as caught:
        trained(tmp_path / "run", "epochs 2")
    assert caught.value.code == "E331"
    assert contents(tmp_path / "run") == before


@pytest.mark.parametrize("statements", ["optimizer sgd lr=1e9", "optimizer sgd lr=1e17"])
def test_a_run_that_comes_to_nothing_leaves_the_old_one(tmp_path: Path, statements: str) -> None:
    trained(tmp_path / "run", "epochs 1")
    before = contents(tmp_path)
    with pytest.raises(TrainingError) as caught:
        train(tiny(), recipe(statements), digits(), tmp_path / "run", overwrite=True, means=Means("cpu"))
    assert caught.value.code == "E372"
    assert contents(tmp_path) == before


def test_a_new_run_takes_the_place_of_the_old_one_at_its_first_checkpoint(tmp_path: Path) -> None:
    trained(tmp_path / "run", "epochs 1; seed 1")
    (tmp_path / "run" / "notes.txt").write_text("mine")
    before = contents(tmp_path / "run")
    with pytest.raises(Crash):
        train(tiny(), recipe(), digits(), tmp_path / "run", CrashAt(3), overwrite=True, means=Means("cpu"))
    assert contents(tmp_path / "run") == before
    with pytest.raises(Crash):
        train(tiny(), recipe(), digits(), tmp_path / "run", CrashAt(8), overwrite=True, means=Means("cpu"))
    assert "notes.txt" in contents(tmp_path / "run")
    resume(tmp_path / "run", means=Means("cpu"))
    trained(tmp_path / "other")
    assert differences(tmp_path / "run", tmp_path / "other") == []
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"
    assert not list(tmp_path.glob(".*"))


def test_a_run_that_is_interrupted_before_its_first_step_leaves_the_old_one(tmp_path: Path) -> None:
    trained(tmp_path / "run", "epochs 1; seed 1")
    before = contents(tmp_path)

    class Stop(Silent):
        def on_start(self, start: object) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

    for batch in (1, 2000):
        own = recipe(f"batch_size {batch + 1}")
        result = train(tiny(), own, digits(), tmp_path / "run", Stop(), overwrite=True, means=Means("cpu"))
        assert result.is_interrupted
    after = contents(tmp_path)
    assert after == before or b"seed 0" in after["run/recipe.arch"]  # a step may have been taken
    assert not list(tmp_path.glob(".*"))


def test_a_run_that_fails_later_says_where_the_old_one_is(tmp_path: Path) -> None:
    """Its first epoch of one step is finite, and its second is not."""
    trained(tmp_path / "run", "epochs 1; seed 1")
    (tmp_path / "run" / "notes.txt").write_text("mine")
    before = contents(tmp_path / "run")
    for name in ("run.before", "run.before-2"):
        text = "model m { input [1, 8, 8]; flatten; a: fc 16; b: fc 16; c: fc 10 }"
        own = recipe("optimizer sgd lr=1e10; batch_size 1293; epochs 30")
        with pytest.raises(TrainingError) as caught:
            train(tiny(text), own, digits(), tmp_path / "run", overwrite=True, means=Means("cpu"))
        assert caught.value.code == "E372"
        assert f"the run that was there before is in `{tmp_path / name}`" in caught.value.help
    assert contents(tmp_path / "run.before") == {name: one for name, one in before.items() if name != "notes.txt"}
    assert (tmp_path / "run" / "notes.txt").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_replacement_that_a_crash_cut_in_two_is_finished(tmp_path: Path) -> None:
    trained(tmp_path / "run", "epochs 1; seed 1")
    trained(tmp_path / "next", "epochs 1")
    (tmp_path / "run" / "notes.txt").write_text("mine")
    (tmp_path / "run").rename(tmp_path / ".run.old")
    settle(tmp_path / "run")
    assert (tmp_path / "run" / "notes.txt").exists()
    (tmp_path / "run").rename(tmp_path / ".run.old")
    (tmp_path / "next").rename(tmp_path / ".run.new")
    settle(tmp_path / "run")
    assert "seed 0" in (tmp_path / "run" / "recipe.arch").read_text()
    assert (tmp_path / "run" / "notes.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_file_that_was_read_is_not_overwritten(tmp_path: Path) -> None:
    import archdsl

    (tmp_path / "run").mkdir()
    spec = tmp_path / "run" / "spec.arch"
    spec.write_text("model m { input [1, 8, 8]; flatten; fc 10 }")
    with pytest.raises(Failure) as caught:
        train(archdsl.load(spec), recipe(), digits(), tmp_path / "run", overwrite=True)
    assert caught.value.code == "E330"
    assert spec.read_text().startswith("model m")


def test_a_full_disk_names_the_file_and_leaves_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, count = checkpoint.write_atomically, [0]

    def full(path: Path, content: bytes, *, is_durable: bool = False) -> None:
        count[0] += 1
        if count[0] > 3:
            raise OSError(28, "No space left on device", str(path))
        write(path, content, is_durable=is_durable)

    monkeypatch.setattr(checkpoint, "write_atomically", full)
    with pytest.raises(TrainingError, match="no space left") as caught:
        trained(tmp_path / "run", "", checkpoint_every=1)
    assert caught.value.code == "E332"
    assert "step-0000000003.ckpt" in caught.value.message
    monkeypatch.undo()
    resume(tmp_path / "run", means=Means("cpu"))
    trained(tmp_path / "other")
    assert differences(tmp_path / "run", tmp_path / "other") == []


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError) as caught:
        trained(tmp_path / "file" / "run")
    assert caught.value.code == "E332"
