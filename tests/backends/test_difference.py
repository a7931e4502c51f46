from __future__ import annotations

import json

import pytest

from archdsl import load
from archdsl.backends.difference import write_markdown, write_record, write_text
from archdsl.backends.difference.words import fold_paths
from archdsl.difference import diff

PAIRS = (("resnet50", "resnext50_32x4d"), ("mobilenet_v2", "mobilenet_v3_large"), ("resnet50", "preresnet50"))


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_the_text_fits_the_columns_and_has_every_change(pair: tuple[str, str], width: int) -> None:
    found = diff(*pair)
    lines = write_text(found, width).splitlines()
    assert max(map(len, lines)) <= width
    told = [line for line in lines if line[:2] in ("+ ", "− ", "~ ", "> ")]
    assert len(told) == sum(not change.is_initial for change in found.changes)


def test_colour_changes_nothing_but_colour() -> None:
    found = diff("resnet18", "resnet34")
    plain, coloured = write_text(found), write_text(found, color=True)
    assert "\x1b[32m+" in coloured
    assert "\x1b" not in plain
    for code in ("\x1b[1m", "\x1b[2m", "\x1b[0m", "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[36m"):
        coloured = coloured.replace(code, "")
    assert coloured == plain


def test_equal_networks_are_said_to_be_the_same() -> None:
    assert "the two are the same network" in write_text(diff("resnet18", "resnet18"))
    assert "the same network" in write_markdown(diff("resnet18", "resnet18"))
    assert json.loads(write_record(diff("resnet18", "resnet18")))["same"] is True


@pytest.mark.parametrize("pair", PAIRS)
def test_json_has_every_place_and_adds_up(pair: tuple[str, str]) -> None:
    found = diff(*pair)
    data = json.loads(write_record(found))
    assert [len(change["places"]) for change in data["changes"]] == [len(c.places) for c in found.changes]
    for figure in ("parameters", "macs"):
        assert sum(c[figure] for c in data["changes"]) + data["follows"][figure] == data["totals"][figure]["change"]
    assert data["totals"]["parameters"]["before"] == load(pair[0]).costs.parameters


def test_markdown_is_a_list_and_a_table_without_broken_rows() -> None:
    lines = write_markdown(diff("resnet18", "resnet50")).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    assert sum(line.startswith("- `") for line in lines) > 5


def test_paths_that_differ_in_a_number_are_told_as_one() -> None:
    assert fold_paths(["a.0.x", "a.1.x", "a.2.x", "b.0.x", "b.1.x"]) == ["a.0–2.x", "b.0–1.x"]
    assert fold_paths(["a.0", "a.2", "a.3"]) == ["a.0", "a.2–3"]
    assert fold_paths(["layer1.0.c", "layer1.1.c", "layer2.0.c", "layer2.1.c"]) == ["layer1–2.0–1.c"]
    assert fold_paths(["a9", "a10"]) == ["a9–10"]
    assert fold_paths([]) == []
    assert fold_paths(["a", "b"]) == ["a", "b"]
