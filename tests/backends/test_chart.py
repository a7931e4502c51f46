from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl import load, load_text
from archdsl.backends.chart import NetworkPoint, Profile, family_of, plot_costs, plot_fields, plot_points, profile
from archdsl.backends.chart.points import Area, place_names
from archdsl.backends.chart.style import binary, si
from archdsl.backends.theme import THEMES

pytest.importorskip("matplotlib")

NAMES = ("resnet50", "mobilenet_v3_large", "googlenet", "unet", "siamese", "densenet121", "vgg16", "efficientnet_b0")
POINTS = (
    NetworkPoint("a1", "a", 1e9, 70),
    NetworkPoint("a2", "a", 2e9, 75),
    NetworkPoint("b1", "b", 1.1e9, 70.2),
    NetworkPoint("c", "c", 5e9, 71),
)


def profile_of(name: str) -> Profile:
    network = load(name)
    return profile(network.name, network.tables)


@pytest.mark.parametrize("name", NAMES)
def test_layers_add_up_to_the_network_and_stages_to_the_layers(name: str) -> None:
    network, found = load(name), profile_of(name)
    for figure in ("macs", "parameters", "activation_bytes"):
        assert sum(getattr(layer, figure) for layer in found.layers) == getattr(network.costs, figure)
    assert [stage.first for stage in found.stages] == [0, *(stage.last for stage in found.stages[:-1])]
    assert found.stages[-1].last == len(found.layers)
    assert all(stage.size > 0 for stage in found.stages)


def test_stages_are_those_of_the_text() -> None:
    assert [stage.name for stage in profile_of("resnet50").stages] == [
        "conv1", "layer1", "layer2", "layer3", "layer4", "fc",
    ]  # fmt: skip
    assert [stage.name for stage in profile_of("mobilenet_v2").stages][:2] == ["features.0–1", "features.2–3"]


def test_a_network_without_weights_is_one_layer() -> None:
    network = load_text("model net { input [3, 8, 8]; relu; maxpool k=3 }")
    (layer,) = profile("net", network.tables).layers
    assert layer.activation_bytes == network.costs.activation_bytes


@pytest.mark.parametrize("theme", list(THEMES))
@pytest.mark.parametrize("draw", [plot_costs, plot_fields])
def test_charts_are_the_same_bytes_each_time(theme: str, draw: object) -> None:
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


positions = st.floats(0, 500)


@given(st.lists(st.tuples(positions, positions), min_size=1, max_size=12, unique=True))
def test_names_stay_inside_and_off_each_other_where_points_are_apart(points: list[tuple[float, float]]) -> None:
    ground = Area(-150, -100, 650, 600)
    sizes = [(40.0, 8.0)] * len(points)
    found = [area for area, _ in place_names(points, sizes, [], ground, 3)]
    assert len(found) == len(points)
    for area, (x, y) in zip(found, points, strict=True):
        assert abs((area.left + area.right) / 2 - x) <= 120
        assert abs((area.bottom + area.top) / 2 - y) <= 80
    apart = all(abs(a - x) > 160 or abs(b - y) > 60 for i, (a, b) in enumerate(points) for x, y in points[:i])
    if apart:
        assert sum(one.overlap(other) for i, one in enumerate(found) for other in found[:i]) == 0


def test_names_of_two_points_in_one_place_do_not_cover_each_other() -> None:
    (one, _), (other, _) = place_names([(100, 100), (102, 100)], [(40, 8)] * 2, [], Area(0, 0, 300, 300), 3)
    assert one.overlap(other) == 0


@pytest.mark.parametrize(
    ("name", "file", "family"),
    [
        ("resnext101_32x8d", "resnet", "resnext"),
        ("shufflenet_v2_x1_0", "shufflenet_v2", "shufflenet_v2"),
        ("efficientnet_v2_s", "efficientnet_v2", "efficientnet_v2"),
        ("convnext_tiny", "convnext", "convnext"),
        ("regnet_y_400mf", "regnet", "regnet_y"),
        ("unet", "unet", "unet"),
    ],
)
def test_a_family_is_a_name_without_its_size(name: str, file: str, family: str) -> None:
    assert family_of(name, file) == family


@given(st.floats(1, 1e14))
def test_amounts_are_short_and_right_to_a_part_in_a_thousand(value: float) -> None:
    text = si(value)
    number, prefix = re.fullmatch(r"([\d.e+]+)([kMGT]?)", text).groups()  # pyright: ignore[reportOptionalMemberAccess]
    assert float(number) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[prefix] == pytest.approx(value, rel=1e-3)
    assert len(text) <= 7
    assert binary(2**20 * 1.5) == "1.5 MiB"
