from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from typing import Literal

import pytest

from archdsl import Network, load
from archdsl.backends.difference.picture import paint_difference
from archdsl.backends.difference.words import SIGNS
from archdsl.backends.picture.measure import text_width
from archdsl.backends.picture.scene import Rectangle, Scene, Text
from archdsl.backends.theme import THEMES, ThemeName
from archdsl.difference import draw_diff, subject_of
from archdsl.passes.difference import Difference, compare
from archdsl.passes.difference.outline import OutlineEntry, outline

PAIRS = (
    ("resnet50", "resnext50_32x4d"),
    ("resnet18", "resnet50"),
    ("mobilenet_v2", "mobilenet_v3_large"),
    ("resnet1202_cifar", "preresnet1001_cifar"),
    ("unet", "fpn_resnet18"),
    ("vgg16", "vgg16_bn"),
)


def compared(before: Network, after: Network) -> tuple[Difference, tuple[OutlineEntry, ...]]:
    one, other = subject_of(before), subject_of(after)
    found = compare(one, other)
    return found, outline(one, other, found)


def scene_of(before: str, after: str, theme: ThemeName = "light") -> tuple[Difference, Scene]:
    found, entries = compared(load(before), load(after))
    return found, paint_difference(found, entries, THEMES[theme])


def every(entries: Sequence[OutlineEntry]) -> Iterator[OutlineEntry]:
    for entry in entries:
        yield entry
        yield from every(entry.inside)


def test_equal_networks_are_one_closed_row() -> None:
    found, entries = compared(load("resnet50"), load("resnet50"))
    assert not found
    assert all(entry.is_same and not entry.inside for entry in entries)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_the_outline_has_every_change_or_names_a_place_that_differs_in_the_same_way(before: str, after: str) -> None:
    found, entries = compared(load(before), load(after))
    shown = {
        (entry.before.path if entry.before else "", entry.after.path if entry.after else "", kind)
        for entry in every(entries)
        for kind in entry.kinds
    }
    folded = [entry for entry in every(entries) if entry.alike or max(map(len, entry.names)) > 1]
    roots = {step.path.rpartition(".")[0] for e in folded for step in (e.before, e.after) if step is not None}
    opened = {entry.after.path for entry in every(entries) if entry.inside and entry.after is not None}
    assert all(entry.alike in opened for entry in every(entries) if entry.alike)
    for change in found.changes:
        for place in change.places if not change.is_initial and change.kind != "moved" else ():
            key = place.before.path if place.before else "", place.after.path if place.after else "", change.kind
            assert key in shown or any(place.path.startswith(root) for root in roots), key


@pytest.mark.parametrize("theme", list(THEMES))
@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_picture_has_a_sign_for_every_kind_of_change_and_keeps_its_bounds(
    before: str, after: str, theme: ThemeName
) -> None:
    found, scene = scene_of(before, after, theme)
    boxes = [primitive for primitive in scene.primitives if isinstance(primitive, Rectangle)]
    texts = [primitive for primitive in scene.primitives if isinstance(primitive, Text)]
    for box in boxes:
        assert box.rect.left >= 0
        assert box.rect.right <= scene.width
        assert box.rect.bottom <= scene.height
    for text in texts:
        width = text_width(text.text, text.size, is_bold=text.is_bold)
        assert text.at.x - (width if text.anchor == "end" else 0) >= 0
        assert text.at.x + (width if text.anchor == "start" else 0) <= scene.width
    # One of each sign is in the legend.
    signs = [text.text for text in texts if text.anchor == "middle"]
    wanted = {SIGNS[change.kind] for change in found.changes if not change.is_initial}
    assert {sign for sign in signs if signs.count(sign) > 1} >= wanted


def test_a_thousand_layers_fit_a_page() -> None:
    _, scene = scene_of("resnet1202_cifar", "preresnet1001_cifar")
    assert scene.height < 2_500
    assert len(scene.primitives) < 400


@pytest.mark.parametrize(("format", "start"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_every_format_is_written_the_same_each_time(format: Literal["svg", "png", "pdf"], start: bytes) -> None:
    one, other = (draw_diff(load("resnet18"), load("resnet34"), format=format) for _ in range(2))
    assert one.startswith(start)
    assert one == other
    if format == "svg":
        ElementTree.fromstring(one)
