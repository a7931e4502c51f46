"""The parameters of a class's constructor: what the holes of its code can be computed from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from archdsl.backends.torch.code import (
    Hole,
    Infix,
    PyCall,
    PyExpression,
    PyLiteral,
    PyName,
    Symbol,
    items_of,
    mapped,
)
from archdsl.backends.torch.names import parameter_name
from archdsl.backends.torch.statements import PyStatement, Sequential, rewritten
from archdsl.passes.shapes import Shapes


@dataclass(frozen=True, slots=True)
class ConstructorParameter:
    """A constructor's argument."""

    name: str
    type: str
    default: object = None


class Signer:
    """Finds a constructor's parameters: what the holes of a class's code can be computed from."""

    def __init__(self, tables: Sequence[Shapes], attributes: Collection[str] = ()) -> None:
        self.attributes = attributes
        """The names that modules have taken."""
        self._known: dict[str, tuple[object, ...]] = {}
        self._rows: dict[str, tuple[object, ...]] = {}
        channels = tuple(table.inputs[0][0] if table.inputs else None for table in tables)
        bindings = [dict(table.graph.bindings) for table in tables]
        for name in bindings[0]:
            values = tuple(binding.get(name) for binding in bindings)
            if all(isinstance(value, int | float | tuple) and not isinstance(value, bool) for value in values):
                self._known[parameter_name(name)] = values
            self._add_items(parameter_name(name), values)
        self._known.setdefault("in_channels", channels)
        self._used: dict[str, ConstructorParameter] = {}
        self._order = ["in_channels", *self._known]

    def _add_items(self, name: str, values: tuple[object, ...]) -> None:
        """Let the items of a list of numbers be named `name[i]`."""
        rows = [row for value in values if (row := items_of(value)) is not None]
        if len(rows) != len(values) or len({len(row) for row in rows}) != 1:
            return
        if all(type(item) is int for row in rows for item in row):
            self._rows[name] = values
            self._known.update({f"{name}[{i}]": tuple(row[i] for row in rows) for i in range(len(rows[0]))})

    def fill(self, code: PyExpression) -> PyExpression:
        """Return code with each hole written in terms of parameters."""
        return self._express(code) if isinstance(code, Hole) else mapped(code, self.fill)

    def flag(self, name: str, values: tuple[bool, ...]) -> str:
        """Return a new parameter that says which instances have a part."""
        legal = self._fresh(parameter_name(name))
        self._known[legal] = values
        self._order.append(legal)
        self._used[legal] = ConstructorParameter(legal, "bool", False)
        return legal

    def _express(self, hole: Hole) -> PyExpression:
        known = [value for value in hole.values if value is not None]
        if all(value == known[0] for value in known):
            return PyLiteral(known[0])
        for name in self._order:
            if _matches(hole.values, self._known[name]):
                self._use(name, hole)
                return PyName(name)
        for name in self._order:
            factor = _factor(hole.values, self._known[name])
            if factor is not None:
                self._use(name, hole)
                scaled = Infix("*", (PyLiteral(factor), PyName(name)))
                return scaled if factor > 1 else Infix("//", (PyName(name), PyLiteral(-factor)))
        if hole.hints[0].endswith("padding"):
            for name in self._order:
                if _halves(hole.values, self._known[name]):
                    self._use(name, hole)
                    return Infix("//", (PyName(name), PyLiteral(2)))
        names = [parameter_name(hint) for hint in hole.hints]
        name = next((name for name in names if name not in self._known), None) or self._fresh(names[-1])
        self._known[name] = tuple(known[0] if value is None else value for value in hole.values)
        self._order.append(name)
        self._use(name, hole)
        return PyName(name)

    def _fresh(self, name: str) -> str:
        while name in self._known:
            name += "_"
        return name

    def _use(self, name: str, hole: Hole) -> None:
        row, bracket, _ = name.partition("[")
        if bracket:
            self._known[row] = self._rows[row]
            self._used[row] = ConstructorParameter(row, "tuple[int, ...]")
            return
        values = self._known[name]
        default = hole.default if hole.default in values else None
        earlier = self._used.get(name)
        if earlier is None:
            self._used[name] = ConstructorParameter(name, _type(values), default)
        elif earlier.default is None and default is not None:
            self._used[name] = ConstructorParameter(name, earlier.type, default)

    def parameters(self) -> tuple[ConstructorParameter, ...]:
        """List the constructor's parameters: those without a default first."""
        order = dict.fromkeys(name.partition("[")[0] for name in self._order)
        listed = [self._used[name] for name in order if name in self._used]
        return tuple(sorted(listed, key=lambda parameter: parameter.default is not None))

    def call(self, name: str, index: int) -> PyExpression:
        """Return the call that builds the instance at a position."""
        arguments: list[PyExpression] = []
        keywords: list[tuple[str, PyExpression]] = []
        for parameter in self.parameters():
            value = self._known[parameter.name][index]
            if parameter.default is None:
                arguments.append(PyLiteral(value))
            elif value != parameter.default:
                keywords.append((parameter.name, PyLiteral(value)))
        return PyCall(name, tuple(arguments), tuple(keywords))


def _matches(wanted: Sequence[object], offered: Sequence[object]) -> bool:
    return all(a is None or (type(a) is type(b) and a == b) for a, b in zip(wanted, offered, strict=True))


def _factor(wanted: Sequence[object], offered: Sequence[object]) -> int | None:
    """Return n > 1 where every value is n times the offered one, or -n where it is an n-th of it."""
    pairs = [(a, b) for a, b in zip(wanted, offered, strict=True) if a is not None]
    if not all(type(a) is int and type(b) is int and a > 0 and b > 0 for a, b in pairs):
        return None
    numbers = [(a, b) for a, b in pairs if isinstance(a, int) and isinstance(b, int)]
    first, second = numbers[0]
    if first % second == 0 and all(a == b * (first // second) for a, b in numbers):
        return first // second if first > second else None
    if second % first == 0 and all(a * (second // first) == b for a, b in numbers):
        return -(second // first)
    return None


def _halves(wanted: Sequence[object], offered: Sequence[object]) -> bool:
    """Return whether every value is half of the offered odd one, rounded down: the padding that keeps the size."""
    pairs = [(a, b) for a, b in zip(wanted, offered, strict=True) if a is not None]
    return all(type(a) is int and type(b) is int and b % 2 and a == b // 2 for a, b in pairs)


def _type(values: Sequence[object]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {bool}:
        return "bool"
    if kinds <= {int, bool}:
        return "int"
    if kinds <= {int, float}:
        return "float"
    if kinds == {Symbol}:
        return "type[nn.Module]"
    rows = [row for value in values if (row := items_of(value)) is not None]
    lengths = {len(row) for row in rows}
    if kinds == {tuple} and len(lengths) == 1:
        inner = [item for row in rows for item in row]
        return f"tuple[{', '.join([_type(inner)] * lengths.pop())}]"
    return "int | tuple[int, int]"


def fill_statement(statement: PyStatement, signer: Signer, kept: dict[str, PyExpression]) -> PyStatement:
    """Fill a statement's holes with attributes that the constructor sets, which go to `kept`."""
    if isinstance(statement, Sequential):  # runs in the constructor
        return rewritten(statement, signer.fill)
    return rewritten(statement, lambda code: _fill_forward(code, signer, kept))


def _fill_forward(code: PyExpression, signer: Signer, kept: dict[str, PyExpression]) -> PyExpression:
    if not isinstance(code, Hole):
        return mapped(code, lambda part: _fill_forward(part, signer, kept))
    filled = signer.fill(code)
    if isinstance(filled, PyLiteral):
        return filled
    name = next((key for key, value in kept.items() if value == filled), None)
    if name is None:
        name = parameter_name(filled.text if isinstance(filled, PyName) else code.hints[0])
        while name in kept or name in signer.attributes:
            name += "_"
        kept[name] = filled
    return PyName(f"self.{name}")
