"""Weights for other channels, classes and layouts: what is fitted, how, and what starts anew instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

import archdsl
from archdsl.ir.freezing import Freezing
from archdsl.ir.start import InputAdaption
from archdsl.text.source import Source
from archdsl.training import DataSet, Means, Silent, Start, TrainingError, load_data, python_data, train
from archdsl.training.run.record import REPORT
from archdsl.weights.load import MisfitError
from archdsl.weights.shape import adapt_weight
from tests.training.small import recipe

pytestmark = pytest.mark.torch

NET = "model m(classes=5, c=3) { input [c, 8, 8]; conv1: conv 4; act; b: conv 6; gap; flatten; fc: fc classes }"


def network(text: str = NET, **settings: Any) -> archdsl.Network:
    return archdsl.load_text(text, **settings)


def state(text: str = NET, **settings: Any) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return dict(network(text, **settings).module().state_dict())


@pytest.mark.parametrize(("theirs", "ours"), [(3, 1), (3, 4), (3, 2), (1, 3), (4, 3), (3, 6)])
def test_the_mean_keeps_the_response_to_a_grey_image(theirs: int, ours: int) -> None:
    torch.manual_seed(0)
    weight = torch.randn(5, theirs, 3, 3, dtype=torch.float64)
    adapted = adapt_weight(weight, ours, "mean")
    assert adapted.shape == (5, ours, 3, 3)
    image = torch.randn(2, 1, 8, 8, dtype=torch.float64)
    expected = functional.conv2d(image.expand(2, theirs, 8, 8), weight)
    torch.testing.assert_close(functional.conv2d(image.expand(2, ours, 8, 8), adapted), expected)
    # All channels are alike, so that a colour's response is that of its grey value.
    assert torch.equal(adapted, adapted[:, :1].expand_as(adapted))


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("way", ["mean", "copy"])
def test_the_first_convolution_is_fitted_by_a_word(channels: int, way: InputAdaption) -> None:
    file, ours = state(), network(c=channels)
    with pytest.raises(MisfitError, match="--adapt-input mean"):
        ours.module(file)
    module = ours.module(file, adapt=way)
    expected = adapt_weight(file["conv1.weight"], channels, way).float()
    assert torch.equal(module.state_dict()["conv1.weight"], expected)
    transfer = ours.compare_weights(file, adapt=way)
    assert [(entry.key, entry.reason) for entry in transfer.of("adapted")] == [("conv1.weight", way)]
    assert transfer.fits


def test_new_leaves_it_and_says_so() -> None:
    transfer = network(c=1).compare_weights(state(), adapt="new")
    assert [(e.key, e.reason) for e in transfer.of("new")] == [("conv1.weight", "1 input channels here, 3 in the file")]
    assert not transfer.of("unused")


def test_a_convolution_inside_is_never_fitted() -> None:
    wide = network(NET.replace("conv1: conv 4", "conv1: conv 8"))
    file = {key: value for key, value in state().items() if not key.startswith("conv1")}
    transfer = wide.compare_weights(file, adapt="mean")
    assert [(entry.key, entry.reason) for entry in transfer.of("different")] == [("b.weight", "")]


def test_a_window_over_a_whole_map_is_the_linear_map_behind_it() -> None:
    flat = "model m { input [3, 4, 4]; flatten; fc: fc 5 }"
    window = "model m { input [3, 4, 4]; fc: conv 5 k=4 p=0 bias=true; flatten }"
    image = torch.randn(2, 3, 4, 4)
    for ours, theirs in ((flat, window), (window, flat)):
        module, other = network(ours).module(state(theirs)), network(theirs).module(state(theirs))
        torch.testing.assert_close(module(image), other(image))
    # The same numbers in another order are no such thing, though there are as many.
    turned = state(window)
    turned["fc.weight"] = turned["fc.weight"].permute(0, 2, 3, 1).contiguous()
    assert [entry.key for entry in network(flat).compare_weights(turned).of("different")] == ["fc.weight"]
    # Nor is a window where no map was made flat.
    late = network("model m { input [3, 4, 4]; gap; flatten; a: fc 48; fc: fc 5 }")
    file = dict(late.module().state_dict()) | {"fc.weight": state(window)["fc.weight"]}
    assert [entry.key for entry in late.compare_weights(file).of("different")] == ["fc.weight"]


class Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def on_start(self, start: Start) -> None:
        self.notes += start.notes


DIGITS = "model m(classes=10) { input [1, 8, 8]; conv1: conv 4; norm; act; gap; flatten; fc: fc classes }"
QUICK = "epochs 1; optimizer sgd lr=1e-12; weight_decay 0.0"


def digits(*classes: int) -> DataSet:
    data = load_data("digits")
    parts = []
    for part in ("train", "validation", "test"):
        samples = data.parts[part]
        rows = [i for i in range(min(len(samples), 300)) if int(samples.target(i)) in classes]
        parts.append([(samples.image(i).numpy()[0], classes.index(int(samples.target(i)))) for i in rows])
    return python_data(*parts, classes=[f"digit {number}" for number in classes], name=f"digits {classes}")


def run(
    data: DataSet, out: Path, weights: Path | None, net: str = DIGITS, seed: int = 0, adapt: InputAdaption | None = None
) -> Notes:
    seen = Notes()
    classes = len(data.classes)
    made = archdsl.load(Source(net, "m.arch"), classes=classes)
    train(made, recipe(f"{QUICK}; seed {seed}"), data, out, seen, weights=weights, means=Means("cpu"), adapt=adapt)
    return seen


def test_a_head_of_other_classes_starts_anew_though_there_are_as_many(tmp_path: Path) -> None:
    low, high = digits(0, 1, 2, 3, 4), digits(5, 6, 7, 8, 9)
    run(low, tmp_path / "low", None)
    before = load_file(tmp_path / "low" / "best.safetensors")
    seen = run(high, tmp_path / "high", tmp_path / "low", seed=1)
    after = load_file(tmp_path / "high" / "last.safetensors")
    assert torch.allclose(after["conv1.weight"], before["conv1.weight"])
    assert not torch.allclose(after["fc.weight"], before["fc.weight"])
    assert any("the classes of" in note and "fc.weight, fc.bias" in note for note in seen.notes)
    report = json.loads((tmp_path / "high" / REPORT).read_text())
    assert [entry["key"] for entry in report["new"]] == ["fc.weight", "fc.bias"]
    assert report["counts"]["unused"] == 0
    # Of the same classes, it is kept; so is it of a bare file, which names none, and that is said.
    run(low, tmp_path / "again", tmp_path / "low")
    assert torch.allclose(load_file(tmp_path / "again" / "last.safetensors")["fc.weight"], before["fc.weight"])
    seen = run(high, tmp_path / "bare", tmp_path / "low" / "best.safetensors")
    assert torch.allclose(load_file(tmp_path / "bare" / "last.safetensors")["fc.weight"], before["fc.weight"])
    assert any("the head is that of the file, for 5 classes, which may be others" in note for note in seen.notes)


def test_what_is_to_be_drawn_anew_is_not_taken_though_it_fits(tmp_path: Path) -> None:
    file = state()
    torch.manual_seed(2)
    module = network().module(file, anew="head b")  # strict, for nothing is amiss
    torch.manual_seed(2)
    fresh, made = network().module().state_dict(), module.state_dict()
    for key in file:
        assert torch.equal(made[key], (fresh if key.startswith(("fc.", "b.")) else file)[key]), key
    with pytest.raises(archdsl.SpecError, match="no step has the path `nothing`"):
        network().module(file, anew="nothing")
    # A head of another size is no misfit where it is not wanted, and one of channels none where a word says what to do.
    save_file(file, tmp_path / "w.safetensors")
    (tmp_path / "m.arch").write_text(
        f'{NET}\nvariant v of m(classes=3, c=1) {{ weights "w.safetensors" adapt=mean except head }}'
    )
    made = archdsl.load(f"{tmp_path / 'm.arch'}:v").module().state_dict()
    assert torch.equal(made["conv1.weight"], adapt_weight(file["conv1.weight"], 1, "mean").float())
    assert made["fc.weight"].shape[0] == 3
    # In training, too, where the spec says it and where `--new` does.
    given: dict[str, Any] = {"means": Means("cpu"), "overwrite": True}
    own, found = archdsl.load(f"{tmp_path / 'm.arch'}:v", classes=2), []
    for anew in ((), (Freezing(("b",)),)):
        seen = Notes()
        train(own, recipe(QUICK), digits(0, 1), tmp_path / "run", seen, anew=anew, **given)
        found.append(json.loads((tmp_path / "run" / REPORT).read_text())["excepted"])
        assert any(note.startswith("drawn anew, as is asked: ") for note in seen.notes)
    assert [[entry["key"] for entry in entries] for entries in found] == [
        ["fc.weight", "fc.bias"],
        ["b.weight", "fc.weight", "fc.bias"],
    ]


@pytest.mark.parametrize("way", ["mean", "copy", "new", None])
def test_a_word_for_channels_goes_before_what_the_spec_says_of_all_such_files(way: InputAdaption | None) -> None:
    ours = network(f'{NET}\nkeys theirs {{ "conv1" = "stem"; adapt "conv1" }}', c=1)
    file = {key.replace("conv1", "stem"): tensor for key, tensor in state().items()}
    found = ours.compare_weights(file, "theirs", adapt=way)
    assert [entry.reason for entry in found.of("adapted")] == ([] if way == "new" else [way or "copy"])
    assert [entry.key for entry in found.of("new")] == (["conv1.weight"] if way == "new" else [])


def test_what_is_frozen_and_was_not_loaded_is_told(tmp_path: Path) -> None:
    data = digits(0, 1)
    run(data, tmp_path / "known", None)
    made = archdsl.load(Source(DIGITS, "m.arch"), classes=2).frozen("* except head")
    seen, given = Notes(), {"means": Means("cpu"), "weights": tmp_path / "known"}
    train(made, recipe(QUICK), data, tmp_path / "run", seen, anew=[Freezing(("conv1",))], adapt="mean", **given)  # pyright: ignore[reportArgumentType]
    assert "frozen, and so left at its first, random values: conv1.weight" in seen.notes
    assert any(note.endswith("is for other input channels, so `mean` changes nothing") for note in seen.notes)
    with pytest.raises(TrainingError, match="is drawn anew"):
        train(made, recipe(QUICK), data, tmp_path / "all", anew=[Freezing(("*",))], **given)  # pyright: ignore[reportArgumentType]
    with pytest.raises(archdsl.SpecError, match="reaches no weights"):
        made.anew("act")


def test_another_number_of_classes_is_told_by_its_cause(tmp_path: Path) -> None:
    run(digits(0, 1, 2, 3, 4), tmp_path / "five", None)
    seen = run(digits(0, 1), tmp_path / "two", tmp_path / "five" / "best.safetensors")
    told = "not in that file (2 classes here, 5 in the file), and so drawn anew: fc.weight, fc.bias"
    assert told in seen.notes
    assert any(note.startswith("starts from 6 of 8 tensors of") and note.endswith("6 matched") for note in seen.notes)


def test_training_asks_for_a_word_where_channels_differ(tmp_path: Path) -> None:
    colour = archdsl.load(Source(DIGITS.replace("[1, 8, 8]", "[3, 8, 8]"), "m.arch"), classes=2)
    file = tmp_path / "w.safetensors"
    save_file(dict(colour.module().state_dict()), file)
    with pytest.raises(TrainingError, match=r"1 input channels here, 3 in the file.*--adapt-input mean"):
        run(digits(0, 1), tmp_path / "run", file)
    assert not (tmp_path / "run").exists()
    seen = run(digits(0, 1), tmp_path / "run", file, adapt="mean")
    assert "fitted to other input channels (by `mean`): conv1.weight" in seen.notes
    expected = adapt_weight(load_file(file)["conv1.weight"], 1, "mean").float()
    assert torch.allclose(load_file(tmp_path / "run" / "last.safetensors")["conv1.weight"], expected)
