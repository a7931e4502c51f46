"""Python code as data: expressions, and what walks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias, cast

from archdsl.text.record import record


@record
class PyLiteral:
    """A constant."""

    value: object


@record
class PyName:
    """A name, or any text that is never broken."""

    text: str


@record
class PyCall:
    """`function(arguments, key=argument)`."""

    function: str
    arguments: tuple[PyExpression, ...] = ()
    keywords: tuple[tuple[str, PyExpression], ...] = ()


class Symbol(str):
    """A class as a constant, such as `nn.ReLU`."""

    __slots__ = ()


@record
class Made:
    """`kind(arguments, key=argument)`: a module whose class is itself a value."""

    kind: PyExpression
    keywords: tuple[tuple[str, PyExpression], ...] = ()
    arguments: tuple[PyExpression, ...] = ()


@record
class Method:
    """`subject.name(arguments)`."""

    subject: PyExpression
    name: str
    arguments: tuple[PyExpression, ...] = ()


@record
class Infix:
    """`a + b`."""

    operator: str
    operands: tuple[PyExpression, ...]


@record
class PyList:
    """`[a, b]`."""

    items: tuple[PyExpression, ...]


@record
class PyTuple:
    """`(a, b)`."""

    items: tuple[PyExpression, ...]


@record
class PyDict:
    """`{"key": a}`."""

    items: tuple[tuple[str, PyExpression], ...]


@record
class Progression:
    """`start + step * i`: whole numbers that grow from one item of a repeat to the next."""

    start: PyExpression
    step: PyExpression


@record
class Rate:
    """`scale * (offset + i) / divisor`: fractions that grow from one item of a repeat to the next."""

    scale: float
    offset: int
    divisor: int


@record
class Repeat:
    """`*(item for i in range(count))`: arguments that are equal, or differ in what grows with i."""

    item: PyExpression
    count: PyExpression


@record
class NamedItem:
    """`("name", code)`: an item of an OrderedDict."""

    name: str
    code: PyExpression


@record
class Numbered:
    """The pairs `(f"{prefix}{i + first}", item) for i in range(count)` of an OrderedDict."""

    prefix: str
    first: int
    item: PyExpression
    count: PyExpression


@record
class Spread:
    """`*(pairs)`: numbered pairs among others in a list."""

    pairs: PyExpression


@record
class Either:
    """`then if flag else otherwise`."""

    flag: str
    then: PyExpression
    otherwise: PyExpression


@record
class Hole:
    """A constant that differs between the instances of a class: one value each, and names that it could have."""

    values: tuple[object, ...]
    hints: tuple[str, ...]
    default: object = None


PyExpression: TypeAlias = (
    PyLiteral
    | PyName
    | PyCall
    | Made
    | Method
    | Infix
    | PyList
    | PyTuple
    | PyDict
    | Progression
    | Rate
    | Repeat
    | NamedItem
    | Numbered
    | Spread
    | Either
    | Hole
)


def items_of(value: object) -> tuple[object, ...] | None:
    """Return a tuple's items; None for anything else."""
    return cast("tuple[object, ...]", value) if isinstance(value, tuple) else None


def mapped(code: PyExpression, change: Callable[[PyExpression], PyExpression]) -> PyExpression:
    """Return code with the expressions directly inside it changed."""
    match code:
        case PyCall(function, arguments, keywords):
            named = _named(keywords, change)  # first, for the order of holes is that of a constructor's parameters
            return PyCall(function, tuple(map(change, arguments)), named)
        case Made(kind, keywords, arguments):
            named = _named(keywords, change)
            return Made(change(kind), named, tuple(map(change, arguments)))
        case Method(subject, name, arguments):
            return Method(change(subject), name, tuple(map(change, arguments)))
        case Infix(operator, operands):
            return Infix(operator, tuple(map(change, operands)))
        case PyList(items) | PyTuple(items):
            return type(code)(tuple(map(change, items)))
        case PyDict(items):
            return PyDict(_named(items, change))
        case Progression(start, step):
            return Progression(change(start), change(step))
        case Repeat(item, count):
            return Repeat(change(item), change(count))
        case NamedItem(name, item):
            return NamedItem(name, change(item))
        case Numbered(prefix, first, item, count):
            return Numbered(prefix, first, change(item), change(count))
        case Spread(pairs):
            return Spread(change(pairs))
        case Either(flag, then, otherwise):
            return Either(flag, change(then), change(otherwise))
        case PyLiteral() | PyName() | Rate() | Hole():
            return code


def _named(
    items: tuple[tuple[str, PyExpression], ...], change: Callable[[PyExpression], PyExpression]
) -> tuple[tuple[str, PyExpression], ...]:
    return tuple((key, change(item)) for key, item in items)


def children(code: PyExpression) -> tuple[PyExpression, ...]:
    """List the expressions directly inside code, in the order of `mapped`."""
    match code:  # what is asked most often, without making the code anew
        case PyLiteral() | PyName() | Rate() | Hole():
            return ()
        case PyCall(_, arguments, ()):
            return arguments
        case PyCall(_, arguments, keywords):
            return (*(item for _, item in keywords), *arguments)
        case PyList(items) | PyTuple(items):
            return items
        case _:
            pass
    found: list[PyExpression] = []

    def note(part: PyExpression) -> PyExpression:
        found.append(part)
        return part

    mapped(code, note)
    return tuple(found)


def with_children(code: PyExpression, parts: Iterable[PyExpression]) -> PyExpression:
    """Return code with other expressions directly inside it, in the order of `children`."""
    left = iter(parts)
    return mapped(code, lambda _: next(left))


def frame(code: PyExpression) -> PyExpression:
    """Return what is left of code without the expressions inside it: codes of one frame differ in those alone."""
    return mapped(code, lambda _: PyName(""))


def grows(code: PyExpression) -> bool:
    """Return whether code differs from one item of a repeat to the next; a repeat inside it counts for itself."""
    match code:
        case Progression() | Rate():
            return True
        case Repeat() | Numbered():
            return False
        case _:
            return any(map(grows, children(code)))
