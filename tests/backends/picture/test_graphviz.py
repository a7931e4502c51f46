"""Pictures that Graphviz lays out."""

from __future__ import annotations

import os
import shutil
import xml.etree.ElementTree as ET
from typing import Literal

import pytest

import archdsl
from archdsl.backends.picture import Diagram, DrawError


@pytest.fixture
def picture() -> Diagram:
    return archdsl.load("resnet18").diagram("stages")


@pytest.fixture
def dot() -> None:
    """Skip where there is no `dot`; on CI it is part of the setup."""
    if shutil.which("dot") is None:
        message = "no `dot` on the path; `apt-get install graphviz` brings it"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.mark.usefixtures("dot")
@pytest.mark.parametrize(("format", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_dot_draws_each_format(picture: Diagram, format: Literal["svg", "png", "pdf"], start: bytes) -> None:
    assert picture.draw(format, engine="dot").startswith(start)


@pytest.mark.usefixtures("dot")
@pytest.mark.parametrize("level", ["stages", "blocks", "layers"])
def test_dot_draws_every_box(level: Literal["stages", "blocks", "layers"]) -> None:
    drawn = archdsl.load("resnet18").diagram(level)
    tree = ET.fromstring(drawn.draw("svg", engine="dot"))
    nodes = [part for part in tree.iter("{http://www.w3.org/2000/svg}g") if part.get("class") == "node"]
    assert len(nodes) == len(drawn.picture.boxes)


def test_without_dot_the_failure_says_what_to_install(picture: Diagram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DrawError, match="`dot` is not installed; install Graphviz"):
        picture.draw("svg", engine="dot")


def test_dot_lays_out_only_formats_with_places(picture: Diagram) -> None:
    with pytest.raises(DrawError, match="Graphviz lays out svg, png, pdf"):
        picture.draw("mermaid", engine="dot")


def test_dot_has_no_colours_for_costs() -> None:
    with pytest.raises(DrawError, match="Graphviz has no colours for costs"):
        archdsl.load("resnet18").diagram(cost="macs").draw("svg", engine="dot")
