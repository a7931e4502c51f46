"""A text that is open: its latest state, its tree, and the places in all that was made of earlier states."""

from __future__ import annotations

from weakref import ReferenceType, ref

from archdsl.syntax.damage import Parsed
from archdsl.syntax.edited import adopt, move_on, parse_edited
from archdsl.syntax.parser import parse
from archdsl.text.diagnostic import Diagnostic, Reporter
from archdsl.text.source import Source


class Document:
    """A text that is edited. What it declares in the same words as before is the same node, at its new place."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.parsed: Parsed | None = None
        self.diagnostics: tuple[Diagnostic, ...] = ()
        """The syntax mistakes in the latest text."""
        self._text: str | None = None
        self._last: Parsed | None = None
        """The latest tree, of an earlier text where the latest has none."""
        self._versions: list[ReferenceType[Source]] = []
        """The texts that trees were made of, as far as anything points at them yet."""

    def read(self, text: str) -> tuple[Parsed | None, tuple[Diagnostic, ...]]:
        """Take the latest text, and return its tree and the mistakes in it."""
        if text != self._text:
            self._text = text
            self._parse(Source(text, self.name))
        return self.parsed, self.diagnostics

    def _parse(self, source: Source) -> None:
        earlier = self.parsed
        edited = parse_edited(earlier, source) if earlier is not None and earlier.is_legal else None
        if edited is not None:
            self.diagnostics = ()
        else:
            report = Reporter()
            parsed = parse(source, report)
            self.diagnostics = report.diagnostics
            if parsed is None:
                self.parsed = None
                return
            edited = adopt(self._last, parsed) if self._last is not None else (parsed, ())
        parsed, kept = edited
        versions = [version for reference in self._versions if (version := reference()) is not None]
        if self._last is not None:
            move_on(self._last.file.source, source, kept, versions)
        self._versions = [ref(version) for version in (*versions, source)]
        self.parsed = self._last = parsed
