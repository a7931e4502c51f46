"""Python code as data: expressions, and what walks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias, cast


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: object


@dataclass(frozen=True, slots=True)
class Name:
    """A name, or any text that is never broken."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments, key=argument)`."""

    function: str
    arguments: tuple[Expression, ...] = ()
    keywords: tuple[tuple[str, Expression], ...] = ()


class Symbol(str):
    """A class as a constant, such as `nn.ReLU`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Made:
    """`kind(keywords)`: a module whose class is itself a value."""

    kind: Expression
    keywords: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True, slots=True)
class Method:
    """`subject.name(arguments)`."""

    subject: Expression
    name: str
    arguments: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Infix:
    """`a + b`."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class TupleOf:
    """`(a, b)`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class DictOf:
    """`{"key": a}`."""

    items: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Progression:
    """`start + step * i`: whole numbers that grow from one item of a repeat to the next."""

    start: Expression
    step: Expression


@dataclass(frozen=True, slots=True)
class Rate:
    """`scale * (offset + i) / divisor`: fractions that grow from one item of a repeat to the next."""

    scale: float
    offset: int
    divisor: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """`*(item for i in range(count))`: arguments that are equal, or differ in what grows with i."""

    item: Expression
    count: Expression


@dataclass(frozen=True, slots=True)
class Pair:
    """`("name", code)`: an item of an OrderedDict."""

    name: str
    code: Expression


@dataclass(frozen=True, slots=True)
class Numbered:
    """The pairs `(f"{prefix}{i + first}", item) for i in range(count)` of an OrderedDict."""

    prefix: str
    first: int
    item: Expression
    count: Expression


@dataclass(frozen=True, slots=True)
class Spread:
    """`*(pairs)`: numbered pairs among others in a list."""

    pairs: Expression


@dataclass(frozen=True, slots=True)
class Either:
    """`then if flag else otherwise`."""

    flag: str
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Hole:
    """A constant that differs between the instances of a class: one value each, and names that it could have."""

    values: tuple[object, ...]
    hints: tuple[str, ...]
    default: object = None


Expression: TypeAlias = (
    Literal
    | Name
    | Call
    | Made
    | Method
    | Infix
    | ListOf
    | TupleOf
    | DictOf
    | Progression
    | Rate
    | Repeat
    | Pair
    | Numbered
    | Spread
    | Either
    | Hole
)


def items_of(value: object) -> tuple[object, ...] | None:
    """Return a tuple's items; None for anything else."""
    return cast("tuple[object, ...]", value) if isinstance(value, tuple) else None


def mapped(code: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Return code with the expressions directly inside it changed."""
    match code:
        case Call(function, arguments, keywords):
            named = _named(keywords, change)  # first, for the order of holes is that of a constructor's parameters
            return Call(function, tuple(map(change, arguments)), named)
        case Made(kind, keywords):
            return Made(change(kind), _named(keywords, change))
        case Method(subject, name, arguments):
            return Method(change(subject), name, tuple(map(change, arguments)))
        case Infix(operator, operands):
            return Infix(operator, tuple(map(change, operands)))
        case ListOf(items) | TupleOf(items):
            return type(code)(tuple(map(change, items)))
        case DictOf(items):
            return DictOf(_named(items, change))
        case Progression(start, step):
            return Progression(change(start), change(step))
        case Repeat(item, count):
            return Repeat(change(item), change(count))
        case Pair(name, item):
            return Pair(name, change(item))
        case Numbered(prefix, first, item, count):
            return Numbered(prefix, first, change(item), change(count))
        case Spread(pairs):
            return Spread(change(pairs))
        case Either(flag, then, otherwise):
            return Either(flag, change(then), change(otherwise))
        case Literal() | Name() | Rate() | Hole():
            return code


def _named(
    items: tuple[tuple[str, Expression], ...], change: Callable[[Expression], Expression]
) -> tuple[tuple[str, Expression], ...]:
    return tuple((key, change(item)) for key, item in items)


def children(code: Expression) -> tuple[Expression, ...]:
    """List the expressions directly inside code."""
    found: list[Expression] = []

    def note(part: Expression) -> Expression:
        found.append(part)
        return part

    mapped(code, note)
    return tuple(found)


def with_children(code: Expression, parts: Iterable[Expression]) -> Expression:
    """Return code with other expressions directly inside it, in the order of `children`."""
    left = iter(parts)
    return mapped(code, lambda _: next(left))


def frame(code: Expression) -> Expression:
    """Return what is left of code without the expressions inside it: codes of one frame differ in those alone."""
    return mapped(code, lambda _: Name(""))


def grows(code: Expression) -> bool:
    """Tell whether code differs from one item of a repeat to the next; a repeat inside it counts for itself."""
    match code:
        case Progression() | Rate():
            return True
        case Repeat() | Numbered():
            return False
        case _:
            return any(map(grows, children(code)))
