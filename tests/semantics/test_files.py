"""Specs are read as text, whatever their line ends, and never more of them than a spec may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.semantics.files import bundled_folder, declared_models, read_source, specs_in
from archdsl.syntax.parser import MAX_CHARACTERS


def test_line_ends_and_a_mark_of_byte_order_are_no_part_of_a_text(tmp_path: Path) -> None:
    path = tmp_path / "a.arch"
    path.write_bytes(b"\xef\xbb\xbfmodel m {\r\n}\r\n")
    assert read_source(path).text == "model m {\n}\n"


def test_a_file_that_is_too_long_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.arch"
    path.write_bytes(b"#" * (5 * MAX_CHARACTERS))
    assert len(read_source(path).text) == MAX_CHARACTERS + 1


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.arch"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UnicodeDecodeError):
        read_source(path)


def test_models_and_variants_are_listed_without_a_parse() -> None:
    text = "model a {\n}\n  model inner {\n# model no\nvariant b of a { }\nblock c { }\nmodel d("
    assert declared_models(text) == ["a", "b", "d"]


def test_the_prelude_is_no_spec_to_use(tmp_path: Path) -> None:
    assert "resnet" in specs_in(bundled_folder())
    assert "prelude" not in specs_in(bundled_folder())
    assert specs_in(tmp_path / "absent") == specs_in(None) == set()
