"""Diagnostics for programs: one JSON list."""

import json
from collections.abc import Iterable

from archdsl.text.diagnostic import Diagnostic, Fix, Label
from archdsl.text.render.places import bounds, in_order, is_somewhere
from archdsl.text.source import Source, Span


def render(diagnostics: Iterable[Diagnostic], *, width: int = 80, color: bool = False) -> str:
    """Write a list of objects, whatever the width and colour.

    Each has code, severity, message, marker, file, start, end, labels, notes, help and fix. Lines and
    columns count from 1, offsets from 0, all in code points, but for `utf16_column`, which counts UTF-16
    code units as editors do; the end is exclusive. Offsets count CR LF as one. A diagnostic about no
    text has null for file, start and end; fix is null where there is none, else its title, is_safe and edits,
    which are made together.
    """
    del width, color
    return json.dumps([_diagnostic(d) for d in in_order(diagnostics)], indent=2) + "\n"


def _diagnostic(d: Diagnostic) -> dict[str, object]:
    return {
        "code": d.code,
        "severity": d.severity.value,
        "message": d.message,
        "marker": d.marker,
        **_place(d.span),
        "labels": [_label(label) for label in d.labels],
        "notes": list(d.notes),
        "help": d.help,
        "fix": _fix(d.fix) if d.fix else None,
    }


def _label(label: Label) -> dict[str, object]:
    return {"message": label.message, **_place(label.span)}


def _fix(fix: Fix) -> dict[str, object]:
    edits = [{"replacement": edit.replacement, **_place(edit.span)} for edit in fix.edits]
    return {"title": fix.title, "is_safe": fix.is_safe, "edits": edits}


def _place(span: Span) -> dict[str, object]:
    if not is_somewhere(span):
        return {"file": None, "start": None, "end": None}
    start, end = (_position(span.source, offset) for offset in bounds(span))
    return {"file": span.source.name, "start": start, "end": end}


def _position(source: Source, offset: int) -> dict[str, int]:
    line, column = source.position(offset)
    return {"line": line, "column": column, "utf16_column": source.utf16_column(offset), "offset": offset}
