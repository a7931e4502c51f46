"""A run that was cut in two gives the bytes of one that was not."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch

from archdsl.training import Means, TrainingError, load_data, resume, train
from archdsl.training.run.checkpoint import load_checkpoint, save_checkpoint
from archdsl.training.run.lock import locked
from tests.training.small import Crash, CrashAt, differences, digits, recipe, rows, tiny, trained

pytestmark = pytest.mark.torch

# 6 steps an epoch.
RECIPES = {
    "plain": "",
    "average and plateau": "ema 0.9; schedule plateau on=train patience=1; optimizer adamw lr=1e-3; clip 0.5",
    "early stop": "early_stop patience=1 on=validation; optimizer sgd lr=0.3 momentum=0.9; epochs 6; ema 0.5",
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("undisturbed")
    for number, (name, statements) in enumerate(RECIPES.items()):
        trained(folder / str(number), statements)
        RUNS[name] = folder / str(number)
    return RUNS


RUNS: dict[str, Path] = {}


@pytest.mark.parametrize(
    ("name", "step", "workers"),
    [("plain", 2, 0), ("plain", 9, 2), ("average and plateau", 8, 0), ("early stop", 5, 0)],
)
def test_a_run_goes_on_exactly_from_any_step(
    name: str, step: int, workers: int, undisturbed: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(Crash):
        trained(tmp_path / "run", RECIPES[name], CrashAt(step), workers=workers, checkpoint_every=1)
    result = resume(tmp_path / "run", means=Means("cpu", workers))
    assert differences(tmp_path / "run", undisturbed[name]) == []
    assert result.test is not None


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("name", RECIPES)
def test_a_run_that_crashes_at_every_step_goes_on_exactly(
    name: str, workers: int, undisturbed: dict[str, Path], tmp_path: Path
) -> None:
    step = 2
    with pytest.raises(Crash):
        trained(tmp_path / "run", RECIPES[name], CrashAt(step), workers=workers, checkpoint_every=1)
    while True:
        step += 1
        try:
            resume(tmp_path / "run", CrashAt(step), means=Means("cpu", workers, checkpoint_every=1))
        except Crash:
            continue
        break
    assert step > 6
    assert differences(tmp_path / "run", undisturbed[name]) == []


def test_before_the_first_checkpoint_with_a_step_a_run_begins_anew(
    undisturbed: dict[str, Path], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(undisturbed["plain"], run)
    shutil.rmtree(run / "checkpoints")
    resume(run, means=Means("cpu"))
    assert differences(run, undisturbed["plain"]) == []


def test_a_damaged_checkpoint_is_passed_over(undisturbed: dict[str, Path], tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(Crash):
        trained(run, "", CrashAt(9), checkpoint_every=1)
    newest = max((run / "checkpoints").iterdir())
    newest.write_bytes(newest.read_bytes()[:-1000])
    notes: list[str] = []

    class Notes(CrashAt):
        def on_start(self, start: object) -> None:
            notes.extend(getattr(start, "notes", ()))

    resume(run, Notes(-1), means=Means("cpu"))
    assert any(newest.name in note for note in notes)
    assert differences(run, undisturbed["plain"]) == []


def test_only_damaged_checkpoints_are_told(undisturbed: dict[str, Path], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(undisturbed["plain"], run)
    for path in (run / "checkpoints").iterdir():
        path.write_bytes(b"archdsl")
    with pytest.raises(TrainingError, match="are damaged") as caught:
        resume(run)
    assert caught.value.code == "E370"


def test_a_run_that_has_ended_says_how_to_train_further(undisturbed: dict[str, Path]) -> None:
    with pytest.raises(TrainingError, match="has ended") as caught:
        resume(undisturbed["plain"])
    assert "--weights" in caught.value.help


@pytest.mark.parametrize(("name", "old", "new"), [("recipe.arch", "epochs 3", "epochs 4"), ("spec.arch", "0.1", "0.2")])
def test_a_changed_text_is_refused_with_the_difference(name: str, old: str, new: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(Crash):
        trained(run, "", CrashAt(3), checkpoint_every=1)
    text = (run / name).read_text()
    assert old in text
    (run / name).write_text(text.replace(old, new))
    with pytest.raises(TrainingError) as caught:
        resume(run)
    assert caught.value.code == "E370"
    message = caught.value.message
    assert name in message
    assert "was changed since the run began" in message
    assert message.index(old) < message.index(new)


def test_other_data_is_refused_with_the_difference(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(Crash):
        trained(run, "", CrashAt(3), checkpoint_every=1)
    with pytest.raises(TrainingError, match="is not what") as caught:
        resume(run, data=load_data("synthetic:1x8x8/10"))
    assert caught.value.code == "E370"
    assert "then" in caught.value.message


def test_later_rows_are_cut(tmp_path: Path, undisturbed: dict[str, Path]) -> None:
    run = tmp_path / "run"
    with pytest.raises(Crash):
        trained(run, "", CrashAt(9), checkpoint_every=1)
    with (run / "metrics.csv").open("a") as file:
        file.write("99,99,1,1,1,1,1,1,1,1\n")
    resume(run, means=Means("cpu"))
    assert rows(run) == rows(undisturbed["plain"])


def test_threads_are_those_that_the_run_was_begun_with(tmp_path: Path) -> None:
    run = tmp_path / "run"
    before = torch.get_num_threads()
    with pytest.raises(Crash):
        trained(run, "", CrashAt(3), checkpoint_every=1)
    seen: list[int] = []

    class Threads(CrashAt):
        def on_start(self, start: object) -> None:
            seen.append(torch.get_num_threads())

    torch.set_num_threads(before + 1)
    try:
        resume(run, Threads(-1), data=digits(), means=Means("cpu"))
        assert seen == [before]
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(os.name != "posix", reason="such locks are POSIX's")
def test_a_run_that_is_being_trained_is_left_alone(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(Crash):
        trained(run, "", CrashAt(3), checkpoint_every=1)
    child = os.fork()
    if not child:
        with locked(run):
            (tmp_path / "ready").touch()
            time.sleep(60)
        os._exit(0)
    try:
        until = time.monotonic() + 30
        while not (tmp_path / "ready").exists() and time.monotonic() < until:
            time.sleep(0.01)
        with pytest.raises(TrainingError, match="another program"):
            resume(run, means=Means("cpu"))
        with pytest.raises(TrainingError, match="another program"):
            train(tiny(), recipe(), digits(), run, overwrite=True, means=Means("cpu"))
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert resume(run, means=Means("cpu")).test is not None


def test_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (str(tmp_path / "ran"),)

    save_checkpoint(tmp_path, 1, {"evil": Evil()})
    with pytest.raises(TrainingError, match="are damaged"):
        load_checkpoint(tmp_path)
    assert not (tmp_path / "ran").exists()
