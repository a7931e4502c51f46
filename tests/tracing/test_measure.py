"""Shapes and costs of a graph by the passes' own rules."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.ops.shape import Shape
from archdsl.tracing.measure import measure
from archdsl.tracing.recorder import Recorder, Untraceable, plain


def test_costs_are_those_of_the_tables() -> None:
    network = archdsl.load("resnet18")
    outputs, total = measure(network.graph, [Shape(3, 224, 224)])
    assert total == network.tables.costs.total
    assert [tuple(shape) for shape in outputs.values()] == [(1000,)]


def test_costs_of_traced_sizes_are_traced() -> None:
    network = archdsl.load_text("model m { input [3, 8, 8]; conv 4 s=2 }")
    recorder = Recorder([8, 8])
    _, total = measure(network.graph, [Shape(3, recorder.at(0), recorder.at(1))])
    assert plain(total.macs) == network.costs.macs


def test_what_does_not_fit_cannot_be_measured() -> None:
    network = archdsl.load_text("model m { input [3, 8, 8]; conv 4 k=5 p=0 }")
    with pytest.raises(Untraceable):
        measure(network.graph, [Shape(3, 4, 4)])
