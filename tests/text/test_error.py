"""A traceback and a notebook show of a wrong spec what a terminal shows."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.text.error import SpecError
from archdsl.text.render import terminal


def test_the_error_of_a_wrong_spec_shows_its_source_line_carets_and_help() -> None:
    with pytest.raises(SpecError) as caught:
        archdsl.load_text("model m { input [3, 8, 8]; conv 3 groups=2 }")
    text = str(caught.value)
    assert text.endswith(terminal.render(caught.value.diagnostics, width=100).rstrip())
    assert "\x1b" not in text
    for part in ("error[E210]", "<string>:1:35", "conv 3 groups=2", "^^^^^^^^", "= help: use groups=1 or 3"):
        assert part in text
