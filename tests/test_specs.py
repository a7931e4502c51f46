"""Finding specs by path, by bundled name, and as a file's model."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any, cast

import pytest

from archdsl import SpecError
from archdsl.specs import bundled_models, find_spec, read_spec
from archdsl.text.source import Source

TEXT = "model one { input [3, 8, 8]; conv 4 }\nmodel two { input [3, 8, 8]; conv 8 }"


def test_a_path_a_bundled_file_and_a_model_in_one_are_found(tmp_path: Path) -> None:
    path = tmp_path / "mine.arch"
    path.write_text(TEXT, encoding="utf-8")
    assert find_spec(str(path))[1:] == (tmp_path, None)
    assert find_spec(f"{path}:two")[1:] == (tmp_path, "two")
    assert find_spec("resnet")[2] is None
    assert find_spec("resnet50")[2] == "resnet50"


@pytest.mark.parametrize("name", ["resnet5O", "no/such.arch", "x" * 2000, "resnet:", "nul\0.arch", "\ud800.arch"])
def test_what_is_not_found_is_a_coded_error(name: str) -> None:
    with pytest.raises(SpecError) as caught:
        find_spec(name)
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["E114"]


def test_a_path_that_no_file_can_have_is_a_coded_error() -> None:
    with pytest.raises(SpecError, match="E114"):
        read_spec(Path("nul\0.arch"))


@pytest.mark.parametrize(
    "given", [None, b"resnet", 3, PurePosixPath("net.arch"), Source(cast("str", b"")), Source("", cast("str", Path()))]
)
def test_what_is_no_spec_at_all_is_a_type_error_that_says_what_would_be(given: Any) -> None:
    with pytest.raises(TypeError, match="Source"):
        read_spec(given)


def test_bundled_models_stand_in_the_files_that_declare_them() -> None:
    found = dict(bundled_models())
    assert found["resnet50"].stem == "resnet"
    assert all(path.is_file() for path in found.values())
