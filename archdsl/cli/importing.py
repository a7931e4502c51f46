"""How commands are imported, so that they begin soon."""

from __future__ import annotations

import gc
import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from types import TracebackType


class Importing:
    """The import of a module, in which nothing looks for garbage: what imports make stays to the end."""

    def __init__(self, module: str) -> None:
        self._is_first = module not in sys.modules and gc.isenabled()

    def __enter__(self) -> None:
        if self._is_first:
            gc.disable()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._is_first:
            gc.freeze()
            gc.enable()
