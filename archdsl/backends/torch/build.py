"""Generated source to an nn.Module."""

from __future__ import annotations

import linecache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


def build(source: str, name: str) -> nn.Module:
    """Run generated source and make its network, which is its last class.

    Requires: `source` is what `emit` gave; torch is installed. Tracebacks and `inspect` show the source's lines.
    """
    filename = f"<archdsl {name} {abs(hash(source)):x}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": f"archdsl.generated.{name}"}
    exec(compile(source, filename, "exec"), namespace)
    classes = [value for value in namespace.values() if isinstance(value, type)]
    own = [value for value in classes if value.__module__ == namespace["__name__"]]
    module: nn.Module = own[-1]()
    return module
