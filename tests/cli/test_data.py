from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Run
from tests.training.data.files import folder_of, picture

pytestmark = pytest.mark.torch


def test_a_folder_is_described(run: Run, tmp_path: Path) -> None:
    folder_of(tmp_path / "pets", {"cat": 30, "dog": 10, "a\x1b[31m": 10})
    (tmp_path / "pets" / "cat" / "notes.txt").touch()
    code, out, err = run("data", "imagefolder:pets")
    assert (code, err) == (0, "")
    assert out.splitlines()[:3] == [
        "imagefolder:pets: one class an image, 3 classes",
        "",
        "        train  validation  test",
    ]
    assert "cat        24           3     3" in out
    assert "sizes: heights from 16 to 18, widths from 16 to 20" in out
    assert "class `cat` has 3.0 times" in out
    assert "1 file that is no image by name, left aside: 1 .txt" in out
    assert "\x1b" not in out


def test_images_in_two_parts_are_named(run: Run, tmp_path: Path) -> None:
    folder_of(tmp_path / "d", {f"{part}/{label}": 4 for part in ("train", "val", "test") for label in "ab"})
    for name in ("train/a/same.png", "test/b/other.bmp", "train/a/again.png"):
        picture(77).save(tmp_path / "d" / name)
    data = json.loads(run("data", "imagefolder:d", "--format", "json").out)
    assert data["shared"] == [["train: train/a/again.png", "train: train/a/same.png", "test: test/b/other.bmp"]]
    assert data["repeated"] == 1
    assert data["counts"] == {"train": 10, "validation": 8, "test": 9}
    assert data["per_class"]["test"] == {"a": 4, "b": 5}
    assert (
        "train: train/a/again.png, train: train/a/same.png, test: test/b/other.bmp" in run("data", "imagefolder:d").out
    )


def test_images_that_cannot_be_read_are_findings(run: Run, tmp_path: Path) -> None:
    folder_of(tmp_path / "d", {"a": 12, "b": 12})
    (tmp_path / "d" / "a" / "3.png").write_text("no image")
    code, out, err = run("data", "imagefolder:d", "-o", "sheet.png")
    assert code == 1
    assert err == "error[E344]: `a/3.png` cannot be read: it is no image of a kind that Pillow reads\nwrote sheet.png\n"
    assert "sizes:" in out


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        (("digits",), (8 * 68 + 4, 6 * 82 + 4)),
        (("digits", "--input", "3x32x32"), (8 * 68 + 4, 6 * 82 + 4)),
        (("synthetic:3x100x60/5", "--recipe", "resnet_paper"), (8 * 64 + 4, 6 * 118 + 4)),
    ],
)
def test_a_sheet_shows_training_images(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], size: tuple[int, int]
) -> None:
    assert run("data", *arguments, "-o", "sheet.png").err == "wrote sheet.png\n"
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == size
        assert len(sheet.getcolors(10**6) or ()) > 10


def test_tables_and_pairs_are_described(run: Run, tmp_path: Path) -> None:
    folder_of(tmp_path, {"images": 20})
    lines = [f"images/{index}.png,{index / 2}" for index in range(20)]
    (tmp_path / "n.csv").write_text("\n".join(["path,label", *lines]))
    out = run("data", "csv:n.csv", "-o", "n.png").out
    assert "csv:n.csv: a number an image" in out
    assert "train: numbers from" in out
    lines = [f"images/{index}.png,{'a|b' if index % 2 else 'a'}" for index in range(20)]
    (tmp_path / "m.csv").write_text("\n".join(["path,label", *lines]))
    assert "csv:m.csv: any classes an image, 2 classes" in run("data", "csv:m.csv", "-o", "m.png").out
    for half, mode in (("inputs", "RGB"), ("targets", "L")):
        (tmp_path / "p" / half).mkdir(parents=True)
        for index in range(12):
            Image.new(mode, (8, 8), index % 3).save(tmp_path / "p" / half / f"{index}.png")
    out = run("data", "pairs:p", "-o", "p.png").out
    assert "pairs:p: a class for each pixel, 3 classes" in out
    assert {"n.png", "m.png", "p.png"} < {path.name for path in tmp_path.iterdir()}


def test_wrong_usage_is_told(run: Run, tmp_path: Path) -> None:
    assert run("data", "digit").err == "error[E340]: no data set is called `digit`\n  = help: the nearest is `digits`\n"
    assert run("data", "digits", "--input", "8x8").code == 2
    assert run("data", "digits", "--recipe", "no_such").code == 2
    (tmp_path / "sheet.png").write_bytes(b"mine")
    assert "E331" in run("data", "digits", "-o", "sheet.png").err
    assert io.BytesIO((tmp_path / "sheet.png").read_bytes()).getvalue() == b"mine"
