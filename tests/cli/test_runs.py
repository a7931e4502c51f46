from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.training.run.made import ROWS, make_run

pytestmark = pytest.mark.torch


def test_runs_are_listed_the_best_first(run: Run, tmp_path: Path) -> None:
    make_run(tmp_path / "runs" / "low", rows=ROWS[:1])
    make_run(tmp_path / "runs" / "high", test={"weights": "best", "epoch": 2, "accuracy": 0.7})
    make_run(tmp_path / "runs" / "none", rows=())
    code, out, err = run("runs", "runs")
    assert (code, err) == (0, "")
    header, *lines = out.splitlines()
    assert header.split() == ["run", "model", "data", "epochs", "best", "time", "by", "validation", "test"]
    assert [line.split()[0] for line in lines] == ["runs/high", "runs/low", "runs/none"]
    assert lines[0].split()[3:] == ["3", "2", "0:00:07", "accuracy", "75.00%", "70.00%"]
    assert lines[2].split()[3:] == ["0", "0:00:00", "accuracy"]


def test_a_narrow_terminal_gets_fewer_columns(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "a_run_with_a_long_name_that_shrinks")
    monkeypatch.setenv("COLUMNS", "50")
    code, out, _ = run("runs", ".")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 50


def test_json_lists_the_best_epoch_s_row(run: Run, tmp_path: Path) -> None:
    make_run(tmp_path / "a", rows=({**ROWS[0], "train_loss": float("nan")},))
    make_run(tmp_path / "b", rows=())
    code, out, _ = run("runs", "a", "b", "a", "--format", "json")
    assert code == 0
    first, second = json.loads(out)
    assert first["run"] == "a"
    assert first["best"]["validation_accuracy"] == 0.5
    assert first["best"]["train_loss"] is None
    assert (second["best"], second["test"], second["epochs"]) == (None, None, 0)


def test_a_damaged_run_is_named_and_the_others_are_listed(run: Run, tmp_path: Path) -> None:
    make_run(tmp_path / "runs" / "sound")
    for name in ("run.json", "metrics.csv", "test.json"):
        make_run(tmp_path / "runs" / f"no {name}", test={"accuracy": 0.5})
        (tmp_path / "runs" / f"no {name}" / name).write_bytes(b"\xff{")
    code, out, err = run("runs", "runs")
    assert code == 1
    assert "runs/sound" in out
    assert err.count("error[E366]: ") == 3
    assert "Traceback" not in err


def test_a_folder_without_runs_is_a_failure(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "absent"):
        code, out, err = run("runs", name)
        assert (code, out) == (2, "")
        assert err.startswith("error[E366]: ")


def test_runs_are_plotted(run: Run, tmp_path: Path) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", rows=ROWS[:1])
    code, _, err = run("runs", ".", "-o", "runs.png")
    assert (code, err) == (0, "wrote runs.png\n")
    assert run("runs", ".", "-o", "runs.png").code == 0
    assert run("runs", ".", "-o", "runs.svg").code == 0
    code, _, err = run("runs", ".", "-o", "runs.txt")
    assert code == 2
    assert "a plot is written as svg, png, pdf" in err
    make_run(tmp_path / "c", "number", rows=())
    code, _, err = run("runs", ".", "-o", "runs.png")
    assert code == 2
    assert "one plot cannot show accuracy and r2" in err
