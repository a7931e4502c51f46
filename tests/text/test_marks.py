"""Files bear a mark by which archdsl knows them again, and sees what was edited since."""

from __future__ import annotations

import ast
import zlib
from functools import cache
from pathlib import Path
from typing import Literal, get_args
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl import load
from archdsl.backends.chart import FORMATS as CHARTS
from archdsl.backends.picture.drawing import FORMATS, Format
from archdsl.text.marks import has_mark, is_own, marked

NETWORK = load("digits")
MARKED = ("py", "html", "markdown", *FORMATS)


@cache
def content(format: str) -> bytes:
    match format:
        case "py":
            return NETWORK.source().encode()
        case "html":
            return NETWORK.page().encode()
        case "markdown":
            return NETWORK.summary("markdown").encode()
        case _:
            drawn: Format = next(one for one in FORMATS if one == format)
            return NETWORK.diagram().draw(drawn)


@pytest.mark.parametrize("format", MARKED)
def test_what_is_marked_is_known_again_until_a_byte_is_edited(format: str) -> None:
    plain = content(format)
    whole = marked(plain, format)
    assert not has_mark(plain)
    assert is_own(whole)
    assert len(whole) < len(plain) + 100
    for at in range(0, len(whole), max(1, len(whole) // 12)):
        assert not is_own(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]), at
    assert not is_own(whole + b"\n")
    assert not is_own(whole + whole)
    assert marked(plain, format) == whole


@pytest.mark.parametrize("format", ["py", "svg", "dot", "tikz", "mermaid"])
def test_another_systems_ends_of_lines_are_no_edit(format: str) -> None:
    assert is_own(marked(content(format), format).replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("format", ["json", "csv", "arch", ""])
def test_a_format_without_comments_stays_as_it_is(format: str) -> None:
    assert marked(b"{}\n", format) == b"{}\n"


@given(st.binary(max_size=200), st.sampled_from(MARKED))
def test_any_content_can_be_marked(plain: bytes, format: str) -> None:
    whole = marked(plain, format)
    assert is_own(whole) or (format == "pdf" and whole == plain)


def test_a_marked_file_is_still_of_its_format() -> None:
    tree = ast.parse(marked(content("py"), "py"))
    assert ast.get_docstring(tree) == ast.get_docstring(ast.parse(content("py")))
    assert ElementTree.fromstring(marked(content("svg"), "svg")).tag.endswith("svg")
    assert marked(content("html"), "html").startswith(b"<!doctype html>")
    png = marked(content("png"), "png")
    at, kinds = 8, list[bytes]()
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        kinds.append(png[at + 4 : at + 8])
        assert zlib.crc32(png[at + 4 : at + 8 + size]) == int.from_bytes(png[at + 8 + size : at + 12 + size], "big")
        at += 12 + size
    assert (kinds[:2], kinds[-1]) == ([b"IHDR", b"tEXt"], b"IEND")
    pdf = marked(content("pdf"), "pdf")
    start = int(pdf.rsplit(b"startxref", 1)[1].split()[0])
    assert pdf[start : start + 4] == b"xref"


@pytest.mark.slow
@pytest.mark.parametrize("format", CHARTS)
def test_charts_are_marked_alike(format: Literal["svg", "png", "pdf"], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from archdsl.backends.chart import plot_costs, profile
    from archdsl.backends.theme import LIGHT

    whole = marked(plot_costs([profile("digits", NETWORK.tables)], LIGHT, format), format)
    assert is_own(whole)


def test_what_is_rendered_from_python_bears_it_too(tmp_path: Path) -> None:
    for format in get_args(Format):
        suffix = {"mermaid": "mmd", "tikz": "tex"}.get(format, format)
        assert is_own(NETWORK.diagram().render(tmp_path / f"net.{suffix}").read_bytes())
