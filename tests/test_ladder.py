"""The picture of accuracy against multiply-adds has every network, and is the same in every run."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.torch  # matplotlib comes with the extra for training


def test_the_ladder_has_every_network_once_and_equal_bytes_each_time() -> None:
    import matplotlib as mpl

    from docs import make_ladder

    points = list(make_ladder.points())
    families = [[p.name for p in points if re.fullmatch(f.names, p.name)] for f in make_ladder.FAMILIES]
    assert sorted(name for names in families for name in names) == sorted(p.name for p in points)
    assert all(families)
    assert ("resnet50", 4089184256, 76.13) in [(p.name, p.macs, p.top1) for p in points]
    with mpl.rc_context(make_ladder.STYLE):
        drawn = [make_ladder.to_svg(make_ladder.draw(points)) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert "Date" not in re.sub(r"<style.*?</style>", "", drawn[0], flags=re.S)
    shown = make_ladder.PICTURE.read_text(encoding="utf-8")
    for family in make_ladder.FAMILIES:
        assert f">{family.title}<" in drawn[0]
        assert f">{family.title}<" in shown, "run `python docs/make_ladder.py`"
