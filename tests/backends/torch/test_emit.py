"""Emitted files are what a careful person would commit: formatted, typed, the same each time, and self-contained."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import archdsl
from tests.backends.torch.cases import DISTINCT, GOLDENS, ruff
from tests.bundled import ENDS, tiered
from tests.conftest import ROOT

GOLDEN = ROOT / "tests" / "golden"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold the files of one network of each family and of the odd ones."""
    folder = tmp_path_factory.mktemp("emitted")
    for name in DISTINCT:
        (folder / f"{name}.py").write_text(archdsl.load(name).source(), encoding="utf-8")
    for name in ("odd", "unet_small"):
        (folder / f"{name}.py").write_text(GOLDENS[name]().source(), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", GOLDENS)
def test_the_code_is_as_it_was(name: str, golden: Callable[[Path, str], None]) -> None:
    # Which digest a file names is another test's business.
    source = re.sub(r"\(digest\s+[0-9a-f]+\)", "(digest 0)", GOLDENS[name]().source())
    golden(GOLDEN / f"{name}.py", source)


def test_ruff_finds_nothing_in_any_file(folder: Path) -> None:
    assert ruff("check", "--isolated", "--no-cache", folder) == ""
    assert ruff("check", "--isolated", "--no-cache", "--select", "F,I,E,W,B,C4,UP,RET,SIM", folder) == ""


def test_ruff_would_format_no_file(folder: Path) -> None:
    assert ruff("format", "--isolated", "--no-cache", "--check", folder) == ""


def test_no_line_is_longer_than_88(folder: Path) -> None:
    long = [
        f"{path.stem}:{number}"
        for path in sorted(folder.glob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 88
    ]
    assert long == []


@pytest.mark.soak
def test_ruff_finds_nothing_in_the_files_of_both_ends_of_each_spec(tmp_path: Path) -> None:
    for name in ENDS:
        (tmp_path / f"{name}.py").write_text(archdsl.load(name).source(), encoding="utf-8")
    assert ruff("check", "--isolated", "--no-cache", tmp_path) == ""
    assert ruff("format", "--isolated", "--no-cache", "--check", tmp_path) == ""


@pytest.mark.torch
def test_type_checkers_find_no_error_with_their_defaults(folder: Path) -> None:
    names = ["resnet18", "googlenet", "densenet121", "regnet_x_400mf", "convnext_tiny", "mobilenet_v3_large", "odd"]
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--level", "error", "--pythonpath", sys.executable]
    settings = folder / "pyrightconfig.json"
    settings.write_text(json.dumps({"typeCheckingMode": "standard", "include": [f"{name}.py" for name in names]}))
    done = subprocess.run([*command, "--project", str(settings)], capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == len(names)
    found = [(Path(item["file"]).name, item["message"]) for item in report["generalDiagnostics"]]
    assert found == []


def test_a_file_imports_torch_and_the_standard_library_alone(folder: Path) -> None:
    for path in sorted(folder.glob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        modules = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        modules |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        assert modules <= {"torch", "torch.nn", "collections", "typing"}, path.name


def test_the_bytes_do_not_depend_on_the_process(folder: Path) -> None:
    code = "import archdsl, json, sys; print(json.dumps({n: archdsl.load(n).source() for n in sys.argv[1:]}))"
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": str(ROOT)}
    names = DISTINCT[::3]
    command = [sys.executable, "-c", code, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert json.loads(done.stdout) == {n: (folder / f"{n}.py").read_text(encoding="utf-8") for n in names}


def test_resnet50_is_short() -> None:
    assert len(archdsl.load("resnet50").source().splitlines()) <= 110


@pytest.mark.parametrize("name", tiered(DISTINCT, DISTINCT[::4], DISTINCT))
def test_the_docstring_says_what_the_file_is(name: str) -> None:
    net = archdsl.load(name)
    text = ast.get_docstring(ast.parse(net.source()))
    assert text is not None
    words = " ".join(text.split())
    assert words.startswith(f"{name}, compiled by archdsl from {net.spec.name} (digest {net.digest}).")
    assert f"{net.costs.parameters:,} parameters; {net.costs.macs:,} multiply-adds" in words
    assert f"({net.costs.flops:,} flops)" in words
    lines = [line.split() for line in text.splitlines()]
    table = lines[lines.index(["step", "output", "parameters", "macs"]) + 1 :]
    if table[-1] != ["..."]:
        assert sum(int(row[-2].replace(",", "")) for row in table) == net.costs.parameters
        assert sum(int(row[-1].replace(",", "")) for row in table) == net.costs.macs


def test_changed_settings_change_the_digest() -> None:
    assert archdsl.load("resnet18").digest != archdsl.load("resnet18", classes=10).digest
