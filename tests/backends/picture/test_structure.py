"""What pictures show stays as it was: boxes, frames and edges, not where they lie or how they are painted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import archdsl
from archdsl.backends.picture.levels import DiagramLevel
from archdsl.backends.picture.picture import Picture
from tests.conftest import ROOT

GOLDEN = ROOT / "tests" / "golden" / "pictures"
LEVELS: tuple[DiagramLevel, ...] = ("stages", "blocks", "layers")


def outline(picture: Picture) -> str:
    """Write a picture's structure, a line for each frame, box and edge."""
    return "\n".join([f"{picture.title}: {picture.subtitle}", *_lines(picture)]) + "\n"


def _lines(picture: Picture) -> Iterator[str]:
    for group in picture.groups:
        yield f"frame {group.id} in {group.parent}: {group.title}{' (detail)' * group.is_detail}"
    for box in picture.boxes:
        yield f"{box.kind} {box.id} in {box.group}: {' | '.join(box.texts)}"
    for edge in picture.edges:
        yield f"{edge.source} -> {edge.target}{' (shortcut)' * edge.is_shortcut} {edge.label}".rstrip()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["resnet50", "googlenet", "mobilenet_v2", "shufflenet_v2_x1_0", "unet"])
def test_what_a_picture_shows_is_as_it_was(name: str, level: DiagramLevel, golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN / f"{name}.{level}.txt", outline(archdsl.load(name).diagram(level).picture))
