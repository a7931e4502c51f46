"""A difference for the terminal: in the columns that there are, with every change."""

from __future__ import annotations

import json

import pytest

import archdsl
from archdsl.backends.difference import write_markdown, write_record, write_text
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


def test_what_got_frozen_is_told() -> None:
    before = archdsl.load("resnet18")
    found = diff(before, before.frozen("* except head"))
    assert found
    assert not found.changes
    assert not found.follows.places
    assert 'frozen: nothing → "*" except "fc"' in write_text(found)
    assert 'frozen: nothing → "*" except "fc"' in write_markdown(found)
    record = json.loads(write_record(found))
    assert record["frozen"] == {"before": [], "after": ['"*" except "fc"']}
    assert record["totals"]["trainable"] == {
        "before": 11689512,
        "after": 513000,
        "change": -11176512,
        "ratio": 513000 / 11689512,
    }
    other = diff(before.frozen("layer1"), before.frozen("layer1 layer2"))
    assert 'frozen: "layer1" → "layer1" "layer2"' in write_text(other)
    assert not diff(before.frozen("*"), before.frozen("*"))
