"""Every diagnostic's code: E0xx syntax, E1xx names and values, E2xx shapes, E3xx backends, Wxxx warnings.

A code is registered by its page, `pages/E210.md`, which is read when asked for. It keeps its meaning for ever: one that
is no longer reported is not given to another mistake.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from archdsl.text.page import Page, parse_page


class _Pages(Mapping[str, Page]):
    """The pages of a folder by their codes, in order; each is read when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, Page] = {}

    @cached_property
    def _codes(self) -> dict[str, Path]:
        return {path.stem: path for path in sorted(self._folder.glob("*.md"))}

    def __getitem__(self, code: str) -> Page:
        if code not in self._read:
            self._read[code] = parse_page(code, self._codes[code].read_text(encoding="utf-8"))
        return self._read[code]

    def __contains__(self, code: object) -> bool:
        return code in self._codes

    def __iter__(self) -> Iterator[str]:
        return iter(self._codes)

    def __len__(self) -> int:
        return len(self._codes)


CODES: Mapping[str, Page] = _Pages(Path(__file__).parent / "pages")
"""All codes, in order."""
