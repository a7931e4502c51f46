"""Which of the bundled networks tests look at, and when: quickly, slowly, or only while soaking."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest

from archdsl.specs import bundled_models


def _files() -> list[list[str]]:
    files: dict[str, list[str]] = {}
    for name, path in bundled_models():
        files.setdefault(str(path), []).append(name)
    return [*files.values()]


FIRSTS = [names[0] for names in _files()]
"""The first of each file: the others differ from it by numbers."""
ENDS = [name for names in _files() for name in dict.fromkeys((names[0], names[-1]))]
"""The first and the last of each file: what lies between differs from them by numbers."""


def tiered(names: Iterable[str], quick: Collection[str] = (), slow: Collection[str] = FIRSTS) -> list[Any]:
    """Return the parameters of a test of networks: some are quick, some slow, and the rest are for soaking."""
    return [pytest.param(name, marks=marks_of(name, quick, slow), id=name) for name in names]


def marks_of(name: str, quick: Collection[str], slow: Collection[str]) -> list[pytest.MarkDecorator]:
    """Return the marks of one of them."""
    return [] if name in quick else [pytest.mark.slow] if name in slow else [pytest.mark.soak]
