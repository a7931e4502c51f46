"""How commands are imported, so that they begin soon."""

from __future__ import annotations

import gc
import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from types import TracebackType


# Objects between two looks for garbage. Python's own 700 has it look at the same modules again and again; with none at
# all, what the making of classes leaves behind would stay.
_SELDOM = 10_000


class Importing:
    """The import of a module, in which garbage is seldom looked for: what imports make stays to the end."""

    def __init__(self, module: str) -> None:
        self._is_first = module not in sys.modules and gc.isenabled()
        self._before = gc.get_threshold()

    def __enter__(self) -> None:
        if self._is_first:
            gc.set_threshold(_SELDOM)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._is_first:
            gc.freeze()
            gc.set_threshold(*self._before)
