"""Headers of safetensors say what a file holds, or that it is damaged."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from archdsl.weights.error import WeightsError
from archdsl.weights.safetensor import read_header
from tests.conftest import ROOT
from tests.weights.small_net import SPEC, network, trained

pytestmark = pytest.mark.torch


def header(content: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = json.dumps(content).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


@pytest.mark.parametrize(
    "content",
    [
        header([]),
        header({"w": 1}),
        header({"w": {"dtype": "F32", "shape": [2]}}),
        header({"w": {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]}}, b"\0" * 8),
        header({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"\0" * 7),
        header({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, b"\0" * 8),
        header({"w": {"dtype": "F32", "shape": [-1, -2], "data_offsets": [0, 8]}}, b"\0" * 8),
        header({"w": {"dtype": "F32", "shape": "ab", "data_offsets": [0, 8]}}, b"\0" * 8),
        header({"w": {"dtype": ["F32"], "shape": [2], "data_offsets": [0, 8]}}, b"\0" * 8),
        header({}, length=2**63),
        header({}, length=1),
        struct.pack("<Q", 4) + b"\xff\xfe\xff\xfe",
        struct.pack("<Q", 200_000) + b"[" * 200_000,
    ],
)
def test_a_header_that_does_not_fit_is_damage(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError):
        read_header(path)


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (slice(0), "is empty"),
        (slice(6), "cut short"),
        (slice(100), "bytes are missing"),
        (slice(-200), "200 bytes are missing"),
    ],
)
def test_a_file_that_was_cut_is_an_error_in_one_line(kept: slice, message: str, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(trained().state_dict(), path)
    path.write_bytes(path.read_bytes()[kept])
    with pytest.raises(WeightsError, match=message) as caught:
        network().module(path)
    assert caught.value.code == "E301"
    assert "\n" not in caught.value.message


@given(st.binary(max_size=200))
def test_any_bytes_are_a_header_or_an_error(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "w.safetensors"
        path.write_bytes(content)
        with suppress(WeightsError):
            assert isinstance(read_header(path), dict)


def test_a_header_tells_shapes_and_types(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    types = [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool]
    state = {f"t{i}": torch.zeros(i, 2, dtype=dtype) for i, dtype in enumerate(types)}
    save_file(state, path, {"format": "pt"})
    found = {key: (value.shape, f"torch.{value.dtype}") for key, value in read_header(path).items()}
    assert found == {key: (tuple(value.shape), str(value.dtype)) for key, value in state.items()}


@pytest.mark.parametrize("is_missing", [True, False])
@pytest.mark.parametrize("form", ["one", "shards", "folder"])
def test_a_report_of_safetensors_needs_neither_torch_nor_safetensors(
    form: str, is_missing: bool, tmp_path: Path
) -> None:
    state = trained().state_dict()
    places = {key: f"part-{place % 2}.safetensors" for place, key in enumerate(state)}
    for name in set(places.values()):
        save_file({key: state[key] for key in state if places[key] == name}, tmp_path / name)
    (tmp_path / "w.index.json").write_text(json.dumps({"weight_map": places}), encoding="utf-8")
    save_file(state, tmp_path / "whole.safetensors")
    path = {"one": tmp_path / "whole.safetensors", "shards": tmp_path / "w.index.json", "folder": tmp_path}[form]
    (tmp_path / "m.arch").write_text(SPEC, encoding="utf-8")
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({['torch', 'safetensors', 'numpy'] * is_missing})); "
        f"import archdsl; print(archdsl.load({str(tmp_path / 'm.arch')!r}).compare_weights({str(path)!r}).fits, "
        "any(sys.modules.get(name) for name in ('torch', 'safetensors', 'numpy')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}
    )
    assert (done.stdout, done.returncode) == ("True False\n", 0), done.stderr
