from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from archdsl.cli.progress import Progress
from archdsl.training import Epoch, Recipe, Result, Start, TrainingStep
from tests.cli.conftest import Run


def test_the_defaults_shown_are_the_recipe_s(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = run("train", "--help").out
    for name in ("epochs", "batch_size", "lr", "weight_decay", "schedule", "augment", "seed", "device"):
        option = re.escape(f"--{name.replace('_', '-')} ")
        assert re.search(rf"{option}.*\[default: \(?{re.escape(str(getattr(Recipe(), name)))}\)?\]", shown), name


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--epochs", "0"], "`epochs` is 0"),
        (["--seed", str(2**70)], f"`seed` is {2**70}, and it should be less than"),
        (["--lr", "1e300"], "`lr` is 1e+300, and it should be less than"),
        (["--weight-decay", "1e300"], "`weight_decay` is 1e+300, and it should be less than"),
        (["--recipe", "aux_weight=inf"], "`aux_weight` is 'inf', and it should be"),
        (["--recipe", "momentm=0.5"], "the nearest is `momentum`"),
        (["--recipe", "lr=0.5"], "has an option of its own: --lr"),
        (["--recipe", "momentum"], "sets nothing"),
    ],
)
def test_a_bad_recipe_is_a_failure_before_anything_is_loaded(run: Run, words: list[str], expected: str) -> None:
    code, out, err = run("train", "tiny.arch", "--data", "digits", *words)
    assert (code, out) == (2, "")
    assert expected in err


def test_a_pipe_gets_a_line_for_each_epoch_and_the_result_as_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    messages, data = io.StringIO(), io.StringIO()
    epoch = Epoch(1, 23, 0.05, 1.5, 0.5, 1.25, 0.75, 2.0, 700.0)
    result = Result(tmp_path, (epoch,), 61.0)
    with Progress(messages) as progress:
        progress.on_start(Start("tiny", "digits", "cpu", 1234, 1437, 360, 10, 23, tmp_path))
        progress.on_step(TrainingStep(1, 1, 0.05, 2.3))
        progress.on_epoch(epoch)
        progress.on_end(result)
        progress.show(result, data)
    first, second = messages.getvalue().splitlines()
    assert "tiny, 1,234 parameters" in first
    assert second == "epoch  1/10  train loss 1.500,  50.0%  test loss 1.250,  75.0%  2.0 s"
    assert re.search(r"test accuracy +75\.00%", data.getvalue())
    assert re.search(r"time +1 min 1 s", data.getvalue())
    assert "\x1b" not in messages.getvalue() + data.getvalue()


@pytest.mark.torch
def test_training_writes_a_run_and_its_result(run: Run, tiny: Path, tmp_path: Path) -> None:
    words = ["--epochs", "1", "--recipe", "warmup_epochs=0", "--out", "out", "--device", "cpu"]
    code, out, err = run("train", "tiny.arch", "--data", "digits", *words)
    assert code == 0, err
    assert "test accuracy" in out
    assert "epoch 1/1" in err
    assert {"best.safetensors", "model.py", "metrics.csv"} <= {path.name for path in (tmp_path / "out").iterdir()}
    code, out, err = run("train", "tiny.arch", "--data", "digits", *words)
    assert (code, out) == (2, "")
    assert "already holds a run" in err
    assert run("train", "tiny.arch", "--data", "digits", *words, "--overwrite").code == 0


@pytest.mark.torch
def test_a_network_of_another_shape_and_unknown_data_are_failures(run: Run, tiny: Path) -> None:
    code, _, err = run("train", "tiny.arch", "--data", "digits", "--set", "classes=7")
    assert code == 2
    assert "10 classes" in err
    code, _, err = run("train", "tiny.arch", "--data", "digts")
    assert code == 2
    assert "the nearest is `digits`" in err
