"""Ways to write diagnostics; each sorts them by file and position, and ends every line it writes."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol

from archdsl.text.diagnostic import Diagnostic
from archdsl.text.render import github, json, plain, sarif, terminal


class Renderer(Protocol):
    """Write diagnostics for a reader `width` columns wide; what programs read ignores width and colour."""

    def __call__(self, diagnostics: Iterable[Diagnostic], *, width: int = 80, color: bool = False) -> str: ...


RENDERERS: Mapping[str, Renderer] = MappingProxyType(
    {
        "terminal": terminal.render,
        "plain": plain.render,
        "json": json.render,
        "github": github.render,
        "sarif": sarif.render,
    }
)
