"""Files of weights: reading them safely, and modules that have them."""

from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

import archdsl
from archdsl.weights.error import WeightsError
from archdsl.weights.file import read_header
from archdsl.weights.load import MisfitError
from tests.conftest import ROOT

pytestmark = pytest.mark.torch

SPEC = """
keys other { "conv1" = "stem" }
model m(classes=5) { input [3, 8, 8]; conv1: conv 4; bn1: norm; act; gap; flatten; fc: fc classes }
"""


def network(classes: int = 5) -> archdsl.Network:
    return archdsl.load_text(SPEC, classes=classes)


def trained() -> nn.Module:
    torch.manual_seed(3)
    module = network().module()
    module(torch.randn(4, 3, 8, 8))  # running statistics that differ from initial ones
    return module


def same(one: nn.Module, state: dict[str, torch.Tensor]) -> bool:
    mine = one.state_dict()
    return mine.keys() == state.keys() and all(torch.equal(mine[key], state[key]) for key in state)


def save_old(state: object, path: Path) -> None:
    torch.save(state, path, _use_new_zipfile_serialization=False)


Save = Callable[[dict[str, torch.Tensor], Path], None]
SAVES: dict[str, Save] = {
    "w.safetensors": save_file,
    "w.pth": torch.save,
    "old.pt": save_old,
    "without_a_suffix": save_file,
}


@pytest.mark.parametrize("name", SAVES)
def test_what_was_saved_is_loaded_to_the_bit(name: str, tmp_path: Path) -> None:
    state = trained().state_dict()
    SAVES[name](state, tmp_path / name)
    module = network().module(tmp_path / name)
    assert same(module, state)
    assert module.training
    assert all(p.requires_grad for p in module.parameters())
    assert network().compare_weights(str(tmp_path / name)).fits


def test_a_loaded_module_owns_its_weights() -> None:
    source = trained().state_dict()
    module = network().module(source)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    assert source["fc.weight"].abs().sum() > 0


def test_no_initial_values_are_drawn_where_the_file_has_all() -> None:
    state = trained().state_dict()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    network().module(state)
    assert torch.equal(torch.get_rng_state(), before)
    network().module({k: v for k, v in state.items() if k != "fc.bias"}, strict=False)
    assert not torch.equal(torch.get_rng_state(), before)


def test_what_fits_is_loaded_where_asked_for_and_the_rest_is_drawn() -> None:
    state = trained().state_dict()
    torch.manual_seed(0)
    fresh = network(7).module().state_dict()
    torch.manual_seed(0)
    module = network(7).module(state, strict=False)
    expected = {key: fresh[key] if key.startswith("fc") else state[key] for key in fresh}
    assert same(module, expected)


def test_what_does_not_fit_raises_one_error_with_the_report() -> None:
    state = trained().state_dict() | {"extra": torch.zeros(2)}
    del state["bn1.weight"]
    with pytest.raises(MisfitError) as caught:
        network(7).module(state)
    error = caught.value
    assert error.code == "E302"
    assert [e.key for e in error.transfer.of("different")] == ["fc.weight", "fc.bias"]
    assert "1 new, 2 different, 1 unused" in error.message
    assert "fc: weight [7, 4], in the file [5, 4]" in str(error)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_numbers_are_converted_to_the_networks_type(dtype: torch.dtype) -> None:
    state = {k: v.to(dtype) if v.is_floating_point() else v for k, v in trained().state_dict().items()}
    module = network().module(state)
    assert {p.dtype for p in module.parameters()} == {torch.float32}
    assert same(module, {k: v.float() if v.is_floating_point() else v for k, v in state.items()})


def test_renamed_reshaped_and_prefixed_weights_are_loaded() -> None:
    state = trained().state_dict()
    file = {f"module.{k.replace('conv1', 'stem')}": v for k, v in state.items()}
    file["module.fc.weight"] = file["module.fc.weight"][:, :, None, None]
    assert same(network().module(file, origin="other"), state)


def test_strides_in_memory_do_not_matter() -> None:
    state = trained().state_dict()
    state["conv1.weight"] = state["conv1.weight"].to(memory_format=torch.channels_last)
    state["fc.weight"] = state["fc.weight"].t().contiguous().t()
    module = network().module(state)
    assert same(module, state)
    assert all(p.is_contiguous() for p in module.parameters())


def test_counts_of_batches_that_a_file_lacks_are_0() -> None:
    state = trained().state_dict()
    count = state.pop("bn1.num_batches_tracked")
    assert count == 1
    assert network().module(state).state_dict()["bn1.num_batches_tracked"] == 0


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: {"epoch": 3, "state_dict": state},
        lambda state: {"best_accuracy": torch.tensor(76.1), "state_dict": state},
        lambda state: {"model": state, "optimizer": {"lr": 0.1}, "model_ema": {"x": torch.zeros(1)}},
        lambda state: {"model": {"state_dict": state}},
        lambda state: {"model_ema": state},
    ],
)
def test_weights_are_found_inside_a_training_checkpoint(
    wrapped: Callable[[dict[str, torch.Tensor]], object], tmp_path: Path
) -> None:
    state = trained().state_dict()
    torch.save(wrapped(state), tmp_path / "w.pth")
    assert same(network().module(tmp_path / "w.pth"), state)
    assert network().compare_weights(tmp_path / "w.pth").notes[0].startswith("the weights are those under `")


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def cut(save: Save, path: Path) -> None:
    save(trained().state_dict(), path)
    path.write_bytes(path.read_bytes()[:-200])


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch pwned",)


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing.pth": (lambda path: None, "no such file"),
    "folder.pth": (lambda path: path.mkdir(), "is a directory"),
    "empty.pth": (lambda path: write(path, b""), "damaged"),
    "empty.safetensors": (lambda path: write(path, b""), "cut short"),
    "noise.pth": (lambda path: write(path, b"<!DOCTYPE html><html></html>"), "damaged|else than tensors"),
    "noise.safetensors": (lambda path: write(path, b"<!DOCTYPE html><html></html>"), "cut short"),
    "cut.safetensors": (lambda path: cut(save_file, path), "damaged"),
    "cut.pth": (lambda path: cut(torch.save, path), "damaged"),
    "cut_old.pth": (lambda path: cut(save_old, path), "damaged"),
    "module.pth": (lambda path: torch.save(nn.Linear(2, 2), path), "torch.nn.modules.linear.Linear"),
    "arguments.pth": (lambda path: torch.save({"args": Namespace(lr=1), "model": {}}, path), "argparse.Namespace"),
    "evil.pth": (lambda path: torch.save({"w": Evil()}, path), "posix.system"),
    "evil_plain.pkl": (lambda path: write(path, pickle.dumps(Evil())), "else than tensors|posix.system|damaged"),
    "list.pth": (lambda path: torch.save([torch.zeros(2)], path), "holds a list"),
    "tensor.pth": (lambda path: torch.save(torch.zeros(2), path), "holds a Tensor"),
    "numbers.pth": (lambda path: torch.save({"epoch": 3}, path), "a dict of `epoch`"),
    "nothing.pth": (lambda path: torch.save({}, path), "an empty dict"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used_is_an_error_in_one_line_and_runs_no_code(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make, message = BAD[name]
    make(tmp_path / name)
    with pytest.raises(WeightsError, match=message) as caught:
        network().module(tmp_path / name)
    assert caught.value.code == "E301"
    assert "\n" not in caught.value.message
    assert not (tmp_path / "pwned").exists()


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


def test_a_report_of_safetensors_needs_neither_torch_nor_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(trained().state_dict(), path)
    (tmp_path / "m.arch").write_text(SPEC, encoding="utf-8")
    program = (
        "import sys; sys.modules.update(torch=None, safetensors=None, numpy=None); import archdsl; "
        f"print(archdsl.load({str(tmp_path / 'm.arch')!r}).compare_weights({str(path)!r}).fits)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}
    )
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr


def test_an_origin_that_no_map_has_is_an_error() -> None:
    with pytest.raises(WeightsError, match="no name map for `timm`"):
        network().module(trained().state_dict(), origin="timm")


def test_things_that_are_no_tensors_are_left_over() -> None:
    state: dict[str, object] = {**trained().state_dict(), "_extra_state": {"a": 1}}
    (unused,) = network().compare_weights(state).of("unused")  # pyright: ignore[reportArgumentType] -- on purpose
    assert (unused.source, unused.source_shape, unused.source_dtype) == ("_extra_state", None, "dict")
