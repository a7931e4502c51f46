"""The table of measures: each word can be asked for as its example says."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.ir.measures import MEASURES

REST = "model resnet_cifar(8); recipe small(lr=choose {0.1, 0.2}); data digits"


@pytest.mark.parametrize("name", MEASURES)
def test_an_example_of_a_measure_is_one(name: str) -> None:
    kind = MEASURES[name]
    assert kind.example.startswith(name)
    assert archdsl.check_text(f"experiment e {{ {REST}; measure {kind.example} }}") == ()
    assert format(1234.5, kind.format)
    assert kind.doc.endswith(".")


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_with_a_value_too_many_is_refused(name: str) -> None:
    inner = MEASURES[name].example.partition("(")[2].rstrip(")")
    written = f"{name}({inner}, 1)" if inner else f"{name}(1)"
    (found,) = archdsl.check_text(f"experiment e {{ {REST}; measure {written} }}")
    assert (found.code, found.span.text) == ("E107", "1")
