"""`archdsl experiment`: what it lists, what it says, what it leaves, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Run

pytestmark = pytest.mark.torch

TOY = """\
model tiny(classes=10) { input [1, 8, 8]; conv 4 s=2; norm; relu; flatten; fc: fc classes }

recipe short { optimizer sgd lr=0.1 momentum=0.9; schedule constant; batch_size 64; epochs 2; images train { } }

## Normalisation helps.
experiment toy {
  let norm = choose {none, batch}
  model tiny(norm=norm)
  recipe short
  data digits
  steps STEPS
  seeds 2
  measure final(loss, 3)
  rule "lower" (final(loss, 3, norm=batch) < final(loss, 3, norm=none))
  rule "higher" (final(loss, 3, norm=batch) > final(loss, 3, norm=none))
}
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    path = tmp_path / "toy.arch"
    path.write_text(TOY.replace("STEPS", "8"), encoding="utf-8")
    return path


def test_without_a_name_it_lists_what_there_is(run: Run) -> None:
    ran = run("experiment")
    assert ran.code == 0
    assert "norms\n  Normalisation" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["norm"], "nearest is `norms`"),
        (["toy.arch:tot"], "nearest is `toy`"),
        (["missing.arch"], "missing.arch"),
        (["toy", "--seeds", "0"], "--seeds"),
        (["toy.arch", "--out", "toy.arch"], "is a file"),
        (["toy.arch", "--device", "cdua"], "cdua"),
    ],
)
def test_what_is_wrong_is_told(run: Run, toy: Path, words: list[str], said: str) -> None:
    ran = run("experiment", *words)
    assert ran.code in (1, 2)
    assert said in ran.err
    assert not (toy.parent / "runs").exists()


def test_a_rule_that_is_not_shown_is_a_result_and_a_second_call_has_nothing_to_do(
    run: Run, toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run("experiment", "toy.arch", "--workers", "1")
    assert ran.code == 0, ran.err
    assert "toy: 2 points, 2 trainings, 4 runs of 8 steps, on 1 worker" in ran.err
    assert "4 of 4  norm=batch seed=1" in ran.err
    assert "not shown  " in ran.out
    assert "rules were shown" in ran.out or "Nothing of what" in ran.out
    out = toy.parent / "runs" / "toy"
    assert {path.name for path in out.iterdir()} >= {"report.md", "results.csv", "loss.svg", "experiment.arch", "runs"}
    page = (out / "report.md").read_bytes()
    monkeypatch.setenv("COLUMNS", "40")
    again = run("experiment", "toy.arch", "--workers", "1")
    assert " of 4" not in again.err
    assert max(map(len, again.out.splitlines())) <= 40
    assert (out / "report.md").read_bytes() == page


def test_charts_of_what_is_measured_no_more_go_and_other_files_stay(run: Run, toy: Path) -> None:
    text = toy.read_text(encoding="utf-8")
    toy.write_text(text.replace("  measure", "  measure accuracy(test)\n  measure"), encoding="utf-8")
    assert run("experiment", "toy.arch", "--workers", "1").code == 0
    out = toy.parent / "runs" / "toy"
    mine = out / "9_mine.svg"
    mine.write_text("mine", encoding="utf-8")
    assert {path.name for path in out.glob("1_*.svg")} == {"1_accuracy_test.svg"}
    toy.write_text(text, encoding="utf-8")
    assert run("experiment", "toy.arch", "--workers", "1").code == 0
    assert {path.name for path in out.glob("*.svg")} == {"loss.svg", "1_final_loss_3.svg", mine.name}
    assert mine.read_text(encoding="utf-8") == "mine"


def test_a_dry_run_writes_nothing(run: Run, toy: Path) -> None:
    ran = run("experiment", "toy.arch", "--dry-run", "--seeds", "5")
    assert ran.code == 0
    assert ran.out.startswith("toy: 2 points, 2 trainings, 10 runs of 8 steps, about ")
    assert not (toy.parent / "runs").exists()


def test_a_folder_of_something_else_stays_so(run: Run, toy: Path) -> None:
    other = toy.parent / "other"
    other.mkdir()
    (other / "notes.md").write_text("mine", encoding="utf-8")
    ran = run("experiment", "toy.arch", "--out", "other")
    assert ran.code == 2
    assert "`other` already holds something else" in ran.err
    (other / "experiment.arch").write_text("experiment another { }", encoding="utf-8")
    assert "already holds the experiment `another`" in run("experiment", "toy.arch", "--out", "other").err
    assert [path.name for path in sorted(other.iterdir())] == ["experiment.arch", "notes.md"]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupted_program_goes_on_where_it_was(toy: Path, workers: str, tmp_path: Path) -> None:
    toy.write_text(TOY.replace("STEPS", "400"), encoding="utf-8")
    command = [sys.executable, "-m", "archdsl", "experiment", "toy.arch", "--workers", workers]
    kept = tmp_path / "runs" / "toy" / "runs"
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not (kept.is_dir() and any(kept.glob("*.json"))):
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)  # SIGINT is ignored where tests run in the background
        _, said = process.communicate()
    assert process.returncode == 143
    assert "the same command goes on" in said
    count = len(list(kept.glob("*.json")))
    assert 0 < count < 4
    assert not list(kept.glob(".archdsl-*"))
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"{count} of 4" not in ended.stderr, "those are not done again"
    assert "4 of 4" in ended.stderr
