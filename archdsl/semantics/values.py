"""What expressions evaluate to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias, cast

from archdsl.ops.base import Init, Op
from archdsl.ops.shape import Shape
from archdsl.semantics.module import Module
from archdsl.syntax import tree
from archdsl.text.record import record


@record
class DeclaredBlock:
    """A block and the file it was written in. Equal only to itself."""

    declaration: tree.Block
    module: Module

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeclaredBlock) and self.declaration is other.declaration

    def __hash__(self) -> int:
        return id(self.declaration)


@record
class Partial:
    """An operator or block as a value, perhaps with some of its arguments: `relu`, `group(32)`."""

    name: str
    target: type[Op] | DeclaredBlock
    arguments: tuple[tuple[str, Setting], ...] = ()


@record
class Closure:
    """A body handed to a block, with the local names of the place where it was written.

    `read` are those that the body reads, as far as its text tells.
    """

    body: tree.Body
    module: Module
    names: tuple[tuple[str, object], ...]
    read: tuple[tuple[str, object], ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Closure) and self.body is other.body and self.read == other.read

    def __hash__(self) -> int:
        return hash((id(self.body), self.read))


@record
class LevelValue:
    """A value that flows in a network: the result of one of a level's steps, or one of its outputs.

    `name` is what a spec writes behind `@` for it. The shape is None where a mistake left it unknown.
    """

    level: object
    index: int
    output: str
    name: str = field(compare=False)
    shape: Shape | None = field(compare=False)


@record
class LocalFunction:
    """A function that a body declares, with the local names that it reads of those where it was written."""

    function: tree.Function
    module: Module
    read: tuple[tuple[str, object], ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LocalFunction) and self.function is other.function and self.read == other.read

    def __hash__(self) -> int:
        return hash((id(self.function), self.read))


class Unknown:
    """The value of a name whose definition holds a mistake that is reported already."""


UNKNOWN = Unknown()


# Lists are tuples, so that every value can be a key.
Number: TypeAlias = int | float | Fraction
Setting: TypeAlias = (
    "bool | int | float | Fraction | str | Init | Partial | Closure | LocalFunction | LevelValue | tuple[Setting, ...]"
)


_TOLD_APART = frozenset({int, str})
"""Types whose values are told apart by comparing them."""
_STILL = frozenset({bool, int, float, Fraction, str, Init})
"""Types of settings in which nothing flows."""


def identity(value: object, kept: Mapping[LevelValue, int] = MappingProxyType({})) -> object:
    """Return what tells a setting from every other one, also 1 from 1.0 and true, which Python holds to be equal.

    Values that flow are alike where their shapes are: a body takes them as inputs. Those that an operator, block or
    body brings along are told by their places in `kept`.
    """
    kind = type(value)
    if kind is int or kind is str:
        return value
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        return items if {*map(type, items)} <= _TOLD_APART else tuple([identity(item, kept) for item in items])
    if isinstance(value, LevelValue):
        return kind, kept.get(value), value.shape
    if isinstance(value, Partial):
        return value.target, tuple([(key, identity(item, kept)) for key, item in value.arguments])
    if isinstance(value, Closure | LocalFunction):
        names = tuple([(name, identity(item, kept)) for name, item in value.read])
        return kind, id(value.body if isinstance(value, Closure) else value.function), names
    return kind, value


def flowing_in(value: object) -> Iterator[LevelValue]:
    """Yield the values that flow among what a setting consists of, in order, each as often as it occurs."""
    match value:
        case LevelValue():
            yield value
        case tuple():
            items = cast("tuple[object, ...]", value)
            if not {*map(type, items)} <= _STILL:  # long lists of numbers take no time
                for item in items:
                    yield from flowing_in(item)
        case Partial():
            for _, item in value.arguments:
                yield from flowing_in(item)
        case Closure() | LocalFunction():
            for _, item in value.read:
                yield from flowing_in(item)
        case _:
            pass


def is_value(held: Setting) -> bool:
    """Return whether a setting is a value that flows, or a list of such."""
    return isinstance(held, LevelValue) or (isinstance(held, tuple) and all(map(is_value, held)))


def describe(value: Setting) -> str:
    """Write a value as a spec would."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return "[" + ", ".join(map(describe, value)) + "]"
        case Partial(name, _, arguments):
            inner = ", ".join(f"{key}={describe(item)}" if key else describe(item)[1:-1] for key, item in arguments)
            return f"{name}({inner})" if inner else name
        case Init():
            inner = ", ".join(f"{key}={item}" for key, item in value.arguments)
            return f"{value.function.removesuffix('_')}({inner})" if inner else value.function.removesuffix("_")
        case float():
            return f"{value:g}"
        case Closure():
            return "{ … }"
        case LocalFunction():
            return f"{value.function.name.text}(…)"
        case LevelValue():
            return f"@{value.name}"
        case _:
            return str(value)


def write_value(value: Setting) -> str:
    """Return the text of a value that flows nowhere, which reads back as the same value.

    >>> write_value((1e-7, "max", "a b"))
    '[1e-07, max, "a b"]'
    """
    match value:
        case float():
            return repr(value)
        case str():
            return value if value.isidentifier() else f'"{value}"'
        case tuple():
            return f"[{', '.join(map(write_value, value))}]"
        case Partial(name, _, arguments) if arguments:
            return f"{name}({', '.join(f'{key}={write_value(item)}' for key, item in arguments)})"
        case Init() if value.arguments:
            inner = ", ".join(f"{key}={write_value(item)}" for key, item in value.arguments)
            return f"{value.function.removesuffix('_')}({inner})"
        case _:
            return describe(value)


def as_word(value: Setting) -> Setting:
    """Return the word that was written where a word is wanted, though an operator or initialisation bears that name."""
    if isinstance(value, Partial) and not value.arguments:
        return value.name
    if isinstance(value, Init) and not value.arguments:
        return value.function.removesuffix("_")
    return value


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
        case LocalFunction():
            return "a function"
        case LevelValue():
            return "a value"
