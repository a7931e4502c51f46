"""What expressions evaluate to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias, cast

from archdsl.ops.base import Init, Op
from archdsl.semantics.module import Module
from archdsl.syntax import tree


@dataclass(frozen=True, slots=True)
class DeclaredBlock:
    """A block and the file it was written in. Equal only to itself."""

    declaration: tree.Block
    module: Module

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeclaredBlock) and self.declaration is other.declaration

    def __hash__(self) -> int:
        return id(self.declaration)


@dataclass(frozen=True, slots=True)
class Partial:
    """An operator or block as a value, perhaps with some of its arguments: `relu`, `group(32)`."""

    name: str
    target: type[Op] | DeclaredBlock
    arguments: tuple[tuple[str, Setting], ...] = ()


@dataclass(frozen=True, slots=True)
class Closure:
    """A body handed to a block, with the local names of the place where it was written."""

    body: tree.Body
    module: Module
    names: tuple[tuple[str, object], ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Closure) and self.body is other.body and self.names == other.names

    def __hash__(self) -> int:
        return hash((id(self.body), self.names))


class Unknown:
    """The value of a name whose definition holds a mistake that is reported already."""


UNKNOWN = Unknown()


# Lists are tuples, so that every value can be a key.
Number: TypeAlias = int | float | Fraction
Setting: TypeAlias = "bool | int | float | Fraction | str | Init | Partial | Closure | tuple[Setting, ...]"


def identity(value: Setting) -> object:
    """Return what tells a value from every other one, also 1 from 1.0 and true, which Python holds to be equal."""
    kind = type(value)
    if kind is int or kind is str:
        return value
    if isinstance(value, tuple):
        return tuple(map(identity, value))
    if isinstance(value, Partial):
        return value.target, tuple((key, identity(item)) for key, item in value.arguments)
    return kind, value


def describe(value: Setting) -> str:
    """Write a value as a spec would."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return "[" + ", ".join(map(describe, value)) + "]"
        case Partial(name, _, arguments):
            inner = ", ".join(f"{key}={describe(item)}" for key, item in arguments)
            return f"{name}({inner})" if inner else name
        case Init():
            inner = ", ".join(f"{key}={item}" for key, item in value.arguments)
            return f"{value.function.removesuffix('_')}({inner})" if inner else value.function.removesuffix("_")
        case float():
            return f"{value:g}"
        case Closure():
            return "{ … }"
        case _:
            return str(value)


_LONGEST_SHOWN = 60
_LONGEST_OF_TURN = 20


def shown(value: Setting) -> str:
    """Write a value and its kind for a message, cut short where it is long."""
    text = describe(value)
    text = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN].rstrip(' ,')} …"
    return f"{text}, {kind_of(value)}"


def turns_in_words(turns: Iterable[tuple[str, object]]) -> str:
    """Return the turns of a `for` as in `t=3, i=0`; what a name was bound to last is what it means."""
    return ", ".join(f"{name}={_in_short(value)}" for name, value in dict(turns).items())


def _in_short(value: object) -> str:
    text = "…" if isinstance(value, Unknown) else describe(cast("Setting", value))
    return text if len(text) <= _LONGEST_OF_TURN else f"{text[:_LONGEST_OF_TURN].rstrip(' ,')} …"


def kind_of(value: Setting) -> str:
    """Name a value's kind for a message."""
    match value:
        case bool():
            return "a truth value"
        case int():
            return "a whole number"
        case float():
            return "a number"
        case Fraction():
            return "a fraction"
        case str():
            return "a word"
        case tuple():
            return "a list"
        case Partial():
            return "a block" if isinstance(value.target, DeclaredBlock) else "an operator"
        case Init():
            return "an initialisation"
        case Closure():
            return "a body"
