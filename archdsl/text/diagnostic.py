"""Diagnostics are data: what is wrong, where, and what to do about it. Renderers live in `render`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from archdsl.text.source import Span


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """Another place needed to understand a diagnostic."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Fix:
    """An exact edit. Only a safe one, which keeps the meaning, is applied without asking."""

    span: Span
    replacement: str
    is_safe: bool = False


@dataclass(frozen=True, slots=True)
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


class SpecError(Exception):
    """A spec that cannot be used, with every diagnostic found in it."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(f"{d.span}: {d.severity}[{d.code}]: {d.message}" for d in self.diagnostics))


class Reporter:
    """Collect diagnostics, at most `limit`: a place that is wrong in one way is named once, however often used."""

    def __init__(self, limit: int = 100) -> None:
        self.limit = limit
        self._found: dict[tuple[str, Span], Diagnostic] = {}

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

    def add(self, diagnostic: Diagnostic) -> None:
        if len(self._found) < self.limit:
            self._found.setdefault((diagnostic.code, diagnostic.span), diagnostic)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return tuple(self._found.values())

    @property
    def is_full(self) -> bool:
        """Whether further diagnostics would be left out."""
        return len(self._found) >= self.limit

    @property
    def has_errors(self) -> bool:
        return any(d.severity is Severity.ERROR for d in self._found.values())

    def raise_errors(self) -> None:
        """Raise what was found as one `SpecError`, if any of it is an error."""
        if self.has_errors:
            raise SpecError(self.diagnostics)
