"""A difference for programs and for reviews."""

from __future__ import annotations

import json

import pytest

from archdsl import load
from archdsl.backends.difference import write_markdown, write_record
from archdsl.difference import diff

PAIRS = (("resnet50", "resnext50_32x4d"), ("mobilenet_v2", "mobilenet_v3_large"), ("resnet50", "preresnet50"))


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
