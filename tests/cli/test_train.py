"""`archdsl train` and `archdsl recipes`, as they are typed."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from archdsl.cli.clock import Clock
from archdsl.cli.progress import Progress
from archdsl.training import Epoch, Result, Start, TrainingStep
from tests.cli.conftest import Run
from tests.conftest import ROOT

WORDS = ["--data", "digits", "--device", "cpu", "--epochs", "1", "--batch-size", "256"]


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["--epochs", "0"], 1, "`number` of `epochs` is 0, but must be at least 1"),
        (["--seed", str(2**70)], 1, "must be below"),
        (["--lr", "1e300"], 1, "`lr` of `optimizer sgd` is 1e+300, but must be at most 1e+18"),
        (["--set", "recipe.weight_decay=1e300"], 1, "must be at most"),
        (["--set", "recipe.optimizer.momentm=0.5"], 1, "the nearest is `momentum`"),
        (["--lr", "0.5", "--set", "recipe.optimizer.lr=0.4"], 2, "is set twice"),
        (["--recipe", "momentum=0.95"], 2, "--set recipe.optimizer.momentum=0.95"),
        (["--recipe", "small(epochs=2"], 2, "with a `)` at the end"),
        (["--recipe", "smal"], 2, "the nearest is `small`"),
        (["--set", "recipe.momentum=0.9"], 2, "a recipe has no statement `momentum`"),
        (["--set", "clases=3"], 1, "nearest is `classes`"),
        (["--from", "timm"], 2, "give --weights too"),
        (["--adapt-input", "mean"], 2, "give --weights too"),
        (["--resume", "runs/x"], 2, "takes no SPEC"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_loaded(
    run: Run, tiny: Path, words: list[str], code: int, expected: str
) -> None:
    ran = run("train", "tiny.arch", "--data", "digits", *words)
    assert (ran.code, ran.out) == (code, "")
    assert expected in ran.err
    assert not (tiny.parent / "runs").exists()


@pytest.mark.parametrize("words", [["tiny.arch"], ["--data", "digits"], []])
def test_what_is_missing_is_told(run: Run, tiny: Path, words: list[str]) -> None:
    ran = run("train", *words)
    assert ran.code == 2
    assert "archdsl train SPEC --data DATA" in ran.err


def test_a_pipe_gets_a_line_for_each_epoch_and_the_result_as_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    messages, data = io.StringIO(), io.StringIO()
    epoch = Epoch(1, 23, 0.05, {"loss": 1.5, "accuracy": 0.5}, {"loss": 1.25, "accuracy": 0.75}, 2.0, 700.0, True)
    result = Result(tmp_path, (epoch,), 61.0, "accuracy", {"loss": 1.0, "accuracy": 0.7})
    with Progress(messages) as progress:
        images = {"train": 1293, "validation": 144, "test": 360}
        progress.on_start(Start("tiny", "digits", "cpu", 1234, 1234, images, 10, 23, tmp_path, notes=("a note",)))
        progress.on_step(TrainingStep(1, 1, 0.05, 2.3))
        progress.on_epoch(epoch)
        progress.on_end(result)
        progress.show(result, data)
    first, note, second = messages.getvalue().splitlines()
    assert first == "tiny, 1,234 parameters, on cpu; digits: 1,293 for training, 144 for validation, 360 for test"
    assert note == "a note"
    assert second == ("epoch  1/10  training loss 1.500, 50.00%  validation loss 1.250, 75.00%  2.0 s  best")
    assert re.search(r"test accuracy +70\.00% +the best weights, measured once", data.getvalue())
    assert re.search(r"best epoch +1 +75\.00% accuracy on the validation images", data.getvalue())
    assert re.search(r"time +1 min 1 s", data.getvalue())
    assert "\x1b" not in messages.getvalue() + data.getvalue()


def test_a_clock_tells_rate_and_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("archdsl.cli.clock.monotonic", lambda: now[0])
    clock = Clock()
    clock.begin(100, 200)
    now[0] = 2.0
    assert clock.tick(110) == (5.0, 18.0)
    assert "GiB" in clock.memory("cpu")


@pytest.mark.torch
def test_a_run_s_way_from_training_to_its_replacement(run: Run, tiny: Path, tmp_path: Path) -> None:
    ran = run("train", "tiny.arch", *WORDS, "--out", "out")
    assert ran.code == 0, ran.err
    assert "test accuracy" in ran.out
    assert "epoch 1/1" in ran.err
    assert "validation: 144 of the 1437 training images" in ran.err
    assert {"best.safetensors", "model.py", "metrics.csv"} <= {path.name for path in (tmp_path / "out").iterdir()}
    again = run("train", "tiny.arch", *WORDS, "--out", "out")
    assert (again.code, again.out) == (2, "")
    assert "already holds a run" in again.err
    assert run("train", "tiny.arch", *WORDS, "--out", "out", "--overwrite").code == 0
    ended = run("train", "--resume", "out")
    assert ended.code == 2
    assert "has ended" in ended.err
    assert "--weights out" in ended.err


@pytest.mark.torch
def test_classes_are_those_of_the_data_unless_the_user_says_otherwise(run: Run, tmp_path: Path) -> None:
    text = "model m(classes=7) { input [1, 8, 8]; flatten; fc classes }\nmodel n { input [1, 8, 8]; flatten; fc 7 }"
    (tmp_path / "two.arch").write_text(text)
    ran = run("train", "two.arch:m", *WORDS, "--dry-run")
    assert ran.code == 0, ran.err
    assert "m gets classes=10, as digits has 10 classes" in ran.err
    assert "nothing was written" in ran.out
    assert not (tmp_path / "runs").exists()
    for words in (["two.arch:m", "--set", "classes=7"], ["two.arch:n"]):
        ran = run("train", *words, *WORDS)
        assert ran.code == 2
        assert "10" in ran.err
        assert "error[E361]" in ran.err


@pytest.mark.torch
def test_the_usual_recipe_serves_numbers_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "n.arch").write_text("model n { input [3, 8, 8]; flatten; fc 1 }")
    for number in range(20):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"{number}.png")
    (tmp_path / "n.csv").write_text("path,number\n" + "".join(f"{number}.png,{number}\n" for number in range(20)))
    words = ["train", "n.arch", "--data", "csv:n.csv", "--device", "cpu", "--epochs", "1", "--dry-run"]
    ran = run(*words)
    assert ran.code == 0, ran.err
    assert "`small` goes without its loss" in ran.err
    ran = run(*words, "--recipe", "small")
    assert "--set recipe.loss=squared_error" in ran.err
    ran = run(*words, "--recipe", "small", "--set", "recipe.loss=squared_error")
    assert ran.code == 0, ran.err


@pytest.mark.torch
def test_a_dry_run_looks_at_the_weights_too(run: Run, tiny: Path) -> None:
    ran = run("train", "tiny.arch", *WORDS, "--dry-run", "--weights", "nowhere.safetensors")
    assert ran.code == 2
    assert "nowhere.safetensors" in ran.err


@pytest.mark.torch
def test_several_seeds_give_mean_and_spread(run: Run, tiny: Path, tmp_path: Path) -> None:
    ran = run("train", "tiny.arch", *WORDS, "--out", "out", "--seeds", "2", "--seed", "5")
    assert ran.code == 0, ran.err
    assert re.search(r"test accuracy: mean \d+\.\d\d%, deviation \d+\.\d\d%, from .* to .*, 2 seeds", ran.out)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"seed-5", "seed-6", "seeds.csv"}
    table = (tmp_path / "out" / "seeds.csv").read_text().splitlines()
    assert table[0].startswith("run,test_loss,test_accuracy")
    assert [row.partition(",")[0] for row in table[1:]] == ["seed-5", "seed-6"]


@pytest.mark.torch
def test_unknown_data_is_told(run: Run, tiny: Path) -> None:
    ran = run("train", "tiny.arch", "--data", "digts")
    assert ran.code == 2
    assert "the nearest is `digits`" in ran.err


@pytest.mark.torch
@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_an_interrupted_program_says_how_to_go_on(tiny: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "archdsl", "train", "tiny.arch", "--data", "digits", "--out", "my run", "--epochs"]
    program = subprocess.Popen(
        [*command, "10000"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    metrics = tmp_path / "my run" / "metrics.csv"
    until = time.monotonic() + 90
    while time.monotonic() < until and not (metrics.exists() and len(metrics.read_text().splitlines()) > 1):
        time.sleep(0.05)
    program.send_signal(signal.SIGTERM)
    _, told = program.communicate(timeout=60)
    assert program.returncode == 143, told
    assert "interrupted by SIGTERM; all is saved" in told
    assert "archdsl train --resume 'my run'" in told


def test_recipes_are_listed_and_shown(run: Run, tmp_path: Path) -> None:
    listed = run("recipes")
    assert listed.code == 0
    for name in ("resnet_paper", "cifar_paper", "small", "fine_tune", "linear_probe"):
        assert re.search(rf"^{name}  ", listed.out, re.M)
    shown = run("recipes", "linear_probe")
    assert shown.out.startswith("recipe linear_probe of fine_tune {\n")
    assert 'freeze "*" except head' in run("recipes", "linear_probe(epochs=3)").out
    (tmp_path / "own.arch").write_text("## Mine.\nrecipe mine of small { epochs 2 }\n")
    assert run("recipes", "--spec", "own.arch").out.startswith("mine  own.arch\n  Mine.\n")
    assert "epochs 2" in run("recipes", "mine", "--spec", "own.arch", "--whole").out
    assert '"name": "small"' in run("recipes", "--format", "json").out
    wrong = run("recipes", "smal")
    assert wrong.code == 2
    assert "the nearest is `small`" in wrong.err


def test_checking_counts_recipes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own.arch").write_text("recipe mine of small { epochs 2 }\nmodel m { input [1, 8, 8]; conv 4 }\n")
    assert "own.arch: ok, 1 model and 1 recipe" in run("check", "own.arch").err


def test_finetune_asks_for_weights_and_is_train_otherwise(run: Run, tiny: Path) -> None:
    ran = run("finetune", "tiny.arch", "--data", "digits")
    assert (ran.code, ran.out) == (2, "")
    assert "no weights to start from" in ran.err
    assert "archdsl finetune SPEC --weights FILE --data DATA" in ran.err
    assert "archdsl finetune SPEC" in run("finetune", "tiny.arch").err
    helps = [run(command, "--help").out for command in ("train", "finetune")]
    options = [text.partition("─ Options")[2].partition("Example")[0] for text in helps]
    assert options[0] == options[1]
    assert all(option in options[0] for option in ("--freeze", "--cache-features", "--weights"))
    assert "fine_tune" in helps[1]


@pytest.mark.parametrize(("freeze", "words"), [("sten", "the nearest path is `stem`"), ("* except", "`except`")])
def test_what_freeze_names_in_vain_is_told_before_anything_is_loaded(
    run: Run, tiny: Path, freeze: str, words: str
) -> None:
    ran = run("train", "tiny.arch", "--data", "digits", "--freeze", freeze)
    assert (ran.code, ran.out) == (1, "")
    assert "error[E132]" in ran.err
    assert words in ran.err
    assert not (tiny.parent / "runs").exists()


@pytest.mark.torch
def test_fine_tuning_from_a_run_leaves_what_is_frozen(run: Run, tiny: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    assert run("train", "tiny.arch", *WORDS, "--out", "first").code == 0
    words = ["--recipe", "small", "--set", "recipe.ema=0", "--freeze", "* except fc", "--seed", "1"]
    ran = run("finetune", "tiny.arch", "--weights", "first", *WORDS, "--out", "second", *words)
    assert ran.code == 0, ran.err
    assert "of them trained" in ran.err
    before, after = (load_file(tmp_path / name) for name in ("first/best.safetensors", "second/last.safetensors"))
    assert {key for key in after if not before[key].equal(after[key])} == {"fc.weight", "fc.bias"}
    assert 'freeze "*" except "fc"' in (tmp_path / "second" / "spec.arch").read_text()
    ended = run("finetune", "--resume", "second", "--freeze", "fc")
    assert "takes no --freeze" in ended.err


@pytest.mark.torch
def test_fine_tuning_starts_from_the_file_that_the_spec_names(run: Run, tiny: Path, tmp_path: Path) -> None:
    assert run("train", "tiny.arch", *WORDS, "--out", "first").code == 0
    text = 'variant late of tiny { weights "first/best.safetensors"; freeze "stem" }'
    (tmp_path / "late.arch").write_text(f"use tiny (tiny)\n{text}\n")
    ran = run("finetune", "late.arch", *WORDS, "--out", "second", "--recipe", "small")
    assert ran.code == 0, ran.err
    assert re.search(r"starts from (\d+) of \1 tensors", ran.err)
    spec = (tmp_path / "second" / "spec.arch").read_text()
    assert "freeze" in spec
    assert "weights" not in spec
    assert run("eval", "second").code == 0
