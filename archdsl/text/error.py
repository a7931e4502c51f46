"""The error of a spec that cannot be used, which shows what the terminal shows."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.text.diagnostic import Diagnostic
from archdsl.text.render import terminal

_WIDTH = 100
"""Columns; who prints a traceback is not known."""


class SpecError(Exception):
    """A spec that cannot be used, with every diagnostic found in it.

    As text, and so at the end of a traceback and in a notebook, it shows each with its line of source, carets and help.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return f"the spec cannot be used\n\n{terminal.render(self.diagnostics, width=_WIDTH)}".rstrip()
