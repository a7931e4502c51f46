from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

import archdsl
from archdsl.passes.state import State
from tests.cli.conftest import TINY, Run

WIDTHS = {"float32": ("F32", 4), "int64": ("I64", 8)}


def write_zeros(path: Path, state: State, prefix: str = "") -> None:
    """Write a safetensors file by hand, since this command needs no library for one."""
    header: dict[str, object] = {}
    end = 0
    for key, tensor in state:
        dtype, width = WIDTHS[tensor.dtype]
        start, end = end, end + tensor.elements * width
        header[f"{prefix}{key}"] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(end))


@pytest.fixture
def file(run: Run, tmp_path: Path) -> Path:
    del run  # which moves to this folder
    (tmp_path / "tiny.arch").write_text(TINY, encoding="utf-8")
    path = tmp_path / "w.safetensors"
    write_zeros(path, archdsl.load(tmp_path / "tiny.arch").state)
    return path


def test_weights_that_fit_are_success(run: Run, file: Path) -> None:
    code, out, err = run("weights", "tiny.arch", str(file))
    assert (code, err) == (0, "")
    assert out.splitlines() == [f"tiny from {file}", "matched       10  same key and shape"]


def test_a_class_more_is_a_finding(run: Run, file: Path) -> None:
    code, out, err = run("weights", "tiny.arch", str(file), "--set", "classes=11")
    assert (code, err) == (1, "")
    assert (
        "  fc: weight [11, 4] (11 classes here, 10 in the file), bias [11] (11 classes here, 10 in the file)"
        in out.splitlines()
    )


def test_what_the_spec_says_of_its_own_file_holds(run: Run, file: Path) -> None:
    with (file.parent / "tiny.arch").open("a", encoding="utf-8") as spec:
        spec.write('variant own of tiny { weights "w.safetensors" except head }')
    code, out, _ = run("weights", "tiny.arch", str(file), "-m", "own")
    assert (code, out.splitlines()[2]) == (0, "excepted       2  drawn anew, as is asked")
    code, out, _ = run("weights", "tiny.arch", str(file), "-m", "own", "--new", "*")
    assert (code, out.splitlines()[1]) == (0, "excepted      10  drawn anew, as is asked")
    code, _, err = run("weights", "tiny.arch", str(file), "--new", "nothing")
    assert (code, "no step has the path `nothing`" in err) == (1, True)


def test_json_lists_every_key(run: Run, file: Path) -> None:
    code, out, _ = run("weights", "tiny.arch", str(file), "--format", "json", "--set", "classes=11")
    data = json.loads(out)
    assert code == 1
    assert (data["network"], data["file"], data["fits"], data["origin"]) == ("tiny", str(file), False, None)
    assert (len(data["matched"]), [e["key"] for e in data["new"]]) == (8, ["fc.weight", "fc.bias"])
    assert data["new"][0]["source_shape"] == [10, 4]
    assert sum(data["counts"].values()) == 10


def test_prefixes_count_as_renamed(run: Run, file: Path) -> None:
    write_zeros(file, archdsl.load("tiny.arch").state, "module.")
    code, out, _ = run("weights", "tiny.arch", str(file))
    assert code == 0
    assert "renamed       10" in out


def test_an_origin_chooses_the_map(run: Run, file: Path) -> None:
    mapped = archdsl.load("mobilenet_v3_small")
    (timm,) = mapped.key_maps
    write_zeros(file, tuple((timm.rename(key) or key, tensor) for key, tensor in mapped.state))
    for options in ((), ("--from", "timm")):
        code, out, _ = run("weights", "mobilenet_v3_small", str(file), *options)
        assert code == 0
        assert "by the name map `timm`" in out


def test_an_origin_without_a_map_and_a_file_that_is_none_are_failures_with_a_code(run: Run, file: Path) -> None:
    code, out, _ = run("weights", "tiny.arch", str(file), "--from", "timm")
    assert code == 0
    assert out.endswith("note: the spec has no name map for `timm`, and needs none: the keys are the same\n")
    write_zeros(file, archdsl.load("tiny.arch").state[:3], "backbone.x-")
    code, out, err = run("weights", "tiny.arch", str(file), "--from", "timm")
    assert (code, out) == (2, "")
    assert err.startswith("error[E301]: the spec has no name map for `timm`, and by equal keys 10 new, 3 unused")
    file.write_bytes(b"nothing")
    code, out, err = run("weights", "tiny.arch", str(file))
    assert (code, out) == (2, "")
    assert "is no safetensors file, or it is cut short" in err
    assert run("explain", "E301").code == 0


def test_a_spec_with_mistakes_is_a_finding_of_its_own(run: Run, file: Path) -> None:
    code, out, err = run("weights", "tiny.arch", str(file), "--set", "clases=3")
    assert (code, out) == (1, "")
    assert "E102" in err
