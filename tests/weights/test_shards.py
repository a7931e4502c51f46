"""Weights in several files are read by their index, and no name in it leaves their folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from archdsl.weights.error import WeightsError
from tests.weights.small_net import network, same, trained

pytestmark = pytest.mark.torch

INDEX = "model.safetensors.index.json"


def write_shards(folder: Path, save: Callable[[Any, Path], None] = save_file, suffix: str = "safetensors") -> Path:
    """Write the small network's weights into three files and an index."""
    state = trained().state_dict()
    names = {key: f"model-{place % 3 + 1}.{suffix}" for place, key in enumerate(state)}
    for name in set(names.values()):
        save({key: state[key] for key in state if names[key] == name}, folder / name)
    index = folder / INDEX
    index.write_text(json.dumps({"metadata": {"total_size": 9}, "weight_map": names}), encoding="utf-8")
    return index


@pytest.mark.parametrize(("save", "suffix"), [(save_file, "safetensors"), (torch.save, "bin")])
def test_shards_are_read_by_their_index_or_their_folder(
    save: Callable[[Any, Path], None], suffix: str, tmp_path: Path
) -> None:
    index = write_shards(tmp_path, save, suffix)
    for path in (index, tmp_path):
        assert network().compare_weights(path).fits
        assert same(network().module(path), trained().state_dict())


def test_a_folder_with_one_file_is_that_file(tmp_path: Path) -> None:
    save_file(trained().state_dict(), tmp_path / "w.safetensors")
    assert network().compare_weights(tmp_path).fits


def test_links_of_a_cache_are_followed(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    for path in (write_shards(tmp_path / "blobs"), *(tmp_path / "blobs").glob("*.safetensors")):
        (tmp_path / "snapshot" / path.name).symlink_to(path)
    assert network().compare_weights(tmp_path / "snapshot").fits


@pytest.mark.parametrize(
    "name",
    [
        *("../other.safetensors", "/etc/passwd", "sub/w.safetensors", "~/w/x", "..", ".", "", "a\\b", "C:w", "C:\\w"),
        *("a\0b", INDEX, 3, None, ["w"]),
    ],
)
def test_no_name_of_an_index_leaves_its_folder(name: object, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    (folder / INDEX).write_text(json.dumps({"weight_map": {"a": name}}), encoding="utf-8")
    with pytest.raises(WeightsError, match="only files beside it are read") as caught:
        network().compare_weights(folder)
    assert "\0" not in caught.value.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is no JSON"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "has no `weight_map`"),
        ('{"weight_map": []}', "has no `weight_map`"),
        ('{"weight_map": {}}', "has no `weight_map`"),
        ('{"weight_map": {"a": "missing.safetensors"}}', "no such file"),
        ('{"weight_map": {"absent": "model-1.safetensors"}}', "which lacks it"),
    ],
)
def test_a_damaged_index_is_an_error_in_one_line(content: str, message: str, tmp_path: Path) -> None:
    index = write_shards(tmp_path)
    index.write_text(content, encoding="utf-8")
    with pytest.raises(WeightsError, match=message) as caught:
        network().compare_weights(index)
    assert (caught.value.code, "\n" in caught.value.message) == ("E301", False)


def test_tensors_that_an_index_passes_by_are_told(tmp_path: Path) -> None:
    index = write_shards(tmp_path)
    content = json.loads(index.read_text(encoding="utf-8"))
    del content["weight_map"]["fc.bias"]
    index.write_text(json.dumps(content), encoding="utf-8")
    transfer = network().compare_weights(index)
    assert [entry.key for entry in transfer.of("new")] == ["fc.bias"]
    assert transfer.notes == ("1 tensors of these files are not in the index",)


def test_a_folder_with_two_files_or_none_asks_for_one(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"is a directory without `\*.index.json` or `\*.safetensors`"):
        network().compare_weights(tmp_path)
    for name in "ab":
        save_file(trained().state_dict(), tmp_path / f"{name}.safetensors")
    with pytest.raises(WeightsError, match=r"several files of weights: `a\.safetensors`, `b\.safetensors`"):
        network().compare_weights(tmp_path)
