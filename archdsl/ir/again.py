"""How a body is made once more, as a call would make it that the network does not have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from archdsl.ops.shape import Shape

B = TypeVar("B")


class Again(Generic[B]):
    """Makes a body once more for other parameters and other inputs; gives None where those are a mistake.

    It holds the spec and what lowering knows, so that a copy of it is itself, and one that is saved has forgotten all.
    """

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[Mapping[str, object], Sequence[Shape]], B | None]) -> None:
        self._make = make

    def __call__(self, parameters: Mapping[str, object], entering: Sequence[Shape]) -> B | None:
        return self._make(parameters, entering)

    def __deepcopy__(self, _: object) -> Again[B]:
        return self

    def __reduce__(self) -> tuple[type[Again[object]], tuple[object]]:
        return Again, (_forgotten,)


def _forgotten(parameters: Mapping[str, object], entering: Sequence[Shape]) -> None:
    return None
