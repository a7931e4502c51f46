from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_text_fits_the_columns_asked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (60, 72, 80, 140):
        monkeypatch.setenv("COLUMNS", str(width))
        code, out, err = run("summary", "resnet50")
        assert (code, err) == (0, "")
        assert max(map(len, out.splitlines())) <= width
        assert "layer1.1–2 ×2" in out
        assert "25,557,032" in out


def test_json_has_the_figures_and_every_operator(run: Run) -> None:
    data = json.loads(run("summary", "resnet50", "--format", "json").out)
    assert (data["parameters"], data["macs"], data["flops"]) == (25557032, 4089184256, 2 * 4089184256)
    assert data["input"] == [3, 224, 224]
    assert data["spec"] == "resnet.arch"
    first = data["nodes"][0]
    assert (first["path"], first["op"], first["output"], first["parameters"]) == ("conv1", "conv", [64, 112, 112], 9408)
    for figure in ("parameters", "buffers", "macs", "elementwise", "activation_bytes"):
        assert sum(node[figure] for node in data["nodes"]) == data[figure]


def test_csv_has_a_row_for_every_operator(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("summary", "resnet18", "--format", "csv").out)))
    assert rows[0]["path"] == "conv1"
    assert sum(int(row["parameters"]) for row in rows) == 11689512


def test_input_and_settings_change_the_network(run: Run) -> None:
    out = run("summary", "resnet18", "--input", "3x64x96", "--set", "classes=7", "--format", "json").out
    data = json.loads(out)
    assert data["input"] == [3, 64, 96]
    assert data["outputs"] == {"output": [7]}


def test_a_model_is_named_by_path_or_option_but_not_two_ways(run: Run) -> None:
    assert json.loads(run("summary", "resnet:resnet34", "--format", "json").out)["model"] == "resnet34"
    assert json.loads(run("summary", "resnet", "-m", "resnet34", "--format", "json").out)["model"] == "resnet34"
    code, _, err = run("summary", "resnet34", "-m", "resnet18")
    assert code == 2
    assert "`resnet34` and `resnet18`" in err


def test_a_path_with_a_model(run: Run, tiny: Path) -> None:
    assert run("summary", f"{tiny}:tiny").code == 0
    code, _, err = run("summary", f"{tiny}:tinny")
    assert code == 1
    assert "the nearest is `tiny`" in err


@pytest.mark.parametrize("shape", ["", "3x", "x3", "3x0x3", "axb", "-1", "3*3"])
def test_what_is_no_shape_is_a_failure(run: Run, shape: str) -> None:
    code, out, err = run("summary", "resnet18", f"--input={shape}")
    assert (code, out) == (2, "")
    assert "is no shape" in err


def test_a_shape_that_does_not_fit_is_a_mistake(run: Run) -> None:
    code, out, err = run("summary", "alexnet", "--input", "3x8x8")
    assert (code, out) == (1, "")
    assert "E211" in err


def test_depth_unfolds_the_table(run: Run) -> None:
    shallow, deep = run("summary", "resnet18", "--depth", "1").out, run("summary", "resnet18", "--depth", "3").out
    assert "layer1.0" not in shallow
    assert "layer1.0–1.conv1" in deep
    assert run("summary", "resnet18", "--depth", "0").code == 2


def test_colour_only_where_asked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = run("summary", "resnet18").out
    assert "\x1b" not in plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1m" in run("summary", "resnet18").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert run("summary", "resnet18").out == plain


def test_an_input_size_of_other_axes_is_told_as_what_it_is(run: Run) -> None:
    code, _, err = run("summary", "resnet18", "--input", "3x224")
    assert code == 1
    assert "error[E212]: the input size given has 2 axes, [3, 224], and the spec's has 3, [3, 224, 224]" in err
    assert "help: give 3 sizes, the channels first" in err


def test_what_is_frozen_is_told_apart(run: Run) -> None:
    code, out, err = run("summary", "resnet18", "--freeze", "* except head", "--depth", "1")
    assert (code, err) == (0, "")
    rows = {line.split()[0]: line for line in out.splitlines() if line}
    assert " all " in rows["layer1"]
    assert " all " not in rows["fc"]
    assert "513,000  parameters that training changes" in rows["trainable"]
    assert "11,176,512" in rows["frozen"]


def test_a_level_that_is_frozen_in_part_says_so(run: Run) -> None:
    out = run("summary", "resnet18", "--freeze", "layer1.0", "--depth", "1").out
    assert " part " in next(line for line in out.splitlines() if line.startswith("layer1"))


def test_other_formats_count_what_is_frozen(run: Run) -> None:
    data = json.loads(run("summary", "resnet18", "--freeze", "*", "--format", "json").out)
    assert data["frozen"] == sum(node["frozen"] for node in data["nodes"]) == data["parameters"]
    table = list(csv.DictReader(io.StringIO(run("summary", "resnet18", "--freeze", "fc", "--format", "csv").out)))
    assert sum(int(row["frozen"]) for row in table) == 513000
    assert "| frozen |" in run("summary", "resnet18", "--freeze", "fc", "--format", "markdown").out


def test_nothing_speaks_of_frozen_parts_where_there_are_none(run: Run) -> None:
    for format in ("text", "json", "csv", "markdown"):
        assert "frozen" not in run("summary", "resnet18", "--format", format).out


@pytest.mark.parametrize("command", ["summary", "check", "draw", "compile"])
def test_a_part_that_is_not_there_is_a_mistake(run: Run, command: str) -> None:
    code, _, err = run(command, "resnet18", "--freeze", "layr1")
    assert code == 1
    assert "error[E132]: no step has the path `layr1`" in err
    assert "the nearest path is `layer1`" in err
