"""Frozen data classes that take little time to make."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field
from inspect import get_annotations
from operator import attrgetter
from reprlib import recursive_repr
from typing import Any, TypeVar, cast, dataclass_transform

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Sample:
    """A class as the standard library makes it, for the marks that its functions know such classes and fields by."""

    value: None


_PARAMS: object = getattr(_Sample, "__dataclass_params__")  # noqa: B009 - no type checker knows the name
_FIELD: object = getattr(dataclasses.fields(_Sample)[0], "_field_type")  # noqa: B009


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(kind: type[T]) -> type[T]:
    """Make a class what `dataclass(frozen=True, slots=True)` makes it, in a fraction of the time.

    The standard decorator compiles six methods for every class. For all the classes that a check imports that takes
    longer than the check itself. Here only `__init__` is compiled; the others share one function that reads all fields.
    `dataclasses.fields`, `replace` and their kin take these classes for their own. There is no `InitVar`, `KW_ONLY` or
    `__post_init__`, no field outside `__init__`, and no inheritance among them.
    Errors: TypeError for a class that asks for one of these

    >>> @record
    ... class Point:
    ...     x: int
    ...     y: int = 0
    >>> Point(1), Point(1) == Point(1, 0), dataclasses.replace(Point(1), y=2)
    (Point(x=1, y=0), True, Point(x=1, y=2))
    """
    entries = _fields(kind)
    names = tuple(entry.name for entry in entries)
    namespace = {name: value for name, value in kind.__dict__.items() if name not in _LEFT_OUT and name not in names}
    own_hash = namespace.pop("__hash__", None)  # None stands there beside an `__eq__`
    namespace |= {
        "__slots__": names,
        "__match_args__": names,
        "__dataclass_fields__": {entry.name: entry for entry in entries},
        "__dataclass_params__": _PARAMS,
    }
    made = type(kind)(kind.__name__, kind.__bases__, {**_methods(entries, own_hash), **namespace})
    made.__qualname__ = kind.__qualname__
    if "__init__" not in namespace:
        made.__init__ = _constructor(made, entries)
    return made


_LEFT_OUT = ("__dict__", "__weakref__")


def _fields(kind: type) -> list[Field[Any]]:
    """Return the fields of a class as `dataclasses.fields` has them."""
    if hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__post_init__"):
        raise TypeError(f"{kind.__name__} is more than a record can be")
    found: list[Field[Any]] = []
    for name, annotation in get_annotations(kind).items():
        if str(annotation).startswith("ClassVar"):
            continue
        default = kind.__dict__.get(name, MISSING)
        entry: Any = cast("Any", default) if isinstance(default, Field) else field(default=default)
        if not entry.init or str(annotation).startswith(("InitVar", "KW_ONLY")):
            raise TypeError(f"{kind.__name__}.{name} is more than a record's field can be")
        entry.name, entry.type, entry.kw_only, entry._field_type = name, annotation, False, _FIELD
        found.append(entry)
    return found


def _methods(entries: Sequence[Field[Any]], own_hash: object) -> dict[str, object]:
    """Return all methods but `__init__`, which the class itself may have others of."""
    shown = [entry.name for entry in entries if entry.repr]
    read = _reader([entry.name for entry in entries])
    compared = _reader([entry.name for entry in entries if entry.compare])
    names = [entry.name for entry in entries]

    def show(self: object) -> str:
        return f"{type(self).__qualname__}({', '.join([f'{name}={getattr(self, name)!r}' for name in shown])})"

    def equal(self: object, other: object) -> bool:
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: object) -> int:
        return hash(compared(self))

    def state(self: object) -> list[object]:
        return list(read(self))

    def restore(self: object, values: Sequence[object]) -> None:
        for name, value in zip(names, values, strict=True):
            object.__setattr__(self, name, value)

    return {
        "__repr__": recursive_repr()(show),
        "__eq__": equal,
        "__hash__": own_hash or hashed,
        "__getstate__": state,
        "__setstate__": restore,
        "__setattr__": _set,
        "__delattr__": _delete,
    }


def _set(self: object, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _reader(names: Sequence[str]) -> Callable[[Any], tuple[object, ...]]:
    """Return what reads some attributes of an object as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    if not names:
        return lambda _: ()
    read = attrgetter(*names)
    return lambda one: (read(one),)


def _constructor(made: type, entries: Sequence[Field[Any]]) -> Any:
    """Compile `__init__`. It fills the slots, which is what a frozen class lets nobody else do."""
    scope: dict[str, Any] = {}
    parameters, lines = ["self"], list[str]()
    for entry in entries:
        name = entry.name
        scope[f"_set_{name}"] = made.__dict__[name].__set__
        value = name
        if entry.default_factory is not MISSING:
            scope[f"_make_{name}"], scope[f"_default_{name}"] = entry.default_factory, MISSING
            value = f"_make_{name}() if {name} is _default_{name} else {name}"
        elif entry.default is not MISSING:
            scope[f"_default_{name}"] = entry.default
        parameters.append(f"{name}=_default_{name}" if f"_default_{name}" in scope else name)
        lines.append(f"    _set_{name}(self, {value})")
    exec(f"def __init__({', '.join(parameters)}):\n{chr(10).join(lines) or '    pass'}", scope)
    scope["__init__"].__qualname__ = f"{made.__qualname__}.__init__"
    return scope["__init__"]
