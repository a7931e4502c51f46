"""`weights --write-keys` puts rules into the user's own spec, whole and as guessed, or leaves it alone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import archdsl
from tests.cli.conftest import TINY, Run
from tests.cli.test_weights import write_zeros

OTHER = "\nmodel small { input [1, 8, 8]; only: conv 2 }\n"
NAMES = {"stem": "net.first", "body.0": "net.blocks.1", "body.1": "net.blocks.2", "fc": "net.head.out"}


def theirs(key: str, names: dict[str, str]) -> str:
    beginning = next((ours for ours in names if key.startswith(f"{ours}.")), None)
    return key if beginning is None else names[beginning] + key.removeprefix(beginning)


def write_renamed(path: Path, spec: Path, names: dict[str, str], **settings: Any) -> None:
    write_zeros(path, tuple((theirs(key, names), tensor) for key, tensor in archdsl.load(spec, **settings).state))


@pytest.fixture
def spec(run: Run, tmp_path: Path) -> Path:
    del run  # which moves to this folder
    path = tmp_path / "tiny.arch"
    path.write_text(TINY, encoding="utf-8")
    write_renamed(tmp_path / "w.safetensors", path, NAMES)
    return path


def test_a_guess_is_a_finding_with_a_cause_of_its_own_and_changes_nothing(run: Run, spec: Path) -> None:
    code, out, err = run("weights", "tiny.arch", "w.safetensors")
    assert code == 1
    lines = out.splitlines()
    assert lines[1] == "guessed       10  most likely another key in the file; not loaded"
    assert "  stem.0 from net.first.0, by shape and place" in lines
    assert err == "guessed renames load only by rules of `keys`, which --write-keys writes\n"
    assert spec.read_text(encoding="utf-8") == TINY


def test_json_has_what_is_guessed_and_the_rules(run: Run, spec: Path) -> None:
    del spec
    code, out, _ = run("weights", "tiny.arch", "w.safetensors", "--format", "json")
    data = json.loads(out)
    assert (code, data["fits"], data["counts"]["guessed"]) == (1, False, 10)
    assert data["guessed"][0] == {
        "key": "stem.0.weight", "shape": [4, 1, 3, 3], "dtype": "float32", "source": "net.first.0.weight",
        "source_shape": [4, 1, 3, 3], "source_dtype": "float32", "reason": "by shape and place",
    }  # fmt: skip
    assert '"fc" = "net.head.out"' in data["rules"]


@pytest.mark.torch
def test_a_guess_is_not_loaded_until_it_is_written(run: Run, spec: Path) -> None:
    from archdsl.weights.load import MisfitError

    with pytest.raises(MisfitError, match="10 new, 10 unused") as caught:
        archdsl.load(spec).module("w.safetensors")
    assert caught.value.help.endswith("`archdsl weights` guesses what is renamed")
    module = archdsl.load(spec).module("w.safetensors", strict=False)
    assert any(bool(value.any()) for value in module.state_dict().values())
    assert run("weights", "tiny.arch", "w.safetensors", "--write-keys").code == 0
    assert not any(bool(value.any()) for value in archdsl.load(spec).module("w.safetensors").state_dict().values())


def test_the_rules_are_put_behind_the_spec_in_the_one_style_and_load_what_was_guessed(run: Run, spec: Path) -> None:
    code, _, err = run("weights", "tiny.arch", "w.safetensors", "--write-keys")
    text = spec.read_text(encoding="utf-8")
    assert (code, err) == (0, "wrote 3 rules as `keys theirs` into tiny.arch\n")
    assert text.startswith(f"{TINY}\nkeys theirs {{\n")
    assert archdsl.format(archdsl.Source(text)) == text
    transfer = archdsl.load(spec).compare_weights("w.safetensors")
    assert (transfer.fits, transfer.origin) == (True, "theirs")
    assert {e.key: e.source for e in transfer.entries} == {
        key: theirs(key, NAMES) for key, _ in archdsl.load(spec).state
    }
    assert not archdsl.load(spec).warnings
    again = run("weights", "tiny.arch", "w.safetensors", "--write-keys")
    assert (again.code, again.err) == (0, "no rename is guessed, and nothing is written\n")
    assert spec.read_text(encoding="utf-8") == text


def test_whose_keys_they_are_can_be_said_and_no_name_map_is_changed(run: Run, spec: Path) -> None:
    run("weights", "tiny.arch", "w.safetensors", "--write-keys", "--from", "lab")
    assert "\nkeys lab {\n" in spec.read_text(encoding="utf-8")
    write_renamed(Path("other.safetensors"), spec, {ours: f"x.{name}_" for ours, name in NAMES.items()})
    run("weights", "tiny.arch", "other.safetensors", "--write-keys", "--from", "lab")
    run("weights", "tiny.arch", "other.safetensors", "--write-keys")
    assert spec.read_text(encoding="utf-8").count("keys lab {") == 1
    assert [key_map.origin for key_map in archdsl.load(spec).key_maps] == ["lab", "theirs"]
    for name in ("w.safetensors", "other.safetensors"):
        assert archdsl.load(spec).compare_weights(name).fits


def test_line_ends_and_a_mark_are_kept(run: Run, spec: Path) -> None:
    spec.write_bytes(b"\xef\xbb\xbf" + TINY.replace("\n", "\r\n").encode())
    assert run("weights", "tiny.arch", "w.safetensors", "--write-keys").code == 0
    content = spec.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfmodel tiny")
    assert content.count(b"\n") == content.count(b"\r\n") == TINY.count("\n") + 6


@pytest.mark.parametrize("name", ["-", "resnet20_cifar"])
def test_a_spec_that_is_no_file_of_the_users_is_left_alone_and_the_rules_are_printed(
    run: Run, spec: Path, name: str
) -> None:
    net = archdsl.load(name) if name != "-" else archdsl.load(spec)
    write_zeros(Path("w.safetensors"), tuple((f"x.{key}", tensor) for key, tensor in net.state if "fc" not in key))
    names = {key.partition(".")[0]: f"x.y{key.partition('.')[0]}" for key, _ in net.state}
    write_zeros(Path("w.safetensors"), tuple((theirs(key, names), tensor) for key, tensor in net.state))
    code, out, err = run("weights", name, "w.safetensors", "--write-keys", stdin=TINY.encode())
    assert code == 1
    assert "\nkeys theirs {\n" in out
    assert f"`{name}` is no file of yours: put these keys into one, `variant NAME of {net.name} {{}}`" in err
    if name != "-":
        block = out.partition("\nkeys theirs")[2]
        Path("own.arch").write_text(f"use resnet_cifar\nvariant own of {net.name} {{}}\nkeys theirs{block}")
        transfer = archdsl.load("own.arch").compare_weights("w.safetensors")
        assert f"guessed {len(transfer.of('renamed')):>8}" in out


def test_nothing_is_written_where_another_model_of_the_file_would_break(run: Run, spec: Path) -> None:
    names = {"a.1": "x.5", "a.2": "x.7", "a.3": "x.8", "fc": "y"}
    text = (
        "model one { input [3, 8, 8]; a.1: conv 4; a.2: conv 5; a.3: conv 6; gap; flatten; fc: fc 3 }\n"
        "model two { input [3, 8, 8]; a.1: conv 4; a.9: conv 5 }\n"
    )
    text = text.replace("a.1:", '"a.1":').replace("a.2:", '"a.2":').replace("a.3:", '"a.3":').replace("a.9:", '"a.9":')
    spec.write_text(text, encoding="utf-8")
    net = archdsl.load(f"{spec}:one")
    write_zeros(Path("w.safetensors"), tuple((theirs(key, names), tensor) for key, tensor in net.state))
    code, _, err = run("weights", "tiny.arch:one", "w.safetensors", "--write-keys")
    assert code == 2
    assert err.startswith("error[E123]: the rules for these keys are not put into `tiny.arch`: ")
    assert spec.read_text(encoding="utf-8") == text


def test_a_file_that_may_not_be_written_is_left_alone(run: Run, spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def access(path: Path, mode: int) -> bool:
        return not (Path(path) == Path(spec.name) and mode == os.W_OK)

    monkeypatch.setattr(os, "access", access)
    code, _, err = run("weights", "tiny.arch", "w.safetensors", "--write-keys")
    assert (code, err) == (2, "error[E332]: `tiny.arch` may not be written\n")
    assert spec.read_text(encoding="utf-8") == TINY


def test_a_head_of_other_classes_is_written_too_and_stays_what_it_is(run: Run, spec: Path) -> None:
    write_renamed(Path("w.safetensors"), spec, NAMES, classes=1000)
    code, _, err = run("weights", "tiny.arch", "w.safetensors", "--write-keys")
    assert (code, err) == (1, "wrote 3 rules as `keys theirs` into tiny.arch\n")
    transfer = archdsl.load(spec).compare_weights("w.safetensors")
    assert len(transfer.of("renamed")) == 8
    assert [(e.key, e.source) for e in transfer.of("new")] == [
        ("fc.weight", "net.head.out.weight"), ("fc.bias", "net.head.out.bias")
    ]  # fmt: skip
