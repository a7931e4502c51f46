"""What a step without a label is called."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from archdsl.text.labels import objection


@lru_cache(maxsize=1024)
def unlabelled_name(hint: str) -> str:
    """Return what an unlabelled step goes by: its operator's or block's name, or `block` where that cannot be one."""
    return "block" if objection(hint) else hint


class UnlabelledNames:
    """The names of a level's steps that have no label: `conv`, `conv_2` and so on, past those that are taken."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._counts: dict[str, int] = {}

    def next(self, hint: str) -> str:
        """Return the name of the next step that goes by this."""
        hint = unlabelled_name(hint)
        while True:
            self._counts[hint] = count = self._counts.get(hint, 0) + 1
            name = hint if count == 1 else f"{hint}_{count}"
            if name not in self._taken:
                self._taken.add(name)
                return name
