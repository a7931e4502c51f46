"""Which warnings are wanted: those that a spec allows at some place are dropped, those denied become errors."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from archdsl.text.diagnostic import Diagnostic, Severity
from archdsl.text.record import record
from archdsl.text.source import NOWHERE, Source, Span

ALL = "warnings"
"""The word that stands for every warning's code."""


@record
class Allowance:
    """One code of an `allow`: no warning of this code is wanted whose place lies in `scope`."""

    code: str
    span: Span
    """Where the code stands."""
    statement: Span
    scope: Span
    home: Span | None = None
    """The declaration that it stands in, if it stands in one."""
    is_conditional: bool = False
    """Whether it stands in a branch of an `if`, which some settings leave out."""

    def covers(self, warning: Diagnostic) -> bool:
        scope, place = self.scope, warning.span
        is_inside = scope.start <= place.start and place.end <= scope.end
        return warning.code == self.code and place.source is scope.source and is_inside


class Allowances:
    """What the file that is checked allows, and which of it was of use.

    Warnings about another file's text are dropped too: whoever checks this file may not be able to change that one,
    and sees them by checking it.
    """

    def __init__(self, source: Source, found: Iterable[Allowance] = ()) -> None:
        self.source = source
        # A warning counts for the closest `allow` around it.
        self.found = sorted(found, key=lambda allowance: allowance.scope.end - allowance.scope.start)
        self._used: set[Span] = set()

    def drops(self, diagnostic: Diagnostic) -> bool:
        """Return whether a diagnostic is a warning that is not wanted."""
        if diagnostic.severity is not Severity.WARNING:
            return False
        if diagnostic.span.source not in (self.source, NOWHERE):
            return True
        covering = next((allowance for allowance in self.found if allowance.covers(diagnostic)), None)
        if covering is not None:
            self._used.add(covering.span)
        return covering is not None

    def unused(self) -> list[Allowance]:
        """Return what has dropped nothing so far."""
        return [allowance for allowance in self.found if allowance.span not in self._used]


def settle(diagnostics: Iterable[Diagnostic], allowed: Collection[str], denied: Collection[str]) -> list[Diagnostic]:
    """Drop warnings whose codes are allowed, and make errors of those denied; a code goes before `ALL`."""
    found: list[Diagnostic] = []
    for diagnostic in diagnostics:
        if diagnostic.severity is not Severity.WARNING:
            found.append(diagnostic)
        elif diagnostic.code in denied or (ALL in denied and diagnostic.code not in allowed):
            found.append(replace(diagnostic, severity=Severity.ERROR))
        elif diagnostic.code not in allowed and ALL not in allowed:
            found.append(diagnostic)
    return found
