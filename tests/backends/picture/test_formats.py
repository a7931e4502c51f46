"""What pictures are written as: whatever a spec says, a file is well formed and shows it as text."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archdsl
from archdsl.backends.picture import Diagram, DrawError, font
from archdsl.backends.picture.dot import write_dot
from archdsl.backends.picture.mermaid import escape as escape_mermaid
from archdsl.backends.picture.picture import Box, BoxGroup, Edge, Picture
from archdsl.backends.picture.png import write_png
from archdsl.backends.picture.tikz import escape as escape_tikz
from archdsl.backends.theme import LIGHT, THEMES
from archdsl.passes.costs import Total

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    '"><script>alert(1)</script>', r"\input{/etc/passwd}", "$x$ 50% & #1 ~^_", "'`\"", "‮evil", "\x00\x1b[31m\ud800",
    "]]>--><!--", 'end\n"]', "#60;b#62;", "`**x**`", "漢字 Ж é", "{}" * 5, "-" * 4,
]  # fmt: skip


def picture_of(text: str) -> Picture:
    boxes = (
        Box("n0", "input", (text,), shape=text),
        Box("n1", "conv", (text,), "g0", (text,), name=text, shape=text, costs=Total(parameters=3, macs=5)),
        Box("n2", "join", (text or "x",), "g0"),
        Box("n3", "join", ("+",)),
        Box("n4", "output", ("output",)),
    )
    edges = (
        Edge("n0", "n1", text), Edge("n1", "n2"), Edge("n2", "n3", text), Edge("n0", "n3", is_shortcut=True),
        Edge("n3", "n4"),
    )  # fmt: skip
    return Picture(text, text, "down", boxes, edges, (BoxGroup("g0", text),), Total(parameters=10, macs=10))


def streams(data: bytes) -> list[bytes]:
    return [zlib.decompress(found) for found in re.findall(rb"stream\n(.*?)\nendstream", data, re.S)]


@pytest.mark.parametrize("text", HOSTILE)
def test_svg_shows_any_text_as_text(text: str) -> None:
    root = ElementTree.fromstring(Diagram(picture_of(text)).svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "rect", "g", "path", "circle", "text",
    }  # fmt: skip
    shown = "".join(c if c == "\n" or c.isprintable() else "\ufffd" for c in text)
    assert shown in [element.text for element in root.iter(f"{SVG}text")]


@given(st.text())
def test_tikz_runs_nothing_that_a_label_says(text: str) -> None:
    escaped = escape_tikz(text)
    commands = set(re.findall(r"\\([a-z]+)", escaped))
    assert commands <= {
        "textbackslash", "textasciicircum", "textasciitilde", "textless", "textgreater", "textbar", "textquotedbl",
        "textquotesingle", "textasciigrave", "times", "cdot", "textendash", "textemdash", "dots", "to", "infty",
    }  # fmt: skip
    plain = re.sub(r"\\[a-z]+|\\[{}$&#%_]", "", escaped)
    assert not set(plain) & set("\\%#&_^~\n")
    assert plain.count("{") == plain.count("}")
    assert plain.count("$") % 2 == 0


@given(st.text())
def test_a_mermaid_label_ends_where_its_quotes_do(text: str) -> None:
    escaped = escape_mermaid(text)
    assert not set(re.sub(r"#\d+;", "", escaped)) & set('"<>#;&`[]{}|\n\\')
    restored = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), escaped)
    assert restored == "".join(c if c.isprintable() else "\ufffd" for c in text)


@pytest.mark.parametrize("text", HOSTILE)
def test_dot_keeps_any_text_within_its_quotes(text: str) -> None:
    source = write_dot(picture_of(text), LIGHT)
    assert source.count(" -> ") >= 5
    assert "\x00" not in source


@pytest.mark.parametrize("text", HOSTILE)
def test_tikz_and_mermaid_hold_every_box_and_edge(text: str) -> None:
    drawn = Diagram(picture_of(text))
    tikz, mermaid = drawn.tikz, drawn.mermaid
    assert tikz.count("\\begin{") == tikz.count("\\end{") == 2
    assert "\\input" not in tikz
    assert all(line.endswith(("{", "}", ";", "]")) for line in tikz.splitlines() if line.startswith("\\"))
    lines = mermaid.splitlines()
    assert lines[0] == "flowchart TB"
    assert sum(" --> " in line or " -->|" in line for line in lines) == 5
    assert sum(line.strip().startswith(f"n{index}") and ":::" in line for line in lines for index in range(5)) == 5
    assert "<script" not in mermaid


def test_mermaid_nests_the_groups() -> None:
    text = archdsl.load("resnet18").diagram("layers").mermaid
    lines = [line.strip() for line in text.splitlines()]
    picture = archdsl.load("resnet18").diagram("layers").picture
    assert sum(line.startswith("subgraph ") for line in lines) == lines.count("end") == len(picture.groups)
    assert text.count("-->") == len(picture.edges)


@pytest.mark.parametrize("text", ["resnet", *HOSTILE])
def test_a_pdf_is_whole_and_its_text_can_be_copied(text: str) -> None:
    data = Diagram(picture_of(text)).draw("pdf")
    (start,) = struct.unpack(">I", int(data.split(b"startxref\n")[1].split()[0]).to_bytes(4, "big"))
    assert data[start : start + 4] == b"xref"
    offsets = [int(row[:10]) for row in data[start:].split(b"\n")[3:] if row.endswith(b" n ")]
    for number, offset in enumerate(offsets, 1):
        assert data[offset:].startswith(b"%d 0 obj\n" % number)
    content, *others = streams(data)
    assert content.count(b" Tj ET") == content.count(b"BT ") > 5
    assert any(font.load().data == other for other in others)
    if text == "resnet":
        glyphs = "".join(f"{font.load().glyph(c):04x}" for c in text)
        assert f"<{glyphs}> Tj".encode() in content
        meanings = b"".join(other for other in others if b"beginbfchar" in other)
        assert b"<%04x> <%04x>" % (font.load().glyph("r"), ord("r")) in meanings


def test_text_is_in_the_image_where_the_system_has_no_fonts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import resvg_py

    real = resvg_py.svg_to_bytes
    scene = archdsl.load("resnet18").diagram("stages").scene
    monkeypatch.setattr(resvg_py, "svg_to_bytes", lambda **given: real(**given, skip_system_fonts=True))
    with_text = write_png(scene)
    monkeypatch.setattr(font, "FOLDER", tmp_path)
    monkeypatch.setattr("archdsl.backends.picture.png.FOLDER", tmp_path)
    assert len(with_text) > 1.5 * len(write_png(scene))


def test_a_missing_library_is_named_with_what_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    drawn = archdsl.load("resnet18").diagram("stages")
    with pytest.raises(DrawError, match="pip install resvg-py"):
        drawn.draw("png")
    assert drawn.draw("pdf").startswith(b"%PDF")


def test_the_font_has_the_widths_of_arial() -> None:
    widths = {character: round(1000 * font.load().width(character)) for character in "AWi 0×"}
    assert widths == {"A": 667, "W": 944, "i": 222, " ": 278, "0": 556, "×": 584}
    assert round(1000 * font.load(is_bold=True).width("A")) == 722
    assert font.load().width("漢") == 1


def test_a_notebook_shows_a_network_and_a_diagram_without_scripts() -> None:
    network = archdsl.load("resnet18")
    shown = network._repr_mimebundle_()
    assert shown["image/svg+xml"] == network.diagram().svg == network._repr_svg_()
    assert shown["text/plain"] == network.summary()
    assert "<script" not in shown["image/svg+xml"]
    assert " id=" not in shown["image/svg+xml"]  # several pictures in one page must not disturb each other
    assert network.diagram()._repr_mimebundle_()["text/plain"] == "Diagram('resnet18', 24 boxes)"


def test_cost_colours_the_bottleneck_darkest() -> None:
    drawn = archdsl.load("vgg16").diagram("stages", cost="parameters")
    assert drawn.svg.count(drawn.look.heat(1.0)) >= 2  # the box, and the end of the scale
    fc = next(box for box in drawn.picture.boxes if "4096-d fc" in " ".join(box.lines))
    assert "90% of the network's parameters" in drawn.svg or fc.costs is not None
    with pytest.raises(ValueError, match="cost is macs, parameters, activations"):
        archdsl.load("vgg16").diagram(cost="flops")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="theme is light, dark, print"):
        archdsl.load("vgg16").diagram(theme="neon")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "unet", "densenet121"])
def test_shares_add_up_to_the_whole(name: str) -> None:
    network = archdsl.load(name)
    for level in ("stages", "blocks", "layers"):
        boxes = network.diagram(level).picture.boxes
        costs = [box.costs for box in boxes if box.costs is not None]
        assert sum(cost.macs for cost in costs) == network.costs.macs
        assert sum(cost.parameters for cost in costs) == network.costs.parameters
        assert sum(cost.activations for cost in costs) == network.costs.total.activations


def test_dot_has_the_colours_of_the_theme() -> None:
    network = archdsl.load_text("model m { input [3, 8, 8]; conv 4 }")
    for theme in THEMES.values():
        assert f'fillcolor="{theme.fills["conv"]}"' in write_dot(network.diagram().picture, theme)
    assert network.diagram(theme="dark").dot == write_dot(network.diagram().picture, THEMES["dark"])


@pytest.mark.parametrize("format", ["dot", "mermaid"])
def test_a_format_without_colours_for_costs_says_so(format: Literal["dot", "mermaid"]) -> None:
    network = archdsl.load_text("model m { input [3, 8, 8]; conv 4 }")
    with pytest.raises(DrawError, match="no colours for costs"):
        network.diagram(cost="macs").draw(format)
