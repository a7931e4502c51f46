"""How the passes that read the syntax tree give up on one statement without giving up on the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archdsl.text.diagnostic import Fix, Label
from archdsl.text.source import Span

if TYPE_CHECKING:
    from archdsl.syntax.habits.scan import Habit


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


def told(code: str, habit: Habit, message: str, span: Span) -> Trouble:
    """Tell a mistake as the habit that it is; `message` and `span` are what it is otherwise."""
    at = Span(habit.start, habit.end, span.source) if habit.message else span
    return Trouble(habit.code or code, habit.message or message, at, help=habit.help, fix=habit.fix(span.source))
