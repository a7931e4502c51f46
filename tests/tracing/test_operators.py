"""Operators whose attributes settings give."""

from __future__ import annotations

import pytest

import archdsl
from archdsl import Sweep
from archdsl.text.error import SpecError
from archdsl.text.source import Source


@pytest.mark.parametrize(
    "step",
    ["conv n", "conv 8 k=n", "conv 8 s=n", "conv 6 g=n", "dropout n/9", "upsample n", "scale n", "maxpool k=n s=1"],
)
def test_an_attribute_is_held_to_its_bounds(step: str) -> None:
    text = f"model m(n=1) {{ input [6, 9, 9]; {step} }}"
    sweep = Sweep(Source(text, "m.arch"))
    for number in (1, 2, 9, 0, -1, 3, 2**31, 1.0, 10, 0.5, 200):
        try:
            right = archdsl.load_text(text, n=number).tables.costs.total
        except SpecError:
            with pytest.raises(SpecError):
                sweep(n=number)
        else:
            assert sweep(n=number) == right, number
