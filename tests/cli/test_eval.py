from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from archdsl.recipes.recipe import Recipe
from archdsl.recipes.updates import BatchSize
from archdsl.training.data.catalogue import load_data
from archdsl.training.run.loading import open_run
from archdsl.training.run.record import RunRecord
from tests.cli.conftest import Run
from tests.training.run.made import CLASSES, make_run

pytestmark = pytest.mark.torch


def pets(
    folder: Path, classes: tuple[str, ...] = CLASSES["class"], parts: tuple[str, ...] = ("train", "val", "test")
) -> None:
    random = np.random.default_rng(0)
    for part in parts:
        for name in classes:
            (folder / part / name).mkdir(parents=True)
            for number in range(4):
                pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / part / name / f"{number}.png")


@pytest.fixture
def made(run: Run, tmp_path: Path) -> RunRecord:
    """Make a folder of images and a run on it."""
    del run
    pets(tmp_path / "pets")
    return make_run(tmp_path / "run", recipe=Recipe(batch_size=BatchSize(images=5)))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_is_measured_on_its_test_images_and_nothing_is_written(run: Run, made: RunRecord, tmp_path: Path) -> None:
    before = contents(tmp_path)
    code, out, err = run("eval", "run", "--format", "json", "--device", "cpu")
    assert (code, err) == (0, "")
    assert contents(tmp_path) == before
    found = json.loads(out)
    figures = found.pop("figures")
    assert found == {
        "run": "run", "model": "net", "data": "imagefolder:pets", "part": "test", "weights": "best", "epoch": 2,
        "images": 12,
    }  # fmt: skip
    part = load_data("imagefolder:pets").parts["test"]
    images = torch.stack([part.image(index) for index in range(12)]).float() / 255
    targets = torch.stack([part.target(index) for index in range(12)])
    with torch.no_grad():
        output = open_run(tmp_path / "run").module()((images - 0.5) / 0.25)
    assert figures["accuracy"] == pytest.approx((output.argmax(1) == targets).float().mean().item())
    assert figures["loss"] == pytest.approx(torch.nn.functional.cross_entropy(output, targets).item(), rel=1e-5)
    code, out, _ = run("eval", "run", "--device", "cpu")
    head, *lines = out.splitlines()
    assert head == "net on imagefolder:pets: 12 test images, best weights of epoch 2"
    assert [line.split()[0] for line in lines] == ["loss", "accuracy", "balanced", "F1,"]
    assert f"{figures['accuracy']:.2%}" in out


def test_parts_weights_and_workers_are_chosen(run: Run, made: RunRecord, tmp_path: Path) -> None:
    code, out, err = run("eval", "run", "--part", "validation", "--weights", "last", "--workers", "1")
    assert (code, err) == (0, "")
    assert "12 validation images, last weights of epoch 3" in out


def test_a_report_is_written_where_it_is_asked_for(run: Run, made: RunRecord, tmp_path: Path) -> None:
    code, _, err = run("eval", "run", "-o", "report")
    assert code == 0
    assert "wrote confusion.png, confusion.csv, classes.csv, mistakes.png to report" in err
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "confusion.png", "confusion.csv", "classes.csv", "mistakes.png",
    }  # fmt: skip
    before = contents(tmp_path / "report")
    assert run("eval", "run", "-o", "report").code == 0
    assert contents(tmp_path / "report") == before
    (tmp_path / "report" / "classes.csv").write_text("mine\n")
    before = contents(tmp_path / "report")
    code, _, err = run("eval", "run", "-o", "report")
    assert code == 2
    assert err.startswith("error[E331]: ")
    assert contents(tmp_path / "report") == before
    assert run("eval", "run", "-o", "report", "--overwrite").code == 0


def test_other_data_of_the_same_classes_is_measured(run: Run, made: RunRecord, tmp_path: Path) -> None:
    pets(tmp_path / "others")
    code, out, _ = run("eval", "run", "--data", "imagefolder:others")
    assert code == 0
    assert out.startswith("net on imagefolder:others: 12 test images")


def test_other_classes_and_other_kinds_are_refused_with_the_difference(
    run: Run, made: RunRecord, tmp_path: Path
) -> None:
    pets(tmp_path / "others", ("cat", "cow", "owl"))
    code, out, err = run("eval", "run", "--data", "imagefolder:others")
    assert (code, out) == (2, "")
    assert err.startswith("error[E369]: imagefolder:others has other classes than the run")
    assert "it has: `cow`; it lacks: `dog`" in err
    make_run(tmp_path / "number", "number")
    code, _, err = run("eval", "number")
    assert code == 2
    assert "are of kind `class`, and net was trained for `number`" in err


def test_a_part_that_is_not_there_is_refused_with_those_that_are(run: Run, tmp_path: Path) -> None:
    pets(tmp_path / "pets", parts=("train", "val"))
    make_run(tmp_path / "run")
    code, _, err = run("eval", "run")
    assert code == 2
    assert err.startswith("error[E369]: imagefolder:pets has no test part; it has train, validation")
    assert "say `--part validation`" in err


def test_data_that_has_changed_since_is_said_so(run: Run, made: RunRecord, tmp_path: Path) -> None:
    listing = {**load_data("imagefolder:pets").listing}
    first = next(iter(listing))
    make_run(tmp_path / "old", data_digest="other", data_listing={**listing, first: "77"})
    code, _, err = run("eval", "old")
    assert code == 0
    assert "note: imagefolder:pets is not as it was when the run was trained" in err
    assert f"{first}: {listing[first]}, then 77" in err


@pytest.mark.parametrize("name", ["run.json", "spec.arch", "recipe.arch", "best.safetensors"])
def test_a_damaged_run_is_no_traceback(run: Run, made: RunRecord, tmp_path: Path, name: str) -> None:
    for content in (b"", b"\xff\xfe", b"{}", b"model x { }"):
        (tmp_path / "run" / name).write_bytes(content)
        code, out, err = run("eval", "run")
        assert (code, out) == (2, "")
        assert err.startswith(("error[E366]: ", "error[E367]: "))
        assert name in err


def test_data_that_has_gone_is_a_failure(run: Run, tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    code, out, err = run("eval", "run")
    assert (code, out) == (2, "")
    assert err.startswith("error[E34")
    assert "say where that is now: `--data imagefolder:DIR`" in err


def test_a_run_s_test_figures_are_those_that_it_is_measured_to_have(run: Run, tmp_path: Path) -> None:
    """Train, evaluate and predict: the same preprocessing, figures and reports throughout."""
    pets(tmp_path / "pets")
    spec = "model net(classes=3) { input [3, 8, 8]; conv 4; norm; act; gap; flatten; fc classes }\n"
    (tmp_path / "net.arch").write_text(spec)
    (tmp_path / "mine.arch").write_text("recipe mine of small { epochs 1; images eval { test_crop 0.5 } }\n")
    words = ["--data", "imagefolder:pets", "--recipe", "mine.arch:mine", "-o", "run", "--device", "cpu"]
    code, _, err = run("train", "net.arch", *words)
    assert code == 0, err
    test = json.loads((tmp_path / "run" / "test.json").read_text())
    before = contents(tmp_path / "run")
    code, out, err = run("eval", "run", "--device", "cpu", "-o", "report", "--format", "json")
    assert (code, err.startswith("note")) == (0, False)
    found = json.loads(out)
    assert found["figures"] == {name: test[name] for name in found["figures"]}
    assert found["epoch"] == test["epoch"]
    for name in ("confusion.csv", "classes.csv"):
        assert (tmp_path / "report" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()
    images = sorted((tmp_path / "pets" / "test").rglob("*.png"))
    code, out, _ = run("predict", "run", *map(str, images), "--format", "json", "--device", "cpu")
    right = [one["classes"][0]["class"] == Path(one["file"]).parent.name for one in json.loads(out)]
    assert sum(right) / len(right) == pytest.approx(test["accuracy"])
    code, out, _ = run("runs", ".")
    assert code == 0
    assert f"{test['accuracy']:.2%}" in out
    assert contents(tmp_path / "run") == before
