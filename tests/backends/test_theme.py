"""Themes: everyone can read the text and tell the kinds apart."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest

from archdsl.backends.theme import KIND_NAMES, THEMES, Theme, contrast, mix, rgb

Lab = tuple[float, float, float]

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
BLINDNESS = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
}


def seen(colour: str, blindness: str) -> Lab:
    """Return a colour in CIELAB as somebody sees it."""
    linear = [c / 12.92 if (c := value / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for value in rgb(colour)]
    red, green, blue = (
        sum(a * b for a, b in zip(row, linear, strict=True)) for row in BLINDNESS[blindness]
    )  # fmt: skip
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    fx, fy, fz = (max(v, 0) ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def apart(one: str, other: str, blindness: str) -> float:
    pairs = zip(seen(one, blindness), seen(other, blindness), strict=True)
    return sum((a - b) ** 2 for a, b in pairs) ** 0.5


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_text_reads_well_on_every_ground(theme: Theme) -> None:
    grounds = {theme.background, theme.frame, *theme.fills.values()}
    assert min(contrast(theme.ink, ground) for ground in grounds) >= 7
    assert min(contrast(theme.muted, ground) for ground in grounds) >= 4.5
    heats = [theme.heat(step / 50) for step in range(51)]
    assert min(contrast(theme.ink_on(heat), heat) for heat in heats) >= 4.5


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_lines_stand_out_from_the_ground(theme: Theme) -> None:
    lines = {*theme.lines.values(), theme.edge, theme.shortcut}
    assert min(contrast(line, ground) for line in lines for ground in (theme.background, theme.frame)) >= 3
    assert min(contrast(bar, theme.background) for bar in theme.bars) >= 3


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_kinds_differ_for_colour_blind_readers_too(theme: Theme, blindness: str) -> None:
    """By the colours together, or by how the line is drawn."""
    for one, other in combinations(KIND_NAMES, 2):
        fills = apart(theme.fills[one], theme.fills[other], blindness)
        lines = apart(theme.lines[one], theme.lines[other], blindness)
        drawn = [(theme.dashes.get(kind, ""), theme.widths.get(kind, 1)) for kind in (one, other)]
        is_plain = {one, other} == {"norm", "regularise"}  # small marks of one family
        assert is_plain or drawn[0] != drawn[1] or fills + lines > 10, (one, other, fills, lines)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_the_scale_of_cost_goes_one_way_for_everyone(theme: Theme) -> None:
    for blindness in BLINDNESS:
        light = [seen(theme.heat(step / 20), blindness)[0] for step in range(21)]
        steps = [after - before for before, after in pairwise(light)]
        assert all(step > 0.3 for step in steps) or all(step < -0.3 for step in steps)


def test_themes_name_every_kind() -> None:
    for theme in THEMES.values():
        assert set(theme.fills) == set(theme.lines) == {*KIND_NAMES, "input", "output", "join"}
        assert set(theme.dashes) | set(theme.widths) <= set(theme.fills)


def test_a_mix_stays_within_its_scale() -> None:
    assert mix(("#102030", "#ffffff"), -3) == "#102030"
    assert mix(("#102030", "#ffffff"), 3) == "#ffffff"
