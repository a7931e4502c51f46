"""Every code has a page whose examples do what it says; tests/test_docs.py runs its commands, in docs/errors.md."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archdsl
from archdsl.text.codes import CODES
from archdsl.text.page import Example, Page, parse_page, write_markdown, write_terminal
from archdsl.text.render.display import columns_of
from tests.conftest import ROOT

FOLDER = ROOT / "archdsl" / "text" / "pages"
KINDS = {"arch", "arch error", "arch warning", "console", "console slow"}
# What only a GPU shows; its page tells the message.
UNSHOWN = {"E375"}


@pytest.mark.parametrize("code", CODES)
def test_a_page_is_in_form(code: str) -> None:
    page = CODES[code]
    text = (FOLDER / f"{code}.md").read_text(encoding="utf-8")
    assert re.fullmatch(r"[EW]\d{3}", code)
    assert text.startswith(f"# {code}: {page.title}\n\n")
    assert re.fullmatch(r"[a-z`].{5,58}[^.]", page.title)
    assert re.fullmatch(r"[A-Z`].{80,}[.:]", page.explanation, re.S)
    assert "  " not in page.explanation
    assert {part.info for part in page.parts if isinstance(part, Example)} <= KINDS | (
        {"text"} if code in UNSHOWN else set()
    )
    assert text.count("```") == 2 * sum(isinstance(part, Example) for part in page.parts)
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("code", CODES)
def test_a_failing_example_fails_as_its_page_says_and_a_mended_one_does_not(code: str) -> None:
    page = CODES[code]
    consoles = [part for part in page.parts if isinstance(part, Example) and part.info.startswith("console")]
    assert (page.failing and page.mended) or len(consoles) >= 2 or code in UNSHOWN
    for text in page.failing:
        found = archdsl.check_text(text)
        assert code in {diagnostic.code for diagnostic in found}
        assert {diagnostic.code for diagnostic in found if diagnostic.severity == "error"} <= {code}
    for text in page.mended:
        assert [diagnostic.message for diagnostic in archdsl.check_text(text)] == []


def test_titles_differ() -> None:
    assert len({page.title for page in CODES.values()}) == len(CODES)


def test_codes_are_a_mapping_in_order() -> None:
    assert list(CODES) == sorted(CODES)
    assert len(CODES) == len(list(CODES))
    assert "../E101" not in CODES
    with pytest.raises(KeyError):
        CODES["E000"]


def test_a_page_is_read_with_its_parts_in_order() -> None:
    page = parse_page("E999", "# E999: title\n\nWhy.\n\n```arch error\nconv\n```\n\nMended:\n\n```arch\nconv 8\n```\n")
    example = Example("arch error", "conv\n")
    assert page == Page("E999", "title", ("Why.", example, "Mended:", Example("arch", "conv 8\n")))
    assert (page.explanation, page.failing, page.mended) == ("Why.", ["conv\n"], ["conv 8\n"])


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_page_fits_the_terminal_and_color_changes_nothing_else(code: str, width: int) -> None:
    shown = write_terminal(CODES[code], archdsl.check_text, width=width)
    colored = write_terminal(CODES[code], archdsl.check_text, width=width, color=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == shown
    examples = {line for part in CODES[code].parts if isinstance(part, Example) for line in part.text.splitlines()}
    prose = [line for line in shown.splitlines() if line.strip() not in {line.strip() for line in examples}]
    assert [line for line in prose[1:] if columns_of(line) > width and "-->" not in line] == []
    assert "\n\n\n" not in shown
    assert shown.endswith("\n")


WORDS = st.lists(st.sampled_from(["`a b c`", "word", "-", "`x`", "long" * 12, "…"]), min_size=1).map(" ".join)


@given(WORDS, st.integers(40, 80))
def test_prose_keeps_its_words_and_colors_exactly_what_stands_in_backticks(text: str, width: int) -> None:
    page = Page("E999", "title", (text,))
    shown = write_terminal(page, archdsl.check_text, width=width)
    assert "".join(shown.split()) == "".join(f"E999: title {text}".split())
    colored = write_terminal(page, archdsl.check_text, width=width, color=True).partition("\n")[2]
    marked = "".join(re.findall(r"\x1b\[36m(.*?)\x1b\[0m", colored))
    assert "".join(marked.split()) == "".join("".join(re.findall(r"`[^`]*`", text)).split())


def test_markdown_shows_the_message_below_a_failing_example() -> None:
    text = write_markdown(CODES["E105"], archdsl.check_text)
    assert "```arch error E105\n" in text
    assert "```text\nerror[E105]: " in text
    assert "error: 1 error" not in text
