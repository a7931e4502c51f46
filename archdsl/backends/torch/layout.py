"""Expressions as text, in the style of `ruff format`."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.backends.torch.code import (
    Either,
    Hole,
    Infix,
    Made,
    Method,
    NamedItem,
    Numbered,
    Progression,
    PyCall,
    PyDict,
    PyExpression,
    PyList,
    PyLiteral,
    PyName,
    PyTuple,
    Rate,
    Repeat,
    Spread,
    Symbol,
    grows,
    items_of,
)
from archdsl.ops.base import TorchName

WIDTH = 88


def literal(value: object) -> str:
    """Write a constant as Python does, strings in double quotes."""
    if isinstance(value, Symbol | TorchName):
        return str(value)
    if isinstance(value, str):
        escaped = value.encode("unicode_escape").decode().replace('"', '\\"')
        return f'"{escaped}"'
    items = items_of(value)
    if items is not None:
        inner = ", ".join(map(literal, items))
        return f"({inner},)" if len(items) == 1 else f"({inner})"
    return repr(value)


def flat(code: PyExpression) -> str:
    """Write an expression on one line."""
    match code:
        case PyLiteral(value):
            return literal(value)
        case PyName(text):
            return text
        case PyCall(function):
            return f"{function}({', '.join(prefix + flat(item) for prefix, item in _arguments(code))})"
        case Made(kind, keywords, arguments):
            return flat(PyCall(flat(kind), arguments, keywords))
        case Method(subject, name, arguments):
            return f"{flat(subject)}.{name}({', '.join(map(flat, arguments))})"
        case Infix(operator, operands):
            return f" {operator} ".join(_operand(item) for item in operands)
        case PyList((Repeat(item) as repeat,)):
            return f"[{flat(item)} {_clause(repeat)}]"
        case PyList(items):
            return f"[{', '.join(map(flat, items))}]"
        case PyTuple(items):
            return f"({', '.join(map(flat, items))}{',' if len(items) == 1 else ''})"
        case PyDict(items):
            return "{" + ", ".join(f"{literal(key)}: {flat(item)}" for key, item in items) + "}"
        case Progression(start, step):
            return _sum(start, step)
        case Rate():
            return _rate(code)
        case Repeat(item):
            return f"*({flat(item)} {_clause(code)})"
        case NamedItem(name, item):
            return f"({literal(name)}, {flat(item)})"
        case Numbered(item=item):
            return f"({_numbered_name(code)}, {flat(item)}) {_clause(code)}"
        case Spread(pairs):
            return f"*({flat(pairs)})"
        case Either(flag, then, otherwise):
            return f"{flat(then)} if {flag} else {flat(otherwise)}"
        case Hole():
            raise AssertionError("a hole is filled before code is written")


def _sum(start: PyExpression, step: PyExpression) -> str:
    growth = "i" if step == PyLiteral(1) else f"{_operand(step)} * i"
    return growth if start == PyLiteral(0) else f"{flat(start)} + {growth}"


def _rate(rate: Rate) -> str:
    index = f"(i + {rate.offset})" if rate.offset else "i"
    return f"{literal(rate.scale)} * {index}" + ("" if rate.divisor == 1 else f" / {rate.divisor}")


def _numbered_name(code: Numbered) -> str:
    number = f"i + {code.first}" if code.first else "i"
    return f'f"{code.prefix}{{{number}}}"'


def _clause(code: Repeat | Numbered) -> str:
    index = "i" if isinstance(code, Numbered) or grows(code.item) else "_"
    return f"for {index} in range({flat(code.count)})"


def _operand(code: PyExpression) -> str:
    return f"({flat(code)})" if isinstance(code, Infix | Either | Progression | Rate) else flat(code)


def _arguments(code: PyCall) -> list[tuple[str, PyExpression]]:
    return [*(("", item) for item in code.arguments), *((f"{key}=", item) for key, item in code.keywords)]


def layout(prefix: str, code: PyExpression, suffix: str, indent: int) -> list[str]:
    """Write `prefix expression suffix` as lines, broken where it is too long, each indented by `indent`."""
    pad = " " * indent
    line = pad + prefix + flat(code) + suffix
    if len(line) <= WIDTH:
        return [line]
    match code:
        case PyCall(function):
            return _brackets(prefix + function + "(", _arguments(code), ")" + suffix, indent)
        case Made(kind, keywords, arguments):
            return layout(prefix, PyCall(flat(kind), arguments, keywords), suffix, indent)
        case PyList((Repeat(item) as repeat,)):
            inner = layout("", item, "", indent + 4)
            return [f"{pad}{prefix}[", *inner, f"{pad}    {_clause(repeat)}", f"{pad}]{suffix}"]
        case PyList(items):
            return _brackets(prefix + "[", [("", item) for item in items], "]" + suffix, indent)
        case PyTuple(items):
            return _brackets(prefix + "(", [("", item) for item in items], ")" + suffix, indent)
        case PyLiteral(value) if (found := items_of(value)) is not None:
            listed = [("", PyLiteral(item)) for item in found]
            return _brackets(prefix + "(", listed, ")" + suffix, indent)
        case PyDict(items):
            return _brackets(prefix + "{", [(f"{literal(key)}: ", item) for key, item in items], "}" + suffix, indent)
        case Repeat(item):
            inner = layout("", item, "", indent + 4)
            return [f"{pad}{prefix}*(", *inner, f"{pad}    {_clause(code)}", f"{pad}){suffix}"]
        case NamedItem(name, item):
            return _brackets(prefix + "(", [("", PyLiteral(name)), ("", item)], ")" + suffix, indent)
        case Numbered(item=item):
            pair = [("", PyName(_numbered_name(code))), ("", item)]
            start = f"{pad}{prefix}({', '.join(flat(part) for _, part in pair)})"
            lines = [start] if len(start) <= WIDTH else _brackets(prefix + "(", pair, ")", indent)
            return [*lines, f"{pad}{_clause(code)}{suffix}"]
        case Spread(pairs):
            return [f"{pad}{prefix}*(", *layout("", pairs, "", indent + 4), f"{pad}){suffix}"]
        case Infix(operator, (first, PyCall() as last)) if prefix.endswith((" = ", "return ")) and _opens(
            start := f"{prefix}{_operand(first)} {operator} ", last, indent
        ):
            return layout(start, last, suffix, indent)
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


def _opens(start: str, call: PyCall, indent: int) -> bool:
    """Return whether a call behind an operator can be broken inside its brackets, as ruff prefers in a statement."""
    return bool(_arguments(call)) and indent + len(f"{start}{call.function}(") <= WIDTH


def _hugs(code: PyExpression) -> bool:
    return isinstance(code, PyCall | Repeat | Numbered) or (isinstance(code, PyLiteral) and bool(items_of(code.value)))


def _brackets(opening: str, items: Sequence[tuple[str, PyExpression]], closing: str, indent: int) -> list[str]:
    """Break inside brackets: all items on one line if they fit, else one on each."""
    pad = " " * indent
    body = ", ".join(prefix + flat(item) for prefix, item in items)
    if len(body) + indent + 4 <= WIDTH:
        return [pad + opening, f"{pad}    {body}", pad + closing]
    lines: list[str] = []
    # A lone positional argument hugs its brackets: it gets no comma.
    is_alone = len(items) == 1 and _hugs(items[0][1]) and not items[0][0]
    for prefix, item in items:
        lines += layout(prefix, item, "" if is_alone else ",", indent + 4)
    return [pad + opening, *lines, pad + closing]
