"""Diagnostics as SARIF, which code hosts and editors import.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import TypeAlias
from urllib.parse import quote

from archdsl.text.codes import CODES
from archdsl.text.diagnostic import Diagnostic, Edit, Fix, Label
from archdsl.text.render.places import bounds, in_order, is_somewhere
from archdsl.text.source import Span

SarifObject: TypeAlias = dict[str, object]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(diagnostics: Iterable[Diagnostic], *, width: int = 80, color: bool = False) -> str:
    """Write one log with one run, whatever the width and colour.

    Each code that occurs is a rule with its page as help. Lines and columns count from 1, columns in UTF-16 code units,
    and the end is exclusive. Labels are related locations.
    """
    del width, color
    ordered = in_order(diagnostics)
    codes = sorted({d.code for d in ordered})
    run: SarifObject = {
        "tool": {"driver": {"name": "archdsl", "rules": [_rule(code) for code in codes]}},
        "columnKind": "utf16CodeUnits",
        "invocations": [{"executionSuccessful": True}],
        "results": [_result(d, codes) for d in ordered],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: str) -> SarifObject:
    rule: SarifObject = {"id": code, "defaultConfiguration": {"level": "warning" if code.startswith("W") else "error"}}
    if code in CODES:
        page = CODES[code]
        rule["shortDescription"] = {"text": page.title}
        rule["fullDescription"] = {"text": page.explanation}
        rule["help"] = {"text": page.explanation, "markdown": page.markdown}
    return rule


def _result(d: Diagnostic, codes: Sequence[str]) -> SarifObject:
    said = [d.message, *(f"note: {note}" for note in d.notes), *([f"help: {d.help}"] if d.help else [])]
    result: SarifObject = {
        "ruleId": d.code,
        "ruleIndex": codes.index(d.code),
        "level": d.severity.value,
        "message": {"text": "\n".join(said)},
    }
    if is_somewhere(d.span):
        result["locations"] = [{"physicalLocation": _place(d.span)}]
    related = [_related(i, label) for i, label in enumerate(d.labels) if is_somewhere(label.span)]
    if related:
        result["relatedLocations"] = related
    if d.fix is not None and d.fix.edits and all(is_somewhere(edit.span) for edit in d.fix.edits):
        result["fixes"] = [_fix(d.fix)]
    return result


def _related(number: int, label: Label) -> SarifObject:
    return {"id": number, "message": {"text": label.message}, "physicalLocation": _place(label.span)}


def _fix(fix: Fix) -> SarifObject:
    files: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        files.setdefault(edit.span.source.name, []).append(edit)
    changes: list[SarifObject] = [
        {"artifactLocation": {"uri": _uri(name)}, "replacements": [_replacement(edit) for edit in edits]}
        for name, edits in files.items()
    ]
    described: SarifObject = {"description": {"text": fix.title}} if fix.title else {}
    return {**described, "artifactChanges": changes}


def _replacement(edit: Edit) -> SarifObject:
    inserted: SarifObject = {"insertedContent": {"text": edit.replacement}} if edit.replacement else {}
    return {"deletedRegion": _region(edit.span), **inserted}


def _place(span: Span) -> SarifObject:
    return {"artifactLocation": {"uri": _uri(span.source.name)}, "region": _region(span)}


def _region(span: Span) -> SarifObject:
    source = span.source
    start, end = bounds(span)
    return {
        "startLine": source.position(start)[0],
        "startColumn": source.utf16_column(start),
        "endLine": source.position(end)[0],
        "endColumn": source.utf16_column(end),
    }


def _uri(name: str) -> str:
    path = PurePath(name)
    quoted = quote(path.as_posix(), errors="surrogatepass")
    return f"file://{quoted if quoted.startswith('/') else '/' + quoted}" if path.is_absolute() else quoted
