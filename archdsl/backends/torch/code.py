"""Python code as data: expressions, and their layout in the style of `ruff format`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

WIDTH = 88


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
    function: str
    arguments: tuple[Expression, ...] = ()
    keywords: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True, slots=True)
class Method:
    """`subject.name(arguments)`."""

    subject: Expression
    name: str
    arguments: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Infix:
    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class DictOf:
    items: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`*(item for _ in range(count))`: equal arguments of a call."""

    item: Expression
    count: Expression


@dataclass(frozen=True, slots=True)
class Either:
    """`then if flag else otherwise`."""

    flag: str
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Hole:
    """A constant that differs between the instances of a class: one value each, and what it is an argument of."""

    values: tuple[object, ...]
    hint: str
    default: object = None


Expression: TypeAlias = Literal | Name | Call | Method | Infix | ListOf | DictOf | Repeat | Either | Hole


def literal(value: object) -> str:
    """Write a constant as Python does, strings in double quotes."""
    if isinstance(value, str):
        escaped = value.encode("unicode_escape").decode().replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, tuple):
        inner = ", ".join(map(literal, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


def flat(code: Expression) -> str:
    """Write an expression on one line."""
    match code:
        case Literal(value):
            return literal(value)
        case Name(text):
            return text
        case Call(function):
            return f"{function}({', '.join(prefix + flat(item) for prefix, item in _arguments(code))})"
        case Method(subject, name, arguments):
            return f"{flat(subject)}.{name}({', '.join(map(flat, arguments))})"
        case Infix(operator, operands):
            return f" {operator} ".join(_operand(item) for item in operands)
        case ListOf(items):
            return f"[{', '.join(map(flat, items))}]"
        case DictOf(items):
            return "{" + ", ".join(f"{literal(key)}: {flat(item)}" for key, item in items) + "}"
        case Repeat(item, count):
            return f"*({flat(item)} for _ in range({flat(count)}))"
        case Either(flag, then, otherwise):
            return f"{flat(then)} if {flag} else {flat(otherwise)}"
        case Hole():
            raise AssertionError("a hole is filled before code is written")


def _operand(code: Expression) -> str:
    return f"({flat(code)})" if isinstance(code, Infix | Either) else flat(code)


def _arguments(code: Call) -> list[tuple[str, Expression]]:
    return [*(("", item) for item in code.arguments), *((f"{key}=", item) for key, item in code.keywords)]


def layout(prefix: str, code: Expression, suffix: str, indent: int) -> list[str]:
    """Write `prefix expression suffix` as lines, broken where it is too long, each indented by `indent`."""
    pad = " " * indent
    line = pad + prefix + flat(code) + suffix
    if len(line) <= WIDTH:
        return [line]
    match code:
        case Call(function):
            return _brackets(prefix + function + "(", _arguments(code), ")" + suffix, indent)
        case ListOf(items):
            return _brackets(prefix + "[", [("", item) for item in items], "]" + suffix, indent)
        case DictOf(items):
            return _brackets(prefix + "{", [(f"{literal(key)}: ", item) for key, item in items], "}" + suffix, indent)
        case Repeat(item, count):
            inner = layout("", item, "", indent + 4)
            return [f"{pad}{prefix}*(", *inner, f"{pad}    for _ in range({flat(count)})", f"{pad}){suffix}"]
        case Either() | Infix() if indent + 4 + len(flat(code)) <= WIDTH:
            return [f"{pad}{prefix}(", f"{pad}    {flat(code)}", f"{pad}){suffix}"]
        case Either(flag, then, otherwise):
            first = layout("", then, "", indent + 4)
            rest = [f"{pad}    if {flag}", f"{pad}    else {flat(otherwise)}"]
            return [f"{pad}{prefix}(", *first, *rest, f"{pad}){suffix}"]
        case Infix(operator, operands):
            first, *others = operands
            lines = layout("", first, "", indent + 4)
            for item in others:
                lines += layout(f"{operator} ", item, "", indent + 4)
            return [f"{pad}{prefix}(", *lines, f"{pad}){suffix}"]
        case _:
            return [line]


def _brackets(opening: str, items: Sequence[tuple[str, Expression]], closing: str, indent: int) -> list[str]:
    """Break inside brackets: all items on one line if they fit, else one on each."""
    pad = " " * indent
    body = ", ".join(prefix + flat(item) for prefix, item in items)
    if len(body) + indent + 4 <= WIDTH:
        return [pad + opening, f"{pad}    {body}", pad + closing]
    lines: list[str] = []
    # A lone positional argument hugs its brackets: it gets no comma.
    is_alone = len(items) == 1 and isinstance(items[0][1], Call | Repeat) and not items[0][0]
    for prefix, item in items:
        lines += layout(prefix, item, "" if is_alone else ",", indent + 4)
    return [pad + opening, *lines, pad + closing]
