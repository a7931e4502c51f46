from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from archdsl import compiler
from archdsl.ir.library import bundled_folder
from tests.cli.conftest import TINY, Run


@pytest.fixture(autouse=True)
def few_specs(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundle two families only: listing all takes seconds."""
    folder = tmp_path_factory.mktemp("specs")
    for name in ("prelude", "resnet"):
        shutil.copy(bundled_folder() / f"{name}.arch", folder)
    (folder / "tiny.arch").write_text(f"## Tiny ones.\n\n## The | only one.\n{TINY}", encoding="utf-8")
    monkeypatch.setattr(compiler, "bundled_folder", lambda: folder)
    return folder


def test_every_bundled_network_is_listed_with_its_figures(run: Run) -> None:
    code, out, err = run("list", "--format", "json")
    assert (code, err) == (0, "")
    found = {entry["name"]: entry for entry in json.loads(out)}
    assert set(found) == {name for name, _ in compiler.bundled_models()}
    resnet = found["resnet50"]
    assert (resnet["parameters"], resnet["macs"], resnet["receptive_field"]) == (25557032, 4089184256, 427)
    assert found["tiny"]["doc"] == "The | only one."


def test_text_groups_by_family_within_the_columns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = run("list").out.splitlines()
    assert lines[lines.index("Tiny ones.") + 1].split()[:2] == ["tiny", "382"]
    assert max(map(len, lines)) <= 60


def test_csv_and_markdown_have_a_row_each(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("list", "--format", "csv").out)))
    table = run("list", "--format", "markdown").out.splitlines()
    assert len(rows) == len(table) - 2 == len(compiler.bundled_models())
    assert all(line.replace("\\|", "").count("|") == 7 for line in table)


def test_a_bundled_spec_with_a_mistake_does_not_hide_the_others(run: Run, few_specs: Path) -> None:
    (few_specs / "broken.arch").write_text("model broken { input [3, 8, 8]; cnv 3 }\n", encoding="utf-8")
    code, out, err = run("list")
    assert code == 1
    assert "resnet50" in out
    assert "E101" in err
