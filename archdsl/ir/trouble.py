"""How the passes that read the syntax tree give up on one part without giving up on the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, TypeAlias

from archdsl.ops.base import OpError
from archdsl.ops.shape import Shape
from archdsl.text.diagnostic import Diagnostic, Fix, Label, Reporter, Severity
from archdsl.text.source import Span

if TYPE_CHECKING:
    from archdsl.syntax.habits.scan import Habit

Turns: TypeAlias = tuple[tuple[str, object], ...]
"""The turns of a `for` or a comprehension, outer ones first: the names that it binds, each with its value."""


class Trouble(Exception):
    """A mistake in the spec: what a diagnostic says, before it is known which calls led to it.

    `others` are mistakes of the same statement that do not depend on this one. After a fatal one, such as a used-up
    budget, going on would only find the same again.
    """

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
        is_fatal: bool = False,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.span = code, message, span
        self.help, self.marker, self.labels, self.fix = help, marker, labels, fix
        self.is_fatal = is_fatal
        self.restate: Callable[[Sequence[Shape]], str] | None = None
        """Says the message again for the shapes that reach the step, once these are numbers."""
        self.others: tuple[Trouble, ...] = ()
        self.turns = ""
        """The turns in which it was found, as in `t=3, i=0`."""
        self.is_kept = False
        """Whether it is that of a value which is worked out once, wherever it is used."""

    @classmethod
    def of(cls, error: OpError, span: Span, spans: Mapping[str, Span] = MappingProxyType({})) -> Trouble:
        """Return the mistake that an operator's rule finds at a step; `spans` are where its attributes stand."""
        where = spans.get(error.attribute, span)
        if error.word and where.text.startswith('"'):
            found = re.search(rf"(?<!\w){re.escape(error.word)}(?!\w)", where.text)
            if found is not None:
                where = Span(where.start + found.start(), where.start + found.end(), where.source)
        return cls(error.code, error.message, where, help=error.help, marker=error.marker)

    def beside(self, others: Sequence[Trouble]) -> Trouble:
        """Return this mistake anew, with others beside it: a `let` keeps the old one for whoever asks next."""
        joined = Trouble(
            self.code, self.message, self.span, help=self.help, marker=self.marker, labels=self.labels, fix=self.fix
        )
        # One mistake may have reached a statement on several ways.
        joined.others = tuple({(other.code, other.span): other for other in others}.values())
        joined.turns, joined.is_kept = self.turns, self.is_kept
        return joined

    def diagnostic(self, labels: Sequence[Label] = (), notes: Sequence[str] = ()) -> Diagnostic:
        """Return this mistake alone as data, with further labels."""
        given = (*self.labels, *labels)
        notes = [*notes, *([f"at {self.turns}"] if self.turns else [])]
        return Diagnostic(
            self.code, Severity.ERROR, self.message, self.span, self.marker, given, tuple(notes), self.help, self.fix
        )

    def all(self) -> list[Trouble]:
        """Return this mistake and those beside it."""
        return [self, *self.others]

    def tell(self, report: Reporter) -> None:
        """Report this mistake and those beside it, of which nothing more is known."""
        for one in self.all():
            report.add(one.diagnostic())


class Reported(Exception):
    """Something depends on a value whose mistake has been reported already."""


OF_VALUES = frozenset({"E104", "E105", "E110", "E111", "E116", "E118"})
"""Codes of mistakes in values, which one turn of a `for` may have and another not."""


def told(code: str, habit: Habit, message: str, span: Span) -> Trouble:
    """Tell a mistake as the habit that it is; `message` and `span` are what it is otherwise."""
    at = Span(habit.start, habit.end, span.source) if habit.message else span
    return Trouble(habit.code or code, habit.message or message, at, help=habit.help, fix=habit.fix(span.source))


class Parts:
    """The parts of one statement, each tried whatever became of the others.

    >>> parts = Parts()
    >>> with parts:
    ...     raise Reported
    >>> parts.are_known
    False
    """

    __slots__ = ("are_known", "troubles")

    def __init__(self) -> None:
        self.troubles: list[Trouble] = []
        self.are_known = True

    def __enter__(self) -> None:
        """Begin a part."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Trouble | Reported) or (isinstance(error, Trouble) and error.is_fatal):
            return False
        self.take(error)
        return True

    def take(self, error: Trouble | Reported) -> None:
        """Take note of what became of a part; raise it again if it is fatal."""
        if isinstance(error, Trouble):
            if error.is_fatal:
                raise error
            self.troubles += error.all()
        self.are_known = False

    def settle(self) -> None:
        """Raise the mistakes of all parts as one, if there are any."""
        if self.are_known:
            return
        if not self.troubles:
            raise Reported
        first, *rest = self.troubles
        raise first.beside(rest)
