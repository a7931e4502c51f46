from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from archdsl import specs
from archdsl.semantics.files import bundled_folder
from tests.cli.conftest import TINY, Run


@pytest.fixture(autouse=True)
def few_specs(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundle two families only: listing all takes seconds."""
    folder = tmp_path_factory.mktemp("specs")
    for name in ("prelude", "resnet"):
        shutil.copy(bundled_folder() / f"{name}.arch", folder)
    shutil.copy(bundled_folder() / "published.json", folder)
    (folder / "tiny.arch").write_text(f"## Tiny ones.\n\n## The | only one.\n{TINY}", encoding="utf-8")
    monkeypatch.setattr(specs, "bundled_folder", lambda: folder)
    return folder


def test_every_bundled_network_is_listed_with_its_figures(run: Run) -> None:
    code, out, err = run("list", "--format", "json")
    assert (code, err) == (0, "")
    found = {entry["name"]: entry for entry in json.loads(out)}
    assert set(found) == {name for name, _ in specs.bundled_models()}
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
    assert len(rows) == len(table) - 2 == len(specs.bundled_models())
    assert all(line.replace("\\|", "").count("|") == 9 for line in table)


def test_a_bundled_spec_with_a_mistake_does_not_hide_the_others(run: Run, few_specs: Path) -> None:
    (few_specs / "broken.arch").write_text("model broken { input [3, 8, 8]; cnv 3 }\n", encoding="utf-8")
    code, out, err = run("list")
    assert code == 1
    assert "resnet50" in out
    assert "E101" in err


def test_published_accuracies_are_listed_with_their_source(run: Run) -> None:
    found = {entry["name"]: entry for entry in json.loads(run("list", "--format", "json").out)}
    assert [(one["top1"], one["weights"]) for one in found["resnet50"]["published"]] == [
        (76.13, "IMAGENET1K_V1"), (80.858, "IMAGENET1K_V2")
    ]  # fmt: skip
    assert found["tiny"]["published"] == []
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(run("list", "--format", "csv").out))}
    assert (rows["resnet50"]["top1"], rows["resnet50"]["source"]) == ("80.858", "torchvision 0.28.0 V2")
    (line,) = (line for line in run("list").out.splitlines() if line.split()[:1] == ["resnet50"])
    assert line.endswith("80.9  torchvision 0.28.0 V2")


def names(out: str) -> list[str]:
    return [row["name"] for row in csv.DictReader(io.StringIO(out))]


def test_a_family_may_be_asked_for(run: Run) -> None:
    assert names(run("list", "--format", "csv", "--family", "tiny").out) == ["tiny"]
    code, _, err = run("list", "--family", "resnt")
    assert code == 2
    assert "the nearest is `resnet`" in err


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("parameters < 1K", ["tiny"]),
        ("macs < 4.1G and top1 > 75", ["resnet50"]),
        ("flops == 2 * macs and family == \"tiny\"", ["tiny"]),
        ("name == \"resnet18\" or field > 970 and macs > 16.4G", [
            "resnet18", "resnext101_32x8d", "wide_resnet101_2",
        ]),
        ("top1 > 0 or true", [
            "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "resnext101_32x8d",
            "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2",
        ]),
        ("false", []),
    ],
)  # fmt: skip
def test_a_condition_chooses_and_does_not_hold_without_its_figures(
    run: Run, condition: str, expected: list[str]
) -> None:
    assert names(run("list", "--format", "csv", "--filter", condition).out) == expected


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("mcs < 1G", "the nearest name is `macs`"),
        ("macs", "a condition is true or false"),
        ("macs <", "is no condition"),
        ("macs < 1G; name", "is no condition"),
        ("__import__(0)", "no function"),
        ("1/0 == 1", "has no value"),
    ],
)
def test_a_bad_condition_is_a_failure_that_says_where(run: Run, condition: str, message: str) -> None:
    code, out, err = run("list", "--filter", condition)
    assert (code, out) == (2, "")
    assert message in err


def test_sizes_sort_upwards_and_accuracies_downwards_with_gaps_at_the_end(run: Run) -> None:
    by = {key: json.loads(run("list", "--format", "json", "--sort", key).out) for key in ("macs", "name", "field")}
    assert [e["macs"] for e in by["macs"]] == sorted(e["macs"] for e in by["macs"])
    assert [e["name"] for e in by["name"]] == sorted(e["name"] for e in by["name"])
    assert [e["receptive_field"] for e in by["field"]] == sorted(e["receptive_field"] for e in by["field"])
    best = names(run("list", "--format", "csv", "--sort", "top1").out)
    assert (best[0], best[-1]) == ("resnext101_64x4d", "tiny")
