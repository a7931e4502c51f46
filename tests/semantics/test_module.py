"""A file's names, what is said above them, and the files they come from."""

from __future__ import annotations

import pytest

from archdsl.ir.trouble import Reported
from archdsl.semantics.library import Library
from archdsl.semantics.module import Module
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source

TOLD = """
## Of two
## lines.
block a(c) { conv c }
## Of another.

block b(c) { conv c }
# no
let c = 1
"""


def module(text: str) -> Module:
    found = Library(Reporter()).load(Source(text), None)
    assert found is not None
    return found


def test_a_name_is_found_in_the_file_before_the_prelude() -> None:
    plain, own = module("let a = 1"), module("block cna(c) { conv c }")
    inherited, redefined = plain.find("cna"), own.find("cna")
    assert inherited is not None
    assert redefined is not None
    assert (inherited[1], redefined[1]) == (plain.prelude, own)
    assert plain.find("nothing") is None


def test_a_comment_with_two_signs_above_a_declaration_is_its_text() -> None:
    found = module(
        "## Of two\n## lines.\nblock a(c) { conv c }\n## Of another.\n\nblock b(c) { conv c }\n# no\nlet c = 1"
    )
    assert {name: found.doc(declaration) for name, (declaration, _) in found.declarations.items()} == {
        "a": "Of two\nlines.",
        "b": "",
        "c": "",
    }


def test_a_name_whose_declaration_does_not_parse_is_reported_already() -> None:
    found = module("block a(c { conv c }\nblock b(c) { conv c }")
    assert found.find("b") is not None
    with pytest.raises(Reported):
        found.find("a")


def test_what_a_use_does_not_bring_is_expected_though_missing() -> None:
    assert module("use resnet (basik)\nlet a = 1").expects("basik")
    assert not module("use resnet (basic)\nlet a = 1").expects("basik")
