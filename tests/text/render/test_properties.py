"""Whatever the text and the places in it, diagnostics are written, and fit."""

import json
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.text.diagnostic import Diagnostic, Edit, Fix, Label, Severity
from archdsl.text.render import RENDERERS
from archdsl.text.render.display import columns_of, crop, visible, wrap
from archdsl.text.render.places import bounds
from archdsl.text.render.terminal import render
from archdsl.text.source import NOWHERE, Source, Span

# Lone surrogates are text too: they come from undecodable bytes in file names and arguments.
ODD = "\t\r\n\n  \x00\x1b\x7f\x85\u0301\u0301\u1160\u200d\u2028\u202e\ud800\ufe0f日本éa)}]…"
TEXTS = st.text(st.one_of(st.sampled_from(ODD), st.characters(exclude_categories=())), max_size=120)
LINES = TEXTS.map(lambda text: text.replace("\n", ""))


@st.composite
def diagnostics(draw: st.DrawFn) -> list[Diagnostic]:
    names = st.text("ab/日\x1b", max_size=8)
    sources = [Source(draw(TEXTS) * draw(st.integers(1, 20)), draw(names)) for _ in range(2)]
    places = st.sampled_from([*sources, NOWHERE])
    spans = st.builds(Span, st.integers(-5, 2500), st.integers(-5, 2500), places)
    edits = st.lists(st.builds(Edit, spans, TEXTS), max_size=2).map(tuple)
    found = st.builds(
        Diagnostic,
        st.sampled_from(["E210", "W001"]),
        st.sampled_from(Severity),
        TEXTS,
        spans,
        TEXTS,
        st.lists(st.builds(Label, spans, TEXTS), max_size=4).map(tuple),
        st.lists(TEXTS, max_size=2).map(tuple),
        TEXTS,
        st.none() | st.builds(Fix, edits, st.booleans(), TEXTS),
    )
    return draw(st.lists(found, min_size=1, max_size=3))


def is_place(line: str) -> bool:
    return line.lstrip(" ").startswith(("-->", ":::"))


@given(diagnostics(), st.integers(40, 130))
def test_no_line_is_wider_than_the_terminal(found: list[Diagnostic], width: int) -> None:
    *lines, _last = render(found, width=width).split("\n")[:-1]
    assert [line for line in lines if not is_place(line) and columns_of(line) > width] == []


@given(diagnostics())
def test_what_a_terminal_reads_has_nothing_hidden_in_it(found: list[Diagnostic]) -> None:
    for name in ("terminal", "plain", "github"):
        text = RENDERERS[name](found)
        assert [line for line in text.split("\n") if line != visible(line)] == []
        assert text.encode().decode() == text


@given(diagnostics())
def test_text_for_pipes_has_one_line_for_each_diagnostic(found: list[Diagnostic]) -> None:
    for name in ("plain", "github"):
        text = RENDERERS[name](found)
        assert text.endswith("\n")
        assert len(text.splitlines()) == len(found)


@given(diagnostics())
def test_json_keeps_every_character_and_gives_places_inside_the_text(found: list[Diagnostic]) -> None:
    read = json.loads(RENDERERS["json"](found))
    by_text = sorted((d.message, d.help, list(d.notes)) for d in found)
    assert sorted((d["message"], d["help"], d["notes"]) for d in read) == by_text
    longest = max(len(d.span.source.text) for d in found)
    assert all(0 <= d["start"]["offset"] <= d["end"]["offset"] <= longest for d in read if d["start"])


@given(diagnostics(), st.randoms())
def test_the_order_of_finding_does_not_matter(found: list[Diagnostic], random: Random) -> None:
    distinct = list({(d.span.source.name, bounds(d.span), d.code, d.message): d for d in found}.values())
    mixed = random.sample(distinct, len(distinct))
    assert render(mixed) == render(distinct)


@given(LINES, st.data(), st.integers(25, 90))
def test_a_cropped_line_fits_and_shows_its_focus(line: str, data: st.DataObject, room: int) -> None:
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, len(line)))
    view = crop(line, start, end, room)
    assert columns_of(view.text) <= room
    at = view.columns(start, end)
    assert at is not None
    assert 0 <= at[0] < at[1] <= room


@given(LINES)
def test_a_line_with_room_is_shown_whole_with_each_character_at_its_column(line: str) -> None:
    view = crop(line, 0, 0, columns_of(line) * 2 + 25)
    assert view.text == visible(line)
    for i in range(len(line)):
        at = view.columns(i, i + 1)
        assert at is not None
        assert at[0] < at[1] == columns_of(visible(line[: i + 1]))


@given(TEXTS, st.integers(10, 90))
def test_wrapped_text_fits_and_loses_nothing_but_spaces(text: str, room: int) -> None:
    rows = wrap(text, room)
    assert max(columns_of(row) for row in rows) <= room
    assert "".join(rows).replace(" ", "") == "".join(visible(row) for row in text.split("\n")).replace(" ", "")


@pytest.mark.parametrize("name", RENDERERS)
def test_renderers_take_what_a_generator_gives(name: str) -> None:
    found: Sequence[Diagnostic] = [Diagnostic("E001", Severity.ERROR, "odd", Span(0, 1, Source("a")))]
    assert RENDERERS[name](iter(found)) == RENDERERS[name](found)
