"""Diagrams: what is in the picture, at which level, and that nothing in a spec can break it."""

from __future__ import annotations

import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

import archdsl
from archdsl.backends.picture import SUFFIXES, Diagram, DrawError, diagram
from archdsl.backends.picture.dot import write_dot
from archdsl.backends.picture.picture import Box, Edge, Picture, mark_shortcuts
from archdsl.backends.picture.scene import Rectangle
from archdsl.backends.theme import LIGHT
from archdsl.backends.words import amount

SVG = "{http://www.w3.org/2000/svg}"

UNET = """
block two(c) { conv c; norm; act; conv c; norm; act }
model unet(c=16) {
  input [3, 64, 64]
  down1: two c
  maxpool 2
  down2: two 2*c
  maxpool 2
  middle: two 4*c
  up2: deconv 2*c
  concat { pass; @down2 }
  dec2: two 2*c
  up1: deconv c
  concat { pass; @down1 }
  dec1: two c
}
"""

EXCITED = """
block unit(c, stride s=1) {
  residual { conv1: cna c s=s; se: se c//4; last: conv c k=1; bn: norm } shortcut { conv c k=1 s=s; norm }
}
model m { input [3, 32, 32]; stem: conv 16; unit 16 x 3; unit 32 s=2; unit 32 x 2; gap; flatten; fc: fc 10 }
"""

TWO = """
model m {
  image: input [3, 16, 16]
  conv 8; norm; act
  a: gap
  depth: input [1, 16, 16]
  convd: conv 8
  b: gap
  output aux training { flatten; fc 3 }
  concat { @a; @b }
  flatten
  fc: fc 5
}
"""


def texts(picture: Picture) -> list[str]:
    return ["\n".join(box.texts) for box in picture.boxes]


def find(picture: Picture, text: str) -> list[Box]:
    return [box for box in picture.boxes if text in "\n".join(box.texts)]


def load(text: str) -> archdsl.Network:
    return archdsl.load_text(text, name="spec.arch")


ALL = {
    "resnet18": lambda: archdsl.load("resnet18"),
    "resnet50": lambda: archdsl.load("resnet50"),
    "unet": lambda: load(UNET),
    "excited": lambda: load(EXCITED),
    "two": lambda: load(TWO),
}


def test_stages_give_a_box_to_each_top_level_step() -> None:
    picture = archdsl.load("resnet50").diagram("stages").picture
    assert len(picture.boxes) == 10
    assert picture.direction == "right"
    shown = texts(picture)
    assert shown[1] == "conv1\n7×7 conv, 64, /2\nBN, ReLU\n64×112×112"
    assert "layer3\n6 × bottleneck\n1024×14×14" in shown
    assert [(e.source, e.target) for e in picture.edges] == [(f"n{i}", f"n{i + 1}") for i in range(9)]


def test_blocks_fold_repeats_and_show_each_kind_of_block_once() -> None:
    picture = archdsl.load("resnet50").diagram("blocks").picture
    details = [group.title for group in picture.groups if group.is_detail]
    assert details == ["bottleneck A: c = 64, 128, 256, 512; s = 1, 2", "bottleneck B: c = 64, 128, 256, 512"]
    assert [box.lines[0] for box in picture.boxes if box.kind == "block"] == [
        "bottleneck A", "2 × bottleneck B", "bottleneck A", "3 × bottleneck B",
        "bottleneck A", "5 × bottleneck B", "bottleneck A", "2 × bottleneck B",
    ]  # fmt: skip
    assert [box.texts for box in find(picture, "downsample")] == [("downsample", "1×1 conv, 4·c, /s", "BN")]
    assert len(picture.boxes) <= 40


@pytest.mark.parametrize("name", ALL)
def test_layers_draw_every_operator_once(name: str) -> None:
    network = ALL[name]()
    picture = network.diagram("layers").picture
    drawn = sorted(path for box in picture.boxes for path in box.paths)
    assert drawn == sorted(network.flatten().nodes)


@pytest.mark.parametrize("level", ["stages", "blocks", "layers"])
@pytest.mark.parametrize("name", ALL)
def test_every_edge_joins_boxes_and_every_box_but_the_inputs_has_one(name: str, level: str) -> None:
    picture = ALL[name]().diagram(level).picture  # pyright: ignore[reportArgumentType]
    order = {box.id: index for index, box in enumerate(picture.boxes)}
    assert all(order[edge.source] < order[edge.target] for edge in picture.edges)
    fed = {edge.target for edge in picture.edges}
    assert {box.id for box in picture.boxes if box.kind != "input"} == fed
    groups = {group.id for group in picture.groups}
    assert {box.group for box in picture.boxes} - {None} <= groups


def test_identity_shortcuts_are_marked_and_projections_are_not() -> None:
    picture = archdsl.load("resnet18").diagram("layers").picture
    joins = {box.id for box in picture.boxes if box.lines == ("+",)}
    assert len(joins) == 8
    shortcuts = [edge for edge in picture.edges if edge.is_shortcut]
    assert len(shortcuts) == 5
    assert {edge.target for edge in shortcuts} < joins


def test_skips_of_a_unet_reach_its_concats() -> None:
    picture = load(UNET).diagram("stages").picture
    names = {box.id: box.texts[0] for box in picture.boxes}
    skips = [(names[edge.source], names[edge.target]) for edge in picture.edges if edge.is_shortcut]
    assert skips == [("down2", "concat"), ("down1", "concat")]


def test_a_block_inside_a_block_is_shown_once_by_itself() -> None:
    picture = load(EXCITED).diagram("blocks").picture
    titles = [group.title for group in picture.groups if group.is_detail]
    assert [title.partition(":")[0] for title in titles] == ["unit A", "se", "unit B"]
    assert [box.lines for box in picture.boxes if box.lines == ("×",)] == [("×",)]
    assert "fc2\n1×1 conv, 4·r\nsigmoid" in texts(picture)


def test_shapes_stand_where_they_change() -> None:
    picture = archdsl.load("resnet18").diagram("layers").picture
    labels = [edge.label for edge in picture.edges if edge.label]
    assert labels[:3] == ["64×112×112", "64×56×56", "128×28×28"]
    assert labels[-2:] == ["512", "1000"]


def test_inputs_and_outputs_have_boxes_of_their_own() -> None:
    picture = load(TWO).diagram("blocks").picture
    assert [box.texts for box in picture.boxes if box.kind == "input"] == [("image", "3×16×16"), ("depth", "1×16×16")]
    assert [box.lines for box in picture.boxes if box.kind == "output"] == [("output",), ("aux", "in training")]


def test_shared_weights_are_told() -> None:
    picture = load("model m { input [8, 4, 4]; a: conv 8; reuse a; act }").diagram("layers").picture
    assert len(find(picture, "weights of a")) == 1


def test_an_edge_is_a_shortcut_only_past_another_path() -> None:
    boxes = [Box(name, "conv", (name,)) for name in "abcd"]
    edges = [Edge("a", "b"), Edge("a", "c"), Edge("b", "d"), Edge("c", "d"), Edge("a", "d")]
    assert [edge.is_shortcut for edge in mark_shortcuts(boxes, edges)] == [False, False, False, False, True]


def test_a_long_network_is_drawn_from_its_repeats() -> None:
    block = "block b(c) { residual { conv c; norm; act; conv c; norm }; act }"
    picture = load(block + "\nmodel m { input [8, 8, 8]\n b 8 x 500 }").diagram("blocks").picture
    assert [box.lines[0] for box in picture.boxes if box.kind == "block"] == ["500 × b"]


def test_a_thousand_different_layers_take_less_than_two_seconds() -> None:
    network = load(f"model m {{ input [3, 8, 8]; {'; '.join(f'conv {8 + index % 7}' for index in range(1000))} }}")
    start = time.process_time()
    drawn = network.diagram("blocks")
    assert len(drawn.picture.boxes) == 1002
    assert drawn.dot.count(" -> ") == 1001
    assert time.process_time() - start < 2
    assert drawn.svg.count("<rect") > 1000


def test_any_text_is_shown_as_it_is() -> None:
    nasty = '<b>"x"</b> &lt; \\ \\G é漢 \x00 \ud800 ]]>'
    boxes = (Box("n0", "conv", (nasty,)), Box("n1", "join", ("+",)))
    picture = Picture(nasty, "", "down", boxes, (Edge("n0", "n1", nasty),), ())
    root = ElementTree.fromstring(Diagram(picture).svg)
    shown = [text.text for text in root.iter(f"{SVG}text")]
    assert shown.count('<b>"x"</b> &lt; \\ \\G é漢 \ufffd \ufffd ]]>') == 3


def test_the_same_network_gives_the_same_text() -> None:
    one, other = (archdsl.load("resnet50") for _ in range(2))
    for level in ("stages", "blocks", "layers"):
        assert one.diagram(level).dot == other.diagram(level).dot == write_dot(one.diagram(level).picture, LIGHT)


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<svg "), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_render_writes_what_the_suffix_names(tmp_path: Path, suffix: str, start: bytes) -> None:
    path = archdsl.load("resnet18").diagram("stages").render(tmp_path / f"net.{suffix}")
    assert path.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_needs_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    drawn = archdsl.load("resnet18").diagram("stages")
    for suffix in SUFFIXES:
        assert drawn.render(tmp_path / f"net{suffix}").stat().st_size > 1000


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.dot"
    path.write_text("old")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        archdsl.load("resnet18").diagram("stages").render(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_unknown_suffixes_and_levels_are_refused(tmp_path: Path) -> None:
    network = archdsl.load("resnet18")
    with pytest.raises(DrawError, match=r"not as `net\.gif`"):
        network.diagram("stages").render(tmp_path / "net.gif")
    with pytest.raises(ValueError, match="not 'all'"):
        diagram(network.tables, "all", "x")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (999, "999"), (1000, "1k"), (999_499, "999k"), (999_999, "1M"), (25_557_032, "25.6M")]
)
def test_amounts_have_three_figures(count: int, text: str) -> None:
    assert amount(count) == text


def test_a_call_that_is_named_as_its_block_says_so_once() -> None:
    drawn = archdsl.load_text(EXCITED).diagram("blocks")
    boxes = [box for box in drawn.picture.boxes if box.name == "se"]
    assert boxes
    assert all("se" not in box.lines for box in boxes)
    assert drawn.dot.startswith("digraph")


def test_a_value_that_a_block_takes_is_drawn_as_an_argument() -> None:
    text = """
block cell(value before, c) { concat { pass; { @before; conv c k=1 } }; conv c }
model m { input [3, 16, 16]; a: conv 4; conv 4; cell @a 4 x 2; conv 8 s=2; upsample like=@a; conv 2 }
"""
    network = archdsl.load_text(text)
    for level in ("stages", "blocks"):
        picture = network.diagram(level).picture
        texts = {box.id: box.texts for box in picture.boxes}
        told = [
            (texts[edge.source][0], texts[edge.target][0], edge.argument) for edge in picture.edges if edge.argument
        ]
        assert told == [("a", "2 × cell", "before"), ("a", "upsample like, nearest", "like")]
    details = [box.lines for box in picture.boxes if box.kind == "input" and box.group is not None]
    assert details == [("x",), ("before",)]
    assert "before" in network.diagram("stages").mermaid
    assert "before" in network.diagram("stages").dot
    assert ">before<" in network.diagram("stages").svg
    layers = network.diagram("layers").picture
    assert {edge.argument for edge in layers.edges} == {"", "like"}


def test_what_is_frozen_is_grey_with_a_lock_and_nothing_else_is() -> None:
    network = archdsl.load("resnet18").frozen("conv1 bn1 layer1 layer2.0")
    picture = network.diagram("blocks").picture
    frozen = {path for box in picture.boxes if box.is_frozen for path in box.paths}
    assert frozen == {"conv1", "bn1", "act", "layer1", "layer2.0"}
    boxes = [one for one in network.diagram("blocks").scene.primitives if isinstance(one, Rectangle) and one.note]
    grey = [one for one in boxes if one.fill == LIGHT.frozen]
    assert [one for one in boxes if one.note.endswith("frozen")] == grey
    assert len(grey) == 3
    svg = network.diagram("blocks").svg
    assert ">frozen<" in svg
    assert "(frozen)" in network.diagram().dot
    assert ":::frozen" in network.diagram().mermaid


def test_frozen_steps_and_others_share_no_box() -> None:
    picture = archdsl.load("resnet18").frozen("layer1.0").diagram("blocks").picture
    assert [box.is_frozen for box in picture.boxes if box.paths and box.paths[0].startswith("layer1")] == [True, False]


def test_the_inside_of_a_block_is_marked_where_it_is_frozen_in_every_call() -> None:
    def locked(what: str) -> int:
        picture = archdsl.load("resnet18").frozen(what).diagram("blocks").picture
        return sum(box.is_frozen for box in picture.boxes if not box.paths)

    assert locked("layer1") == 0
    assert locked("layer1 layer2 layer3 layer4") > 0


def test_a_picture_without_frozen_parts_says_nothing_of_them() -> None:
    drawn = archdsl.load("resnet18").diagram()
    assert "frozen" not in drawn.svg + drawn.dot + drawn.mermaid
