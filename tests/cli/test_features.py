from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Run
from tests.training.run.made import make_run

pytestmark = pytest.mark.torch

NET = "model net { input [3, 8, 8]; a: conv 4; act; gap; flatten; fc: fc 7 }\n"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for seed in range(2):
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{seed}.png")
    (tmp_path / "net.arch").write_text(NET)
    return tmp_path


def test_shapes_and_figures_are_told(run: Run, images: Path) -> None:
    code, out, err = run("features", "net.arch", "0.png", "1.png", "--tap", "gap", "--tap", "a", "--device", "cpu")
    lines = out.splitlines()
    assert (code, len(lines), lines[0], lines[3]) == (0, 6, "0.png", "1.png")
    assert lines[1].startswith("  gap  [4, 1, 1]  mean ")
    assert lines[2].startswith("  a  [4, 8, 8]  mean ")
    assert "note: the weights are fresh, random ones" in err
    code, out, _ = run("features", "net.arch", "0.png", "--tap", "a", "--format", "json", "--device", "cpu")
    (told,) = json.loads(out)
    assert told["file"] == "0.png"
    assert told["features"]["a"]["shape"] == [4, 8, 8]


def test_they_are_written_to_a_file_of_a_known_kind(run: Run, images: Path) -> None:
    make_run(images / "run")
    words = ("features", "run", "0.png", "none.png", "1.png", "--tap", "0", "--device", "cpu")
    code, out, err = run(*words, "-o", "f.npz")
    assert (code, out) == (1, "")
    assert "error: `none.png` cannot be read: no such file or directory" in err
    assert "wrote 0 of 2 images to f.npz" in err
    assert np.load(images / "f.npz")["0"].shape == (2, 4, 8, 8)
    assert run(*words, "-o", "f.npz").code == 1  # the same bytes again
    code, _, err = run(*words, "--tap", "1", "-o", "f.npz")
    assert code == 2
    assert "E331" in err
    assert run(*words, "-o", "f.npz", "--overwrite").code == 1
    assert "end its name in one of .npz, .safetensors, .csv" in run(*words, "-o", "f.txt").err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["net.arch", "0.png"], "--tap"),
        (["net.arch", "0.png", "--tap", "b"], "no step of net has the path `b`"),
        (["net.arch", "0.png", "--tap", "a", "--from", "timm"], "give --weights too"),
        (["net.arch", "0.png", "--tap", "a", "--weights", "none.pth"], "none.pth"),
        (["run", "0.png", "--tap", "conv", "--weights", "other"], "has weights of its own"),
        (["run", "0.png", "--tap", "conv", "--set", "classes=3"], "takes no --set"),
        (["run", "0.png", "--tap", "conv", "--weights", "first"], "say `best` or `last`"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, images: Path, words: list[str], told: str) -> None:
    make_run(images / "run")
    code, _, err = run("features", *words)
    assert code == 2
    assert told in err
