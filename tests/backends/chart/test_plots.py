"""Charts are written in every format, and as the same bytes each time."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from archdsl import load
from archdsl.backends.chart import NetworkPoint, Profile, plot_costs, plot_fields, plot_points, profile
from archdsl.backends.theme import THEMES, ThemeName

pytest.importorskip("matplotlib")

POINTS = (
    NetworkPoint("a1", "a", 1e9, 70),
    NetworkPoint("a2", "a", 2e9, 75),
    NetworkPoint("b1", "b", 1.1e9, 70.2),
    NetworkPoint("c", "c", 5e9, 71),
)


def profile_of(name: str) -> Profile:
    network = load(name)
    return profile(network.name, network.tables)


@pytest.mark.parametrize("theme", list(THEMES))
@pytest.mark.parametrize("draw", [plot_costs, plot_fields])
def test_charts_are_the_same_bytes_each_time(theme: ThemeName, draw: object) -> None:
    assert draw in (plot_costs, plot_fields)
    for names in (("resnet18",), ("resnet18", "vgg16", "efficientnet_b0")):
        profiles = [profile_of(name) for name in names]
        one, other = (draw(profiles, THEMES[theme], "svg") for _ in range(2))  # pyright: ignore[reportCallIssue]
        assert one == other
        assert b"<dc:date>" not in one
        ElementTree.fromstring(one)


@pytest.mark.parametrize(("format", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_every_format_is_written(format: str, start: bytes) -> None:
    chart = plot_points(POINTS, ("x", "y"), THEMES["light"], format, is_log=(True, False))
    assert chart.startswith(start)
    assert plot_points(POINTS, ("x", "y"), THEMES["light"], format, is_log=(True, False)) == chart


def test_a_thousand_layers_are_drawn() -> None:
    chart = plot_costs([profile_of("resnet1202_cifar")], THEMES["light"], "svg")
    assert len(chart) < 400_000
