"""How the passes that read the syntax tree give up on one statement without giving up on the file."""

from __future__ import annotations

from archdsl.text.diagnostic import Fix, Label
from archdsl.text.source import Span


class Trouble(Exception):
    """A mistake in the spec: what a diagnostic says, before it is known which calls led to it."""

    def __init__(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        help: str = "",
        marker: str = "",
        labels: tuple[Label, ...] = (),
        fix: Fix | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.span = code, message, span
        self.help, self.marker, self.labels, self.fix = help, marker, labels, fix


class Reported(Exception):
    """Something depends on a value whose mistake has been reported already."""
