"""Which of the bundled networks tests look at where all of them take long."""

from __future__ import annotations

from archdsl.specs import bundled_models


def _ends() -> list[str]:
    files: dict[str, list[str]] = {}
    for name, path in bundled_models():
        files.setdefault(str(path), []).append(name)
    return [name for names in files.values() for name in dict.fromkeys((names[0], names[-1]))]


ENDS = _ends()
"""The first and the last of each file: what lies between differs from them by numbers."""
