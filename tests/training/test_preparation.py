"""What the recipe says of images goes first; what it leaves open is as the weights had it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from archdsl.recipes.images import Flip, Grey, ImageChange, Normalize, RandomResizedCrop, Resize, TestCrop
from archdsl.recipes.recipe import Recipe
from archdsl.training import Means, Silent, Start, TrainingError, load_data, resume, train
from archdsl.training.data.statistics import Statistics
from archdsl.training.preparation import prepare
from archdsl.training.run.evaluation import evaluate
from archdsl.training.run.loading import open_run
from archdsl.training.run.prediction import predict
from archdsl.training.run.record import REPORT, read_record
from archdsl.training.run.weights import StartingWeights
from archdsl.training.vision import functional as images
from archdsl.weights.origin import FoundWeights
from archdsl.weights.preprocessing import IMAGENET, Preprocessing
from tests.training.small import TINY, Crash, CrashAt, recipe, tiny, trained

pytestmark = pytest.mark.torch

SIZE = (3, 8, 8)
COLOUR = TINY.replace("[1, 8, 8]", "[3, 8, 8]")
TIMM = Preprocessing(
    origin="timm:x", mean=(0.5,) * 3, deviation=(0.5,) * 3, size=(8, 8), share=0.9, interpolation="bicubic"
)


def starting(preprocessing: Preprocessing | None) -> StartingWeights:
    return StartingWeights(FoundWeights("net.pth", Path("net.pth"), preprocessing))


def changes(*measured: ImageChange) -> Recipe:
    return Recipe(train=(Flip(),), eval=measured)


def test_without_weights_nothing_is_taken_from_anywhere() -> None:
    made = prepare(changes(TestCrop()), SIZE, None)
    assert (made.statistics, made.brought, made.notes) == (None, None, ())
    assert made.recipe.eval == (TestCrop(share=0.875, interpolation="bilinear"),)
    assert prepare(changes(), SIZE, None).recipe == changes()


def test_what_is_left_open_is_the_weights() -> None:
    made = prepare(changes(), SIZE, starting(TIMM))
    assert made.statistics == Statistics(TIMM.mean, TIMM.deviation)
    assert made.recipe.eval == (TestCrop(share=0.9, interpolation="bicubic"),)
    assert made.brought == TIMM
    assert made.notes == ("images are normalised as those of timm:x were",)
    assert prepare(changes(TestCrop()), SIZE, starting(TIMM)).recipe == made.recipe
    grey = prepare(changes(Grey()), (1, 8, 8), starting(IMAGENET))
    assert grey.statistics == Statistics((0.449,), (0.226,))


def test_a_bare_file_for_three_channels_takes_imagenet_s_and_says_so() -> None:
    made = prepare(changes(), SIZE, starting(None))
    assert made.statistics == Statistics(IMAGENET.mean, IMAGENET.deviation)
    assert made.recipe.eval == ()
    assert made.brought == IMAGENET
    assert "`net.pth` does not say how images were normalised, so ImageNet's" in made.notes[0]
    assert prepare(changes(), (1, 8, 8), starting(None)).notes == ()
    for by in ("data", "none"):
        said = prepare(changes(Normalize(by=by)), SIZE, starting(None))
        assert (said.statistics, said.brought, said.notes) == (None, None, ())


@pytest.mark.parametrize(
    ("measured", "size", "told"),
    [
        (Normalize(by="data"), SIZE, "the recipe's `normalize data` holds, though images of timm:x had mean [0.5, "),
        (Normalize(by="imagenet"), SIZE, "the recipe's `normalize imagenet` holds"),
        (TestCrop(share=0.5), SIZE, "the recipe's `test_crop 0.5` holds, though images of timm:x were cut to 0.9"),
        (Resize(ratio=1.0), SIZE, "the recipe's `resize 1` holds, though images of timm:x were cut to 0.9"),
        (
            TestCrop(interpolation="bilinear"),
            SIZE,
            "`interpolation=bilinear` holds, though images of timm:x were bicubic",
        ),
        (TestCrop(), (3, 16, 8), "the network takes images of 16 x 8, and those of timm:x were 8 x 8"),
    ],
)
def test_what_is_said_holds_and_a_contradiction_is_told(
    measured: ImageChange, size: tuple[int, int, int], told: str
) -> None:
    made = prepare(changes(measured), size, starting(TIMM))
    assert any(told in note for note in made.notes)
    kept = next(change for change in made.recipe.eval if isinstance(change, type(measured)))
    assert dict(measured.given()).items() <= dict(kept.given()).items()
    if isinstance(measured, Normalize):
        assert made.statistics is None


def test_what_agrees_is_not_told() -> None:
    said = changes(TestCrop(share=0.875, interpolation="bilinear"), Normalize(by="imagenet"))
    told = IMAGENET.model_copy(update={"share": 0.875, "interpolation": "bilinear", "size": (8, 8)})
    assert prepare(said, SIZE, starting(told)).notes == ()


class Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def on_start(self, start: Start) -> None:
        self.notes += start.notes


def test_weights_of_a_library_bring_their_images_to_the_whole_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training, going on, measuring and predicting normalise, cut and resize as timm did."""
    name = "timm:beit_base_patch16_224.in22k_ft_in22k"
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cached = tmp_path / "hub" / "checkpoints" / "beit_base_patch16_224.in22k_ft_in22k.safetensors"
    cached.parent.mkdir(parents=True)
    data, own, seen = load_data("synthetic:3x8x8/64"), recipe("batch_size 16; epochs 2"), Notes()
    network = tiny(COLOUR.replace("classes=10", f"classes={len(data.classes)}"))
    save_file(dict(network.module().state_dict()), cached)
    out = tmp_path / "run"
    with pytest.raises(Crash):
        train(network, own, data, out, CrashAt(6), weights=name, means=Means("cpu", checkpoint_every=5))
    resume(out, seen)
    record = read_record(out)
    assert (record.mean, record.deviation, record.weights) == ((0.5,) * 3, (0.5,) * 3, name)
    assert record.preprocessing is not None
    assert (record.preprocessing.origin, record.preprocessing.size) == (name, (224, 224))
    assert "test_crop share=0.9 interpolation=bicubic" in (out / "recipe.arch").read_text()
    assert json.loads((out / REPORT).read_text())["counts"]["matched"] == len(network.state)
    train(network, own, data, tmp_path / "again", seen, weights=name, means=Means("cpu"))
    assert (out / "last.safetensors").read_bytes() == (tmp_path / "again" / "last.safetensors").read_bytes()
    assert f"images are normalised as those of {name} were" in seen.notes
    opened = open_run(out)
    assert evaluate(opened, data, device="cpu").images
    pixels = torch.randint(0, 256, (3, 20, 20), dtype=torch.uint8)
    Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(tmp_path / "a.png")
    (found,) = predict(opened, [tmp_path / "a.png"], top=99, device="cpu")
    resized = images.resize(pixels, [9, 9], interpolation=images.InterpolationMode.BICUBIC, antialias=True)
    with torch.no_grad():
        expected = opened.module()((resized[None, :, :8, :8] / 255 - 0.5) / 0.5).softmax(1)[0]
    told = dict(found.ranked)
    assert [told[one] for one in record.classes] == pytest.approx(expected.tolist(), abs=1e-5)


def test_another_run_s_normalisation_goes_with_its_weights(tmp_path: Path) -> None:
    trained(tmp_path / "a", "images eval { test_crop 0.75 }; epochs 1")
    first = read_record(tmp_path / "a")
    seen = Notes()
    own = recipe("epochs 1; images train { random_resized_crop }")
    assert isinstance(own.train[0], RandomResizedCrop)
    train(tiny(), own, load_data("digits"), tmp_path / "b", seen, weights=str(tmp_path / "a"), means=Means("cpu"))
    second = read_record(tmp_path / "b")
    assert (second.mean, second.deviation) == (first.mean, first.deviation)
    assert second.weights == str(tmp_path / "a")
    assert "test_crop share=0.75" in (tmp_path / "b" / "recipe.arch").read_text()
    assert f"images are normalised as those of {tmp_path / 'a'} were" in seen.notes


def test_a_run_that_lost_its_first_weights_does_not_go_on_without(tmp_path: Path) -> None:
    trained(tmp_path / "a", "epochs 1")
    train(tiny(), recipe("epochs 1"), load_data("digits"), tmp_path / "b", weights=tmp_path / "a", means=Means("cpu"))
    for path in (tmp_path / "b" / "checkpoints").iterdir():
        path.unlink()
    with pytest.raises(TrainingError, match="before it had saved the weights that it started from"):
        resume(tmp_path / "b")
