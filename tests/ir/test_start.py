"""The file that weights start from lies in the spec's folder, or is not opened."""

from pathlib import Path

import pytest

from archdsl import SpecError, load
from archdsl.ir.start import WeightsSource
from archdsl.text.source import NOWHERE, Source, Span

HERE = Span(0, 0, NOWHERE)


def objection(file: str, folder: Path | None) -> str:
    with pytest.raises(SpecError) as caught:
        WeightsSource(file, None, HERE, folder).path()
    (found,) = caught.value.diagnostics
    assert found.code == "E133"
    return found.message


def test_a_file_of_the_folder_or_below_it_is_found(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for name in ("a.pth", "below/a.pth"):
        (tmp_path / name).write_bytes(b"")
        assert WeightsSource(name, None, HERE, tmp_path).path() == (tmp_path / name).resolve()


@pytest.mark.parametrize("file", ["../a.pth", "/etc/passwd", "below/../../a.pth", "..", "~/../../a.pth"])
def test_what_lies_outside_is_refused_whether_it_is_there_or_not(file: str, tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"")
    (tmp_path / "home").mkdir()
    assert "lies outside the spec's folder" in objection(file, tmp_path / "home")


def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "a.pth").write_bytes(b"")
    (home / "a.pth").symlink_to(tmp_path / "a.pth")
    (home / "folder").symlink_to(tmp_path)
    for file in ("a.pth", "folder/a.pth"):
        assert "lies outside the spec's folder" in objection(file, home)
    (home / "circle").symlink_to(home / "circle")
    assert objection("circle", home)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert objection("a.pth", tmp_path) == "no file `a.pth` lies beside the spec"
    assert "is no path" in objection("a\0b", tmp_path)


def test_a_text_without_a_folder_has_no_files() -> None:
    network = load(Source('model m { input [3]; fc 2; weights "a.pth" }'))
    with pytest.raises(SpecError, match="no folder that could hold"):
        network.module()
