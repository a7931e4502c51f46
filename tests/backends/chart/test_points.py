"""Names at points keep off each other, and a family is what its names share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.backends.chart import family_of
from archdsl.backends.chart.points import Area, place_names

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
