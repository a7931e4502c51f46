"""A group norm that does not divide says what would."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.text.diagnostic import Diagnostic
from archdsl.text.error import SpecError


def refused(spec: str, *, norm: str) -> Diagnostic:
    with pytest.raises(SpecError) as caught:
        archdsl.load(spec, norm=norm)
    (found,) = caught.value.diagnostics
    assert found.code == "E214"
    return found


def test_the_largest_number_that_divides_every_width_is_advised() -> None:
    found = refused("mobilenet_v2", norm="group(32)")
    assert found.help == "use `group(8)`"
    assert any("16 at `features.1.conv.2`" in note for note in found.notes)
    assert any(note.endswith(": 1, 2, 4, 8") for note in found.notes)
    assert archdsl.load("mobilenet_v2", norm="group(8)").costs.parameters


@pytest.mark.parametrize(("spec", "groups", "advised"), [("resnet18", 48, 32), ("densenet121", 64, 32)])
def test_advice_stays_below_what_was_asked_for_and_holds(spec: str, groups: int, advised: int) -> None:
    assert refused(spec, norm=f"group({groups})").help == f"use `group({advised})`"
    archdsl.load(spec, norm=f"group({advised})")


def test_a_default_of_the_file_gets_the_same_advice() -> None:
    text = "defaults { norm=group(5) }\nmodel net { input [3, 8, 8]; cna 12; cna 8; cna 15 }"
    (found,) = (d for d in archdsl.check_text(text) if d.severity == "error")
    assert found.help == "use `group(1)`"


def test_a_norm_that_is_written_out_is_told_of_its_own_channels() -> None:
    (found,) = (d for d in archdsl.check_text("model net { input [3, 8, 8]; conv 12; group 5 }") if d.code == "E214")
    assert "12" in found.help
