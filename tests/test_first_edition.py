"""Whatever the language learns: specs of its first edition compile to the networks they always compiled to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import archdsl
from tests.first_edition import EXAMPLES, RECORD, files, networks_of, record_of

RECORDED: dict[str, dict[str, object]] = json.loads(RECORD.read_text(encoding="utf-8"))


def recorded_of(path: Path) -> dict[str, dict[str, object]]:
    head = "example " if path == EXAMPLES else f"{path.name}:"
    return {name: record for name, record in RECORDED.items() if name.startswith(head)}


@pytest.mark.parametrize(
    "path", [path for path in [*files(), EXAMPLES] if recorded_of(path)], ids=lambda path: path.stem
)
def test_a_spec_of_the_first_edition_compiles_to_the_same_network(path: Path) -> None:
    expected = recorded_of(path)
    assert {name: record_of(network) for name, network in networks_of(path) if name in expected} == expected


def test_every_recorded_network_belongs_to_a_file() -> None:
    assert {name for path in [*files(), EXAMPLES] for name in recorded_of(path)} == RECORDED.keys()


@pytest.mark.parametrize(
    "steps",
    [
        "b: conv 8; a: norm; act",
        "a: conv 8; b: norm; relu6",
        "a: conv 8; b: norm eps=0.01; act",
        "a: conv 8; b: norm; pass",
        "a: conv 8; b: norm; act; @b",
        "a: conv 8; b: norm; output other; act",
        "a: conv 8 s=2; b: norm; act",
        "{ a: conv 8; b: norm; act }",
    ],
)
def test_what_makes_another_network_changes_its_digest(steps: str) -> None:
    def digest(steps: str) -> object:
        return record_of(archdsl.load_text(f"model m {{ input [3, 8, 8]; {steps} }}"))["digest"]

    assert digest(steps) != digest("a: conv 8; b: norm; act")
    assert digest("a: conv 8 k=3; b: norm; act;") == digest("a: conv 8; b: norm; act")
