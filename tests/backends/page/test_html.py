"""What a page is made of, without a browser."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from fractions import Fraction
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archdsl
from archdsl.backends.page import MOST_BYTES, page
from archdsl.backends.page.numbers import Pool
from archdsl.backends.page.settings import scaled
from tests.bundled import ENDS, tiered

HOSTILE = "</script><img src=x onerror='document.title=1'>"


def data_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert found is not None
    return json.loads(found[1])


def bare(name: str) -> str:
    """Write the page of a bundled network without other widths."""
    return page(archdsl.load(name).shapes, name)


def decode(codes: list[Any]) -> list[tuple[int, ...]]:
    """Read the pool's rows as the page does."""
    rows: list[tuple[int, ...]] = []
    for code in codes:
        if isinstance(code, str):
            first, steps = code.split("|")
            values = [int(first)]
            for step in steps:
                values.append(values[-1] + int(step, 36))
            rows.append(tuple(values))
        elif isinstance(code, list):
            rows.append(tuple(code))
        else:
            parts = [rows[index] for index in code["of"]]
            product = [1] * len(parts[0])
            for part in parts:
                product = [one * other for one, other in zip(product, part, strict=True)]
            rows.append(tuple(product))
    return rows


ROWS = st.lists(st.lists(st.integers(1, 400), min_size=4, max_size=4).map(sorted).map(tuple), min_size=1, max_size=3)


@given(
    st.lists(st.tuples(ROWS, st.integers(1, 99), st.lists(st.integers(0, 9**9), min_size=4, max_size=4)), max_size=6)
)
def test_a_pool_gives_back_every_row_that_went_in(cases: list[tuple[list[tuple[int, ...]], int, list[int]]]) -> None:
    pool, expected, coded = Pool(), [], []
    for axes, factor, other in cases:
        product = [factor] * 4
        for axis in axes:
            product = [one * size for one, size in zip(product, axis, strict=True)]
        for row in (tuple(product), tuple(other)):
            expected.append(row)
            coded.append(pool.count(row, [axes]))
        expected += axes
        coded += [pool.axis(axis) for axis in axes]
    rows = decode(pool.codes)
    found = [(c,) * 4 if isinstance(c, int) else tuple(c[0] * value for value in rows[c[1]]) for c in coded]
    assert found == expected


def test_the_policy_allows_the_scripts_and_the_style_of_the_page_and_nothing_else() -> None:
    html = bare("digits")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; ")
    parts = [*re.findall(r"<style>(.*?)</style>", html, re.S), *re.findall(r"<script>(.*?)</script>", html, re.S)]
    hashes = [f"sha256-{b64encode(sha256(part.encode()).digest()).decode()}" for part in parts]
    assert re.findall(r"sha256-[^']*", policy[1]) == hashes
    assert len(parts) == 3


def test_text_of_a_spec_never_becomes_markup() -> None:
    text = f"# {HOSTILE}\nmodel m {{ input [3, 8, 8]; conv 4 }}"
    html = page(archdsl.load_text(text).shapes, HOSTILE)
    assert "<img" not in html
    assert data_of(html)["sources"][0]["text"] == text
    assert data_of(html)["name"] == HOSTILE


def test_a_page_is_the_same_each_time() -> None:
    assert archdsl.load("digits").page() == archdsl.load("digits").page()


def test_a_page_names_no_other_place_to_load_from() -> None:
    html = re.sub(r"<script type=.*?</script>", "", bare("digits"), flags=re.S)
    assert re.findall(r"https?://[^\s\"']*", html) == ["http://www.w3.org/2000/svg"]
    assert "sourceMappingURL" not in html


@pytest.mark.parametrize(
    ("name", "setting", "values"),
    [
        ("digits", "width", ["8", "16", "24", "32", "40", "48", "64"]),
        ("mobilenet_v2", "width", ["0.25", "0.5", "0.75", "1", "1.25", "1.5", "2"]),
        ("googlenet", None, [None]),
    ],
)
def test_the_setting_is_the_one_that_widens_the_network(name: str, setting: str | None, values: list[str]) -> None:
    data = data_of(archdsl.load(name).page())
    assert data["setting"] == setting
    assert [network.get("value") for network in data["networks"]] == values
    assert data["networks"][data["start"]].get("value") == values[len(values) // 2]


def test_a_number_is_scaled_exactly_or_not_at_all() -> None:
    assert scaled(3, Fraction(1, 4)) == "0.75"
    assert scaled(0.1, Fraction(3, 1)) == "0.3"
    assert scaled(1, Fraction(1, 3)) == "1/3"
    assert [scaled(value, Fraction(2)) for value in (True, "64", 0, -1, (), ("a",), (1,) * 9)] == [None] * 7


def test_other_widths_are_taken_up_while_there_is_room() -> None:
    html = archdsl.load("densenet121").page()
    values = [network["value"] for network in data_of(html)["networks"]]
    assert len(html.encode()) <= MOST_BYTES
    assert 2 <= len(values) < 7
    assert "32" in values


@pytest.mark.parametrize("name", tiered(ENDS))
def test_the_pages_of_the_ends_of_every_file_are_small(name: str) -> None:
    # Other widths are left out where they have no room, so that the page without any is the one to look at.
    assert len(page(archdsl.load(name).shapes, name).encode()) <= MOST_BYTES


def test_the_bundled_layout_library_comes_with_its_licence() -> None:
    html = bare("digits")
    assert "Copyright (c) 2012-2014 Chris Pettitt" in html
    assert "THE SOFTWARE IS PROVIDED" in html


def test_frozen_boxes_say_so() -> None:
    data = data_of(archdsl.load("resnet18").frozen("conv1 bn1 layer1").page())
    body = data["bodies"][data["networks"][0]["body"]] if "networks" in data else data["bodies"][-1]
    assert [box["names"][0] for box in body["boxes"] if box.get("frozen")] == ["conv1", "layer1"]
    assert '"frozen"' not in json.dumps(data_of(archdsl.load("resnet18").page())["bodies"])
