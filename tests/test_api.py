"""Specs are named, by path or bundled name, or given as a text, and each call takes all of these alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import archdsl
from archdsl import Source, SpecError

TEXT = "model one { input [3,8,8]; conv 4 }\nmodel two { input [3,8,8]; conv 8 }\n"
WRONG = "model m { input [3, 8, 8]; conv 8 groups=3 }"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.arch"
    path.write_text(TEXT)
    return path


def test_a_path_a_name_and_a_text_are_one_spec(file: Path) -> None:
    for spec in (file, str(file), Source(TEXT)):
        assert archdsl.load(spec, "two").outputs["output"].numbers() == (8, 8, 8)
        assert archdsl.check(spec) == archdsl.check(file)
        assert archdsl.format(spec) == TEXT.replace("[3,8,8]", "[3, 8, 8]")
        assert not archdsl.diff(archdsl.load(spec, "two"), archdsl.load(file, "two"))


def test_a_name_may_mean_one_model_of_a_file(file: Path) -> None:
    assert archdsl.load(f"{file}:two").name == "two"
    file.write_text(f"{TEXT}model three {{ input [3, 8, 8]; conv 8 groups=3 }}")
    assert [found.code for found in archdsl.check(file)] == ["E210"]
    assert archdsl.check(f"{file}:two") == archdsl.check(file, "two") == ()


def test_a_path_is_a_file_and_no_bundled_name(file: Path) -> None:
    assert archdsl.load("resnet18").name == "resnet18"
    for spec in (Path("resnet18"), Path(f"{file}:two")):
        with pytest.raises(SpecError, match="E114"):
            archdsl.load(spec)


@pytest.mark.parametrize("text", [WRONG, "conv 8\nnorm", "{", "model m { " + "conv 8; " * 1000 + "}"])
@pytest.mark.parametrize("call", [archdsl.load, archdsl.format, lambda text: archdsl.diff("resnet18", text)])
def test_a_text_for_a_name_is_told_the_right_call(call: Callable[[str], Any], text: str) -> None:
    with pytest.raises(SpecError) as caught:
        call(text)
    (found,) = caught.value.diagnostics
    assert found.code == "E124"
    assert "archdsl.load(archdsl.Source(text))" in found.help


def test_checking_a_text_for_a_name_or_a_file_that_is_not_there_is_a_finding_like_another() -> None:
    assert [found.code for found in archdsl.check(WRONG)] == ["E124"]
    assert [found.code for found in archdsl.check("absent.arch")] == ["E114"]
    assert [found.code for found in archdsl.check("a" * 300)] == ["E114"]


def test_a_file_may_have_a_brace_in_its_name(file: Path) -> None:
    braced = file.rename(file.with_name("net{1}.arch"))
    assert archdsl.load(str(braced), "one").name == "one"


def test_what_is_no_legal_spec_is_not_formatted(file: Path) -> None:
    file.write_text("model m { conv = }")
    with pytest.raises(SpecError, match="E001"):
        archdsl.format(file)
    assert file.read_text() == "model m { conv = }"


def test_settings_are_values_in_python_or_texts_of_a_spec() -> None:
    spec = Source("model m(width=4) { input [3, 8, 8]; conv width; norm }")
    assert archdsl.load(spec, width=8).outputs["output"].channels == 8
    assert archdsl.load(spec, width="2 * 8", norm="group(4)").outputs["output"].channels == 16
    with pytest.raises(SpecError, match="an input size is"):
        archdsl.load(spec, input=224)  # pyright: ignore[reportArgumentType]
    assert archdsl.load(spec, input=[3, 4, 4]).outputs["output"].numbers() == (4, 4, 4)
