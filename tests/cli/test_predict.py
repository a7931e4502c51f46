from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from archdsl.recipes.images import Grey, Resize, TestCrop
from archdsl.recipes.recipe import Recipe
from archdsl.training.run.loading import open_run
from tests.cli.conftest import Run
from tests.training.run.made import make_run

pytestmark = pytest.mark.torch


def picture(path: Path, size: tuple[int, int] = (8, 8), mode: str = "RGB", seed: int = 0) -> np.ndarray:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    image.save(path)
    return np.asarray(image)


def test_classes_are_told_with_their_probabilities(run: Run, tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    pixels = [picture(tmp_path / name, seed=seed) for seed, name in enumerate(("a.png", "b.png"))]
    code, out, err = run("predict", "run", "a.png", "b.png", "--top", "2", "--device", "cpu")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert (len(lines), lines[0], lines[3]) == (6, "a.png", "b.png")
    module = open_run(tmp_path / "run").module()
    with torch.no_grad():
        images = torch.tensor(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255
        expected = module((images - 0.5) / 0.25).softmax(1)
    code, out, _ = run("predict", "run", "a.png", "b.png", "--format", "json", "--device", "cpu")
    assert code == 0
    for found, probabilities, name in zip(json.loads(out), expected, ("a.png", "b.png"), strict=True):
        assert found["file"] == name
        told = {entry["class"]: entry["probability"] for entry in found["classes"]}
        assert [*told.values()] == sorted(told.values(), reverse=True)
        assert [told[name] for name in ("cat", "dog", "owl")] == pytest.approx(probabilities.tolist(), abs=1e-5)


def test_images_are_prepared_as_the_run_s_recipe_says(run: Run, tmp_path: Path) -> None:
    """A grey network, colour images, and a crop: what is predicted is that of the middle, cut by hand."""
    recipe = Recipe(eval=(Grey(), TestCrop(share=0.5)))
    make_run(tmp_path / "run", size=(1, 8, 8), recipe=recipe)
    make_run(tmp_path / "plain", size=(1, 8, 8), recipe=Recipe(eval=(Grey(),)))
    picture(tmp_path / "whole.png", (16, 16))
    Image.open(tmp_path / "whole.png").crop((4, 4, 12, 12)).save(tmp_path / "middle.png")
    whole = json.loads(run("predict", "run", "whole.png", "--format", "json").out)
    middle = json.loads(run("predict", "plain", "middle.png", "--format", "json").out)
    assert whole[0]["classes"] == middle[0]["classes"]
    assert whole[0]["classes"] != json.loads(run("predict", "plain", "whole.png", "--format", "json").out)[0]["classes"]


def test_what_cannot_be_read_is_named_and_the_others_are_predicted_in_order(run: Run, tmp_path: Path) -> None:
    make_run(tmp_path / "run", recipe=Recipe(eval=(Resize(),)))
    for number in range(40):
        picture(tmp_path / f"{number:02}.png", (8 + number, 9), seed=number)
    (tmp_path / "00.png").write_bytes(b"")
    (tmp_path / "17.png").write_text("no image")
    (tmp_path / "39.png").unlink()
    (tmp_path / "folder").mkdir()
    names = [f"{number:02}.png" for number in range(40)] + ["folder", "17.png"]
    code, out, err = run("predict", "run", *names)
    assert code == 1
    told = [line for line in out.splitlines() if not line.startswith(" ")]
    assert told == [name for name in names if name not in ("00.png", "17.png", "39.png", "folder")]
    assert [line.split("`")[1] for line in err.splitlines()] == ["00.png", "17.png", "39.png", "folder", "17.png"]
    assert "`39.png` cannot be read: no such file or directory" in err
    code, out, err = run("predict", "run", *names, "--format", "json")
    assert code == 1
    found = json.loads(out)
    assert [one["file"] for one in found] == names
    assert [one["file"] for one in found if "error" in one] == ["00.png", "17.png", "39.png", "folder", "17.png"]
    code, out, err = run("predict", "run", "17.png", "--format", "json")
    assert (code, len(json.loads(out))) == (1, 1)


def test_a_colour_image_is_no_input_of_a_grey_network(run: Run, tmp_path: Path) -> None:
    make_run(tmp_path / "run", size=(1, 8, 8))
    picture(tmp_path / "colour.png")
    picture(tmp_path / "grey.png", mode="L")
    code, out, err = run("predict", "run", "colour.png", "grey.png")
    assert code == 1
    assert out.startswith("grey.png\n")
    assert err == "error: `colour.png` cannot be read: it is in colour, and the network takes grey images\n"


def test_a_grey_image_goes_into_a_colour_network(run: Run, tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    picture(tmp_path / "grey.png", mode="L")
    assert run("predict", "run", "grey.png").code == 0


def test_several_classes_have_a_probability_each_and_a_number_is_told(run: Run, tmp_path: Path) -> None:
    make_run(tmp_path / "labels", "classes")
    make_run(tmp_path / "number", "number")
    picture(tmp_path / "a.png")
    (found,) = json.loads(run("predict", "labels", "a.png", "--format", "json").out)
    assert len(found["classes"]) == 3
    (found,) = json.loads(run("predict", "number", "a.png", "--format", "json").out)
    assert isinstance(found["number"], float)
    code, out, _ = run("predict", "number", "a.png")
    assert code == 0
    assert float(out.splitlines()[1]) == pytest.approx(found["number"], rel=1e-5)


def test_masks_are_written_with_classes_as_their_values(run: Run, tmp_path: Path) -> None:
    make_run(tmp_path / "run", "mask")
    pixels = picture(tmp_path / "a.png")
    code, out, err = run("predict", "run", "a.png", "-o", "out")
    assert (code, err) == (0, "")
    assert "written to out/a.png" in out
    with torch.no_grad():
        images = torch.tensor(pixels).permute(2, 0, 1)[None].float() / 255
        expected = open_run(tmp_path / "run").module()((images - 0.5) / 0.25).argmax(1)[0]
    with Image.open(tmp_path / "out" / "a.png") as mask:
        assert mask.mode == "P"
        assert np.array_equal(np.asarray(mask), expected.numpy())
    (found,) = json.loads(run("predict", "run", "a.png", "--format", "json").out)
    assert sum(entry["share"] for entry in found["classes"]) == pytest.approx(1)
    assert "written" not in found


def test_images_are_written_and_never_over_what_was_read(run: Run, tmp_path: Path) -> None:
    make_run(tmp_path / "run", "image")
    (tmp_path / "b").mkdir()
    for name in ("a.png", "b/a.png", "b/a.bmp"):
        picture(tmp_path / name)
    code, _, err = run("predict", "run", "a.png")
    assert code == 2
    assert "say where to write them: `-o FOLDER`" in err
    assert run("predict", "run", "a.png", "-o", "out").code == 0
    with Image.open(tmp_path / "out" / "a.png") as image:
        assert (image.mode, image.size) == ("RGB", (8, 8))
    code, _, err = run("predict", "run", "a.png", "b/a.png", "-o", "out")
    assert code == 2
    assert "2 images would be written as `out/a.png.png`" in err
    assert run("predict", "run", "b/a.bmp", "b/a.png", "-o", "out", "--overwrite").code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.png", "a.bmp.png", "a.png.png"}
    code, _, err = run("predict", "run", "a.png", "-o", ".", "--overwrite")
    assert code == 2
    assert err.startswith("error[E330]: ")


def test_what_is_no_run_and_a_device_that_is_none_are_failures(run: Run, tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    code, out, err = run("predict", "absent", "a.png")
    assert (code, out) == (2, "")
    assert err.startswith("error[E366]: ")
    make_run(tmp_path / "run")
    for device in ("cuda:77", "nothing", "meta"):
        code, _, err = run("predict", "run", "a.png", "--device", device)
        assert code == 2
        assert err.startswith(f"error[E368]: torch cannot use a device `{device}` here")
    code, _, err = run("predict", "run", "a.png", "-o", "out")
    assert code == 2
    assert "net gives no pictures that `-o` could write" in err
    (tmp_path / "run" / "best.safetensors").unlink()
    code, _, err = run("predict", "run", "a.png")
    assert code == 2
    assert err.startswith("error[E367]: ")
    assert run("predict", "run", "a.png", "--weights", "last").code == 0
