"""What stands in for objects that a file has beside its weights: without values, and without code of theirs."""

from __future__ import annotations

from typing import Any, ClassVar


class Stranger:
    """An object of a class or function that is not known here: nothing of it is imported, run, or kept."""

    path: ClassVar[str]
    """What the file calls the class or function."""

    def __init__(self, *parts: object) -> None:
        del parts

    def __setstate__(self, state: object) -> None:
        del state


def stand_in_for(path: str) -> tuple[Any, str]:
    """Return what torch's restricted reader takes for a class or function: a stand-in, and the name it has in files.

    A report calls it by the package that it comes from.
    """
    if path == "collections.defaultdict":
        return _plain_dict, path
    return type(path.partition(".")[0], (Stranger,), {"path": path}), path


def _plain_dict(*factory: object) -> dict[object, object]:
    del factory
    return {}
