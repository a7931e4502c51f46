"""The page in a real browser: every control, by mouse, keyboard and finger."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

import archdsl
from archdsl.backends.page import page
from archdsl.backends.summary import fold
from tests.backends.page.conftest import Open
from tests.backends.page.test_html import HOSTILE, data_of
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def resnet50() -> str:
    return archdsl.load("resnet50").page()


def leaves(data: dict[str, Any], index: int, path: str, prefixes: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each box by its path on the page, with the prefixes of what it stands for in the written-out network."""
    for box in data["bodies"][index]["boxes"]:
        shown = f"{path}{fold(box['names'])}"
        names: list[str] = box["names"]
        full = [prefix + name for prefix, name in product(prefixes, names)]
        if "body" in box:
            yield shown, full
            yield from leaves(data, box["body"], f"{shown}.", [f"{one}." for one in full])
        elif len(box["ops"]) == 1 or box.get("lifted"):
            yield shown, full
        else:
            yield shown, [prefix + op["name"] for prefix in prefixes for op in box["ops"]]


@pytest.mark.parametrize(
    ("name", "setting", "size"),
    [
        ("resnet50", "32", 160),
        ("mobilenet_v2", "0.5", 97),
        ("convnext_tiny", "[48, 96, 192, 384]", 200),
        ("unet", "32", 188),
        ("googlenet", None, 131),
        ("resnet1202_cifar", "8", 40),
    ],
)
def test_every_number_is_that_of_the_summary(open_page: Open, name: str, setting: str | None, size: int) -> None:
    network = archdsl.load(name)
    html = network.page()
    opened, data = open_page(html), data_of(html)
    legal = data["networks"][data["start"]]["sizes"]
    # The pixel sizes are drawn anew each time from a fixed seed, beside the one named.
    tries = [(size, setting), (random.Random(name).choice(legal), None)]
    for pixels, value in tries:
        at = [other.get("value") for other in data["networks"]].index(value) if value else data["start"]
        if data["setting"]:
            slider = "const s = document.querySelector('#setting'); s.value = at; s.dispatchEvent(new Event('input'))"
            opened.js(f"at => {{ {slider} }}", at)
        opened.page.fill("#size-number", str(pixels))
        opened.page.press("#size-number", "Enter")
        opened.click("#unfold")
        (image,) = network.inputs.values()
        shape = (image.numbers()[0], pixels, pixels)
        changed = {data["setting"]: value} if value else {}
        expected = json.loads(archdsl.load(name, input=shape, **changed).summary("json"))
        compare(opened.boxes(), expected, list(leaves(data, data["networks"][at]["body"], "", [""])))
        assert (
            f"{expected['parameters']:,} parameters, {expected['macs']:,} multiply-adds"
            == opened.page.get_attribute("#totals", "title")
        )


def test_weights_that_two_boxes_share_count_once(open_page: Open) -> None:
    network = archdsl.load("siamese")
    html = network.page()
    opened, data = open_page(html), data_of(html)
    opened.click("#unfold")
    known = list(leaves(data, data["networks"][data["start"]]["body"], "", [""]))
    compare(opened.boxes(), json.loads(network.summary("json")), known)
    assert opened.boxes()["twin_2.conv1"]["parameters"] == "0"
    opened.click('[data-path="twin_2"] .name')
    assert "those of twin" in opened.text("#details")


def compare(boxes: dict[str, dict[str, str]], expected: dict[str, Any], known: list[tuple[str, list[str]]]) -> None:
    assert [path for path, _ in known] == list(boxes)
    for path, prefixes in known:
        nodes = [n for n in expected["nodes"] if any(n["path"] == p or n["path"].startswith(f"{p}.") for p in prefixes)]
        assert nodes, path
        found = boxes[path]
        assert int(found["parameters"]) == sum(node["parameters"] for node in nodes), path
        assert int(found["macs"]) == sum(node["macs"] for node in nodes), path
        assert 4 * int(found["activations"]) == sum(node["activation_bytes"] for node in nodes), path
        assert found["shape"] in {"x".join(map(str, node["output"])) for node in nodes}, path


def test_a_block_folds_and_unfolds_by_mouse_and_keyboard(open_page: Open, resnet50: str) -> None:
    opened = open_page(resnet50)
    assert "layer1.0" not in opened.boxes()
    opened.click('[data-path="layer1"] .header')
    assert {"layer1.0", "layer1.1–2"} <= set(opened.boxes())
    assert opened.page.get_attribute('#boxes [data-path="layer1"]', "aria-expanded") == "true"
    opened.page.focus('#boxes [data-path="layer1.1–2"]')
    opened.page.keyboard.press("Enter")
    assert "layer1.1–2.conv3" in opened.boxes()
    assert opened.js("document.activeElement.dataset.path") == "layer1.1–2"
    opened.page.keyboard.press(" ")
    assert "layer1.1–2.conv3" not in opened.boxes()
    opened.page.keyboard.press("u")
    assert len(opened.boxes()) == 60
    opened.page.keyboard.press("f")
    assert "layer1.0" not in opened.boxes()
    opened.click("#unfold")
    opened.click("#fold")
    assert "layer1.0" not in opened.boxes()


def test_a_click_shows_attributes_shapes_costs_and_the_line(open_page: Open, resnet50: str) -> None:
    opened = open_page(resnet50)
    opened.click('[data-path="conv1"] .name')
    details = opened.text("#details")
    step = "conv1: conv width k=7 s=2"
    lines = (ROOT / "specs" / "resnet.arch").read_text().splitlines()
    [line] = [number for number, line in enumerate(lines, 1) if step in line]
    for fact in (
        "7×7 conv, 64, /2",
        "9,408",
        "118,013,952",
        "3×224×224",
        "64×112×112",
        f"{line} of resnet.arch",
        "BN, ReLU",
    ):
        assert fact in details, fact
    assert step in opened.text("#source .lit")
    opened.page.keyboard.press("Escape")
    assert opened.page.query_selector(".selected") is None
    assert not opened.page.is_visible("#panel")
    opened.click("#about")
    assert "most MACs" in opened.text("#details")
    opened.click("#details .heaviest button >> nth=0")
    assert opened.js("document.querySelector('.selected').dataset.path") == "layer3.1–5.conv2"


def test_search_finds_by_name_operator_and_written_path_and_unfolds_what_hides_it(
    open_page: Open, resnet50: str
) -> None:
    opened = open_page(resnet50)
    opened.page.keyboard.press("/")
    opened.page.keyboard.type("layer3.4.conv2")
    opened.page.keyboard.press("Enter")
    assert opened.js("document.querySelector('.selected').dataset.path") == "layer3.1–5.conv2"
    assert opened.text("#found") == "1 of 1"
    opened.page.fill("#search", "max pool")
    assert opened.text("#found") == "1"
    opened.page.fill("#search", "downsample")
    for path in ("layer1.0.downsample", "layer2.0.downsample"):
        opened.page.keyboard.press("Enter")
        assert opened.js("document.querySelector('.box.selected').dataset.path") == path
    opened.page.keyboard.press("Shift+Enter")
    assert opened.text("#found") == "1 of 4"
    opened.page.fill("#search", "transformer")
    assert opened.text("#found") == "nothing"
    opened.page.keyboard.press("Escape")
    assert opened.page.input_value("#search") == ""


def test_hovering_lights_the_path_of_the_data_and_nothing_beside_it(open_page: Open) -> None:
    text = "model m { input [3, 8, 8]; stem: conv 4; add { left: conv 4; right: conv 4 }; tail: conv 4 }"
    opened = open_page(archdsl.load_text(text).page())
    opened.page.hover('[data-path="left"] .name')
    opened.page.wait_for_selector('#canvas.lighting[data-lit="left"]')
    lit = opened.js("[...document.querySelectorAll('#boxes .lit')].map(b => b.dataset.path)")
    assert lit == ["stem", "left", "add", "tail"]
    assert opened.js("document.querySelectorAll('.wire.lit').length") == 5
    opened.page.mouse.move(5, 300)
    opened.page.wait_for_selector("#canvas:not(.lighting)")


def test_wires_of_a_block_with_several_outputs_leave_it_below_its_boxes(open_page: Open) -> None:
    pyramid = archdsl.load(f"{ROOT / 'tests/data/first_edition/pyramid.arch'}:fpn_resnet50")
    opened = open_page(page(pyramid.shapes, "fpn"))
    assert opened.boxes()["body"]
    dots = opened.js("[...document.querySelectorAll('.port:not(.end)')].map(p => p.getBoundingClientRect().top)")
    last = opened.js("document.querySelector('[data-path=\"body.layer4\"]').getBoundingClientRect().bottom")
    assert [dot > last for dot in dots] == [False, True, True, True, True, True]


def test_a_double_click_unfolds_a_block_anywhere_on_it(open_page: Open, resnet50: str) -> None:
    opened = open_page(resnet50)
    opened.page.dblclick('[data-path="layer2"] .shape')
    assert "layer2.0" in opened.boxes()


def test_the_light_goes_through_open_blocks(open_page: Open, resnet50: str) -> None:
    opened = open_page(resnet50)
    opened.click('[data-path="layer1"] .header')
    opened.click('[data-path="layer1.0"] .header')
    opened.page.keyboard.press("0")
    opened.page.hover('[data-path="layer1.0.downsample"] .name')
    opened.page.wait_for_selector('#canvas.lighting[data-lit="layer1.0.downsample"]')
    lit = set(opened.js("[...document.querySelectorAll('#boxes .lit')].map(b => b.dataset.path)"))
    assert {"conv1", "maxpool", "layer1", "layer1.0", "layer1.0.add", "layer1.1–2", "fc"} <= lit
    assert not {"layer1.0.conv1", "layer1.0.conv3"} & lit


def test_the_view_moves_and_zooms(open_page: Open, resnet50: str) -> None:
    opened = open_page(resnet50)

    def view() -> tuple[float, float, float]:
        return tuple(opened.js("(({a, e, f}) => [a, e, f])(document.getElementById('viewport').getCTM())"))

    scale, x, y = view()
    opened.page.mouse.move(100, 400)
    opened.page.mouse.down()
    opened.page.mouse.move(160, 430, steps=4)
    opened.page.mouse.up()
    assert view() == pytest.approx((scale, x + 60, y + 30))
    assert opened.page.query_selector(".selected") is None
    opened.page.keyboard.press("ArrowLeft")
    opened.page.keyboard.press("ArrowDown")
    assert view() == pytest.approx((scale, x + 120, y - 30))
    opened.page.mouse.wheel(0, -100)
    assert view()[0] > scale
    opened.page.keyboard.press("0")
    assert view() == pytest.approx((scale, x, y))
    for bigger, smaller in (("+", "-"), ("#closer", "#farther")):
        press = opened.click if bigger[0] == "#" else opened.page.keyboard.press
        press(bigger)
        assert view()[0] == pytest.approx(1.25 * scale)
        press(smaller)
        assert view()[0] == pytest.approx(scale)
    opened.page.keyboard.press("+")
    opened.click("#fit")
    assert view() == pytest.approx((scale, x, y))


def test_two_fingers_zoom(open_page: Open, resnet50: str) -> None:
    opened = open_page(resnet50, width=390, height=844, has_touch=True)
    script = """() => {
      const canvas = document.getElementById('canvas'), box = canvas.getBoundingClientRect();
      const send = (type, pointerId, x, y) => canvas.dispatchEvent(
        new PointerEvent(type, {pointerId, clientX: box.left + x, clientY: box.top + y, bubbles: true}));
      canvas.setPointerCapture = canvas.hasPointerCapture = () => {};
      const before = document.getElementById('viewport').getCTM().a;
      send('pointerdown', 1, 100, 100); send('pointerdown', 2, 200, 100);
      send('pointermove', 2, 300, 100);
      send('pointerup', 1, 100, 100); send('pointerup', 2, 300, 100);
      return document.getElementById('viewport').getCTM().a / before;
    }"""
    assert opened.js(script) == pytest.approx(2)


def test_a_size_that_the_network_does_not_take_is_refused_with_the_reason(open_page: Open) -> None:
    opened = open_page(page(archdsl.load("densenet121").shapes, "densenet121"))
    opened.page.fill("#size-number", "20")
    opened.page.press("#size-number", "Enter")
    assert opened.text("#status") == "20: window larger than its input at features.transition3.avgpool"
    assert opened.page.get_attribute("#size-number", "aria-invalid") == "true"
    assert "3×224×224" in opened.text("#details")
    opened.page.fill("#size-number", "9999")
    opened.page.press("#size-number", "Enter")
    assert opened.text("#status") == "whole sizes from 1 to 448 are worked out"
    opened.page.fill("#size-number", "64")
    opened.page.press("#size-number", "Enter")
    assert opened.text("#status") == ""
    assert "3×64×64" in opened.text("#details")
    opened.page.focus("#size")
    opened.page.keyboard.press("ArrowRight")
    assert opened.page.input_value("#size-number") == "65"
    assert opened.page.get_attribute("#size", "aria-valuetext") == "65 × 65 pixels"


def test_the_address_keeps_what_is_shown(open_page: Open, resnet50: str) -> None:
    opened = open_page(resnet50, fragment="#box=layer2.0.conv2&size=160&width=32")
    assert opened.js("document.querySelector('.box.selected').dataset.path") == "layer2.0.conv2"
    assert (opened.page.input_value("#size-number"), opened.text("#setting-value")) == ("160", "32")
    opened.page.keyboard.press("Escape")
    assert "box" not in opened.js("location.hash")
    assert "size=160" in opened.js("location.hash")


def test_colours_tell_kinds_or_costs(open_page: Open, resnet50: str) -> None:
    opened = open_page(resnet50)
    assert "convolution" in opened.text("#legend")

    def fill(path: str) -> str:
        return opened.js("p => getComputedStyle(document.querySelector(`#boxes [data-path=${p}] .face`)).fill", path)

    by_kind = fill("layer3")
    opened.page.select_option("#colour", "macs")
    assert "36% of MACs" in opened.text("#legend")
    by_macs = fill("layer3")
    opened.page.select_option("#colour", "parameters")
    assert len({by_kind, by_macs, fill("layer3")}) == 3
    assert "most parameters" in opened.text("#details")
    opened.page.select_option("#colour", "activations")
    assert "of activations" in opened.text("#legend")
    opened.page.select_option("#colour", "kind")
    assert fill("layer3") == by_kind


def test_the_theme_follows_the_system_and_the_switch(open_page: Open, resnet50: str) -> None:
    opened = open_page(resnet50, color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = opened.js(ground)
    opened.click("#theme")
    light = opened.js(ground)
    assert dark != light == "rgb(255, 255, 255)"
    opened.page.keyboard.press("t")
    assert opened.js(ground) == dark


def test_help_opens_by_key_and_button(open_page: Open, resnet50: str) -> None:
    opened = open_page(resnet50)
    opened.page.keyboard.press("?")
    assert opened.page.is_visible("#help")
    opened.page.keyboard.press("Escape")
    assert not opened.page.is_visible("#help")
    opened.click("#help-button")
    opened.click("#close-help")
    assert not opened.page.is_visible("#help")


def test_tab_goes_through_the_boxes_in_the_order_of_the_data(open_page: Open, resnet50: str) -> None:
    opened = open_page(resnet50)
    opened.page.focus('[data-path="conv1"]')
    seen: list[str] = []
    for _ in range(4):
        opened.page.keyboard.press("Tab")
        seen.append(opened.js("document.activeElement.dataset.path"))
    assert seen == ["maxpool", "layer1", "layer2", "layer3"]
    label = opened.page.get_attribute('#boxes [data-path="conv1"]', "aria-label")
    assert label == (
        "conv1: 7×7 conv, 64, /2, BN, ReLU; output 64×112×112; 9,536 parameters; 118,013,952 multiply-adds"
    )


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "unet"])
def test_a_phone_shows_it_all_without_scrolling_sideways(open_page: Open, name: str) -> None:
    opened = open_page(archdsl.load(name).page(), width=390, height=844, has_touch=True, is_mobile=True)
    assert opened.js("document.documentElement.scrollWidth") == 390
    assert not opened.page.is_visible("#panel")
    opened.page.tap("#boxes .box .name >> nth=0")
    assert opened.page.is_visible("#panel")
    assert opened.js("document.documentElement.scrollWidth") == 390
    assert opened.js("document.getElementById('canvas').getBoundingClientRect().height") > 150
    opened.page.tap("#close")
    assert not opened.page.is_visible("#panel")


def test_on_a_phone_the_box_that_is_tapped_stays_in_sight(open_page: Open, resnet50: str) -> None:
    opened = open_page(resnet50, width=390, height=844, has_touch=True, is_mobile=True)
    opened.page.tap('[data-path="layer4"] .line >> nth=0')
    box = opened.js("document.querySelector('#boxes [data-path=layer4]').getBoundingClientRect().toJSON()")
    panel = opened.js("document.querySelector('#panel').getBoundingClientRect().toJSON()")
    assert box["bottom"] < panel["top"]


def test_hostile_text_does_not_run(open_page: Open) -> None:
    block = "block twice(t) { conv 4; add { conv 4; pass } }"
    text = f'## {HOSTILE}\n# {HOSTILE}\n{block}\nmodel m {{ input [3, 8, 8]; it: twice "{HOSTILE}" }}'
    shapes = archdsl.load_text(text).shapes
    opened = open_page(page(shapes, HOSTILE), fragment=f"#box={HOSTILE}")
    opened.page.fill("#search", HOSTILE)
    opened.page.keyboard.press("Enter")
    opened.click('[data-path="it"] .line >> nth=1')
    assert HOSTILE in opened.text("#details")
    assert HOSTILE in opened.text("#source")
    assert opened.js("document.title") == HOSTILE
    assert opened.page.query_selector("img") is None


def test_the_policy_stops_what_would_get_in_all_the_same(open_page: Open) -> None:
    html = page(archdsl.load("digits").shapes, "digits")
    inserted = (
        """<script>document.title = 'run'</script><button id="trap" onclick="document.title = 'run'">x</button>"""
    )
    opened = open_page(html.replace("<header>", f"<header>{inserted}"))
    opened.click("#trap")
    assert opened.js("document.title") == "digits"
    assert len([text for text in opened.complaints if "Content Security Policy" in text]) == 2
    opened.complaints.clear()


def test_two_inputs_and_training_outputs_are_drawn(open_page: Open) -> None:
    opened = open_page(page(archdsl.load("siamese").shapes, "siamese"))
    assert opened.js("document.querySelectorAll('.port.end').length") == 3
    opened = open_page(page(archdsl.load("googlenet").shapes, "googlenet"))
    assert "in training" in opened.js("document.getElementById('wires').textContent")


def test_on_paper_the_whole_drawing_is_shown_without_the_controls(open_page: Open, resnet50: str) -> None:
    opened = open_page(resnet50)
    opened.page.emulate_media(media="print")
    opened.js("dispatchEvent(new Event('beforeprint'))")
    assert not opened.page.is_visible(".corner")
    assert not opened.page.is_visible("#panel")
    assert opened.js("document.getElementById('canvas').getAttribute('viewBox')").startswith("-10 -10 ")
    opened.js("dispatchEvent(new Event('afterprint'))")
    assert opened.js("document.getElementById('canvas').getAttribute('viewBox')") is None


def test_a_network_of_a_thousand_layers_stays_quick(open_page: Open) -> None:
    opened = open_page(page(archdsl.load("resnet1202_cifar").shapes, "resnet1202_cifar"))
    timed = "const t = performance.now(); document.querySelector('#unfold').click(); return performance.now() - t;"
    took = opened.js(f"() => {{ {timed} }}")
    assert len(opened.boxes()) > 20
    assert took < 1000
