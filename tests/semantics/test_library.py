"""What a library keeps from one compilation to the next."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from archdsl.semantics import files, library
from archdsl.semantics.library import Library
from archdsl.text.diagnostic import Reporter


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the bundled specs that stands for them."""
    copied = tmp_path / "specs"
    copytree(files.bundled_folder(), copied)
    for module in (files, library):
        monkeypatch.setattr(module, "bundled_folder", lambda: copied)
    return copied


def test_a_prelude_is_made_once() -> None:
    assert Library(Reporter()).prelude() is Library(Reporter()).prelude()


def test_a_prelude_that_changed_is_read_anew(folder: Path) -> None:
    first = Library(Reporter()).prelude()
    path = folder / "prelude.arch"
    path.write_text(path.read_text("utf-8").replace("block cna(", "block cna2("), "utf-8")
    second = Library(Reporter()).prelude()
    assert "cna2" in second.declarations
    assert "cna2" not in first.declarations


def test_the_prelude_of_another_folder_is_another(folder: Path) -> None:
    assert Library(Reporter()).prelude().folder == folder


@pytest.mark.parametrize("mistake", ["block cna { }\nblock cna { }", "allow W999"])
def test_a_prelude_with_mistakes_is_reported_each_time(mistake: str, folder: Path) -> None:
    path = folder / "prelude.arch"
    path.write_text(path.read_text("utf-8") + mistake, "utf-8")
    for _ in range(2):
        report = Reporter()
        Library(report).prelude()
        assert report.has_errors


def test_a_prelude_whose_values_are_worked_out_is_made_anew(folder: Path) -> None:
    path = folder / "prelude.arch"
    path.write_text(path.read_text("utf-8") + "let width = 64\n", "utf-8")
    assert Library(Reporter()).prelude() is not Library(Reporter()).prelude()
