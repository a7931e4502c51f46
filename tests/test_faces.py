"""What `archdsl` exports is documented and annotated, down to the last method."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pytest

import archdsl

SPEC = "model m { input [3, 8, 8]\n conv 8 groups=3 }"
OURS = [name for name in archdsl.__all__ if getattr(getattr(archdsl, name), "__module__", "").startswith("archdsl")]


def members(name: str) -> Iterator[tuple[str, Any]]:
    """Yield an exported function, or an exported class with its public members."""
    exported = getattr(archdsl, name)
    yield name, exported
    for key, value in vars(exported).items() if inspect.isclass(exported) else ():
        if key.startswith("_"):
            continue
        if isinstance(value, property | cached_property):
            yield f"{name}.{key}", value.fget if isinstance(value, property) else value.func
        elif inspect.isfunction(value):
            yield f"{name}.{key}", value


@pytest.mark.parametrize("name", OURS)
def test_every_exported_name_has_a_docstring(name: str) -> None:
    assert [found for found, value in members(name) if not inspect.getdoc(value)] == []


@pytest.mark.parametrize("name", OURS)
def test_every_exported_function_is_annotated(name: str) -> None:
    for found, value in members(name):
        if not inspect.isfunction(value):
            continue
        signature = inspect.signature(value)
        bare = [key for key, one in signature.parameters.items() if key != "self" and one.annotation is one.empty]
        assert not bare, found
        assert signature.return_annotation is not signature.empty, found


def test_docstrings_return_and_do_not_give() -> None:
    given = [found for name in OURS for found, value in members(name) if inspect.getdoc(value).startswith("Give")]  # pyright: ignore[reportOptionalMemberAccess]
    assert given == []


def test_every_exported_name_is_there_once_and_in_order() -> None:
    assert len({*archdsl.__all__}) == len(archdsl.__all__)
    assert all(hasattr(archdsl, name) for name in archdsl.__all__)


def test_an_uncaught_error_ends_a_traceback_with_what_the_terminal_shows() -> None:
    code = f"import archdsl\narchdsl.load(archdsl.Source({SPEC!r}, 'net.arch'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    (found,) = archdsl.check(archdsl.Source(SPEC, "net.arch"))
    assert done.stderr.startswith("Traceback")
    assert done.stderr.endswith(archdsl.RENDERERS["terminal"]([found], width=100))
    assert "^^^^^^^^" in done.stderr
    assert "= help: use groups=1" in done.stderr
