"""One line for each diagnostic, for pipes, editors and `grep`."""

from collections.abc import Iterable

from archdsl.text.diagnostic import Diagnostic
from archdsl.text.render.display import visible
from archdsl.text.render.places import bounds, in_order, is_somewhere
from archdsl.text.source import Span


def render(diagnostics: Iterable[Diagnostic], *, width: int = 80, color: bool = False) -> str:
    """Write `file:line:column: error[E210]: message`, whatever the width and colour."""
    del width, color
    return "".join(_line(d) for d in in_order(diagnostics))


def _line(d: Diagnostic) -> str:
    message = visible(" ".join(d.message.splitlines()))
    return f"{_place(d.span)}{d.severity}[{d.code}]: {message}\n"


def _place(span: Span) -> str:
    if not is_somewhere(span):
        return ""
    line, column = span.source.position(bounds(span)[0])
    return f"{visible(span.source.name)}:{line}:{column}: "
