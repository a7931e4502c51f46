"""Features are those of the network, of images prepared as the weights ask for."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from archdsl import Failure, load
from archdsl.text.source import Source
from archdsl.training.run.loading import open_run
from archdsl.training.run.tapped import ImageFeatures, features, tap_network, tap_run, write_features
from archdsl.weights.load import MisfitError
from tests.training.run.made import make_run

pytestmark = pytest.mark.torch

NET = "model net { input [3, 8, 8]; a: conv 4; act; b: { c: conv 5; act }; gap; flatten; fc: fc 7 }"
MEAN, DEVIATION = (torch.tensor(f)[:, None, None] for f in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def picture(path: Path, seed: int = 0) -> torch.Tensor:
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return torch.tensor(pixels).permute(2, 0, 1) / 255


def test_features_of_a_spec_are_prepared_as_its_weights_ask_for(tmp_path: Path) -> None:
    network = load(Source(NET))
    module = network.module().eval()
    save_file(dict(module.state_dict()), tmp_path / "net.safetensors")
    images = torch.stack([picture(tmp_path / f"{i}.png", i) for i in range(3)])
    (tmp_path / "no.png").write_bytes(b"none")
    paths = [tmp_path / name for name in ("0.png", "no.png", "1.png", "2.png")]
    tapped = tap_network(network, ["b", "b.c"], str(tmp_path / "net.safetensors"))
    assert "so ImageNet's mean and deviation are taken" in tapped.notes[0]
    found = [*features(tapped, paths, "cpu")]
    assert [one.path for one in found] == paths
    assert [bool(one.unread) for one in found] == [False, True, False, False]
    seen: dict[str, torch.Tensor] = {}
    module.get_submodule("b.c").register_forward_hook(lambda _m, _i, output: seen.update(c=output.clone()))
    with torch.no_grad():
        module((images - MEAN) / DEVIATION)
    for index, one in enumerate(one for one in found if not one.unread):
        torch.testing.assert_close(one.values["b.c"], seen["c"][index], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(one.values["b"], seen["c"][index].relu(), rtol=1e-5, atol=1e-5)


def test_only_what_the_places_need_has_to_be_there(tmp_path: Path) -> None:
    network = load(Source(NET))
    state = dict(network.module().state_dict()) | {"fc.weight": torch.zeros(1000, 5)}
    save_file(state, tmp_path / "net.safetensors")
    file = str(tmp_path / "net.safetensors")
    assert tap_network(network, ["gap"], file).module
    with pytest.raises(MisfitError):
        tap_network(network, ["fc"], file)
    with pytest.raises(Failure, match="no step of net has the path `gop`"):
        tap_network(network, ["gop"], file)


def test_fresh_weights_are_told_and_the_same_each_time(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    network = load(Source(NET))
    one, other = (tap_network(network, ["a"], None) for _ in range(2))
    assert one.notes == (
        "images are not normalised: their values are from 0 to 1",
        "the weights are fresh, random ones; `--weights` names others",
    )
    (first,), (second,) = (features(made, [tmp_path / "a.png"], "cpu") for made in (one, other))
    assert torch.equal(first.values["a"], second.values["a"])


def test_a_run_s_are_prepared_as_the_run_s(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    image = picture(tmp_path / "a.png")
    run = open_run(tmp_path / "run")
    (found,) = features(tap_run(run, ["0"]), [tmp_path / "a.png"], "cpu")
    with torch.no_grad():
        expected = run.module().get_submodule("0")((image[None] - 0.5) / 0.25)[0]
    torch.testing.assert_close(found.values["0"], expected, rtol=1e-5, atol=1e-5)
    with pytest.raises(Failure, match="no step of net"):
        tap_run(run, ["x"])


def some(*names: str) -> list[ImageFeatures]:
    def values(index: int) -> Mapping[str, torch.Tensor]:
        return {name: torch.arange(4.0).reshape(2, 2) + index + 10 * n for n, name in enumerate(names)}

    read = [ImageFeatures(Path(f"{i}.png"), values(i)) for i in range(3)]
    return [read[0], ImageFeatures(Path("no.png"), {}, "it is empty"), *read[1:]]


def test_a_file_has_all_that_could_be_read(tmp_path: Path) -> None:
    found = some("a", "b.c")
    arrays: Any = np.load(BytesIO(write_features(found, ".npz")))
    assert arrays["files"].tolist() == ["0.png", "1.png", "2.png"]
    assert (arrays["a"].shape, arrays["a"].dtype) == ((3, 2, 2), np.float32)
    assert arrays["b.c"][1].tolist() == [[11, 12], [13, 14]]
    path = tmp_path / "f.safetensors"
    path.write_bytes(write_features(found, ".safetensors"))
    with safe_open(path, framework="pt") as file:
        assert json.loads(file.metadata()["files"]) == ["0.png", "1.png", "2.png"]
        assert file.get_tensor("b.c")[2].tolist() == [[12, 13], [14, 15]]
    rows = [*csv.reader(StringIO(write_features(found, ".csv").decode()))]
    assert rows[0][:3] == ["file", "a[0,0]", "a[0,1]"]
    assert rows[2] == ["1.png", "1", "2", "3", "4", "11", "12", "13", "14"]


def test_names_of_numpy_s_are_names_too() -> None:
    arrays: Any = np.load(BytesIO(write_features(some("file", "files", "allow_pickle"), ".npz")))
    assert {*arrays} == {"files_", "file", "files", "allow_pickle"}
    assert arrays["files_"][0] == "0.png"


def test_a_row_of_csv_has_an_end() -> None:
    with pytest.raises(Failure, match="200,000 values"):
        write_features([ImageFeatures(Path("a"), {"a": torch.zeros(200_000)})], ".csv")
