"""Diagnostics as annotations on a pull request.

Source: "Workflow commands for GitHub Actions"; escapes as in actions/toolkit, packages/core/src/command.ts.
"""

from collections.abc import Iterable

from archdsl.text.diagnostic import Diagnostic
from archdsl.text.render.display import visible
from archdsl.text.render.places import bounds, in_order, is_somewhere, last_offset
from archdsl.text.source import Span


def render(diagnostics: Iterable[Diagnostic], *, width: int = 80, color: bool = False) -> str:
    """Write one `::error file=…,line=…,…,title=E210::message` line each, whatever the width and colour.

    Notes and help follow in the message, since an annotation shows nothing else. Columns are left out of a
    span over several lines: GitHub takes them for one line only.
    """
    del width, color
    return "".join(_command(d) for d in in_order(diagnostics))


def _command(d: Diagnostic) -> str:
    named = [*_place(d.span), ("title", d.code)]
    properties = ",".join(f"{key}={_escape_property(value)}" for key, value in named)
    parts = [d.message, *(f"note: {note}" for note in d.notes), *([f"help: {d.help}"] if d.help else [])]
    message = "\n".join(visible(line) for part in parts for line in part.splitlines())
    return f"::{d.severity} {properties}::{_escape(message)}\n"


def _place(span: Span) -> list[tuple[str, str]]:
    if not is_somewhere(span):
        return []
    source = span.source
    line, column = source.position(bounds(span)[0])
    end_line, last_column = source.position(last_offset(span))
    file = [("file", visible(source.name)), ("line", str(line))]
    if line != end_line:
        return [*file, ("endLine", str(end_line))]
    return [*file, ("col", str(column)), ("endLine", str(end_line)), ("endColumn", str(last_column + 1))]


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
