"""Diagnostics are data: what is wrong, where, and what to do about it. Renderers live in `render`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from archdsl.text.record import record
from archdsl.text.source import Span


class Severity(StrEnum):
    """How much is wrong: an error leaves no network, a warning does."""

    ERROR = "error"
    WARNING = "warning"


@record
class Label:
    """Another place needed to understand a diagnostic."""

    span: Span
    message: str


class Edit(NamedTuple):
    """A text to put in place of another; an empty span inserts, an empty replacement removes."""

    span: Span
    replacement: str


@record
class Fix:
    """Exact edits of one file that mend a mistake together, and what they do in a few words.

    A safe fix is what the author certainly meant, or leaves the network as it is; only such a one is applied unasked.
    """

    edits: tuple[Edit, ...]
    is_safe: bool = False
    title: str = ""

    @classmethod
    def at(cls, span: Span, replacement: str, *, is_safe: bool = False, title: str = "") -> Fix:
        """Make a fix of one edit."""
        return cls((Edit(span, replacement),), is_safe, title)


@record
class Diagnostic:
    """One mistake: its stable code, the fact with real values, and the smallest text to change."""

    code: str
    severity: Severity
    message: str
    span: Span
    marker: str = ""
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str = ""
    fix: Fix | None = None

    def places(self) -> list[Span]:
        """Return every place that it points at."""
        edits = self.fix.edits if self.fix is not None else ()
        return [self.span, *(label.span for label in self.labels), *(edit.span for edit in edits)]

    def now(self) -> Diagnostic:
        """Return the same with places in the latest texts."""
        if all(span.origin.moves is None for span in self.places()):
            return self
        labels = tuple(Label(label.span.now(), label.message) for label in self.labels)
        fix = self.fix
        if fix is not None:
            fix = replace(fix, edits=tuple(Edit(edit.span.now(), edit.replacement) for edit in fix.edits))
        return replace(self, span=self.span.now(), labels=labels, fix=fix)

    @property
    def is_lost(self) -> bool:
        """Whether it points at what an edit removed, or at a place that no words hold where it is."""
        return any(span.now().origin.moves is not None or span.stop == 0 for span in self.places())


class Reporter:
    """Collect diagnostics: a place that is wrong in one way is named once, however often it is used.

    At most `limit` errors are kept, and as many warnings.
    """

    def __init__(self, limit: int = 100) -> None:
        self.limit = limit
        self._found: dict[tuple[str, Span], Diagnostic] = {}
        self._counts = dict.fromkeys(Severity, 0)
        self._is_unwanted: Callable[[Diagnostic], bool] = lambda _: False

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        marker: str = "",
        labels: Iterable[Label] = (),
        notes: Iterable[str] = (),
        help: str = "",
        fix: Fix | None = None,
    ) -> None:
        self.add(Diagnostic(code, Severity.ERROR, message, span, marker, tuple(labels), tuple(notes), help, fix))

    def warning(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        marker: str = "",
        labels: Iterable[Label] = (),
        notes: Iterable[str] = (),
        help: str = "",
        fix: Fix | None = None,
    ) -> None:
        """Say what is legal and most likely not meant."""
        self.add(Diagnostic(code, Severity.WARNING, message, span, marker, tuple(labels), tuple(notes), help, fix))

    def add(self, diagnostic: Diagnostic) -> None:
        key = (diagnostic.code, diagnostic.span)
        if key in self._found or self._is_unwanted(diagnostic):
            return
        if self._counts[diagnostic.severity] < self.limit:
            self._found[key] = diagnostic
            self._counts[diagnostic.severity] += 1

    def leave_out(self, is_unwanted: Callable[[Diagnostic], bool]) -> None:
        """Drop what is unwanted, of what was found so far and from now on."""
        self._is_unwanted = is_unwanted
        for key in [key for key, found in self._found.items() if is_unwanted(found)]:
            self._counts[self._found.pop(key).severity] -= 1

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return tuple(self._found.values())

    @property
    def is_full(self) -> bool:
        """Whether further errors would be left out."""
        return self._counts[Severity.ERROR] >= self.limit

    @property
    def has_errors(self) -> bool:
        return self._counts[Severity.ERROR] > 0
