"""What is to be frozen, read from a text and written as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.ir.freezing import HEAD, Freezing
from archdsl.text.error import SpecError


@pytest.mark.parametrize(
    ("text", "patterns", "excepts"),
    [
        ("fc", ("fc",), ()),
        ('"layer1.*" layer2', ("layer1.*", "layer2"), ()),
        ("layer1,layer2", ("layer1", "layer2"), ()),
        ("* except fc head", ("*",), ("fc", HEAD)),
        ('head "head"', (HEAD, "head"), ()),
    ],
)
def test_quotes_may_be_left_out(text: str, patterns: tuple[object, ...], excepts: tuple[object, ...]) -> None:
    read = Freezing.read(text)
    assert (read.patterns, read.excepts) == (patterns, excepts)


PATTERNS = st.lists(st.one_of(st.just(HEAD), st.from_regex(r"[a-z*][a-z0-9_.*]{0,8}", fullmatch=True)), max_size=4)


@given(PATTERNS.filter(bool), PATTERNS)
def test_what_is_written_reads_as_the_same(patterns: list[object], excepts: list[object]) -> None:
    freezing = Freezing(tuple(patterns), tuple(excepts))  # pyright: ignore[reportArgumentType] -- what was drawn
    assert Freezing.read(str(freezing)) == freezing


@given(st.text(max_size=40))
def test_any_text_is_read_or_told(text: str) -> None:
    try:
        found = Freezing.read(text).patterns
    except SpecError as error:
        found = {one.code for one in error.diagnostics} == {"E132"}
    assert found
