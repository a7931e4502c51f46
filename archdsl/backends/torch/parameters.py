"""The parameters of a class's constructor: what the holes of its code can be computed from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from archdsl.backends.torch.code import (
    Hole,
    PyCall,
    PyExpression,
    PyLiteral,
    PyName,
    PyTuple,
    Symbol,
    items_of,
    mapped,
)
from archdsl.backends.torch.formulas import Formula, condition, formula, refusals
from archdsl.backends.torch.names import parameter_name
from archdsl.backends.torch.statements import PyStatement, Sequential, rewritten
from archdsl.backends.torch.trials import CHANNELS, CallNumbers, numbers_of, written
from archdsl.passes.shapes import Shapes


@dataclass(frozen=True, slots=True)
class ConstructorParameter:
    """A constructor's argument."""

    name: str
    type: str
    default: object = None


class Signer:
    """Finds a constructor's parameters: what the holes of a class's code can be computed from.

    The first `made` tables are those of calls that the network has; the others were tried, so that numbers which are
    equal in all of the network's calls by chance are told apart.
    """

    def __init__(self, tables: Sequence[Shapes], made: int, attributes: Collection[str] = ()) -> None:
        self.attributes = attributes
        """The names that modules have taken."""
        self.made, self._is_tried = made, made < len(tables)
        self._known: dict[str, tuple[object, ...]] = {}
        self._rows: dict[str, tuple[object, ...]] = {}
        self._written = written(tables[0].graph)
        numbers = [numbers_of(table) for table in tables]
        for name in numbers[0]:
            if name != CHANNELS or name in tables[0].graph.bindings:
                self._know(parameter_name(name), tuple(each.get(name) for each in numbers))
        entries = (table.inputs[0] if table.inputs else None for table in tables)
        channels = tuple(None if x is None or x.axis is None else x.channels for x in entries)
        self._known.setdefault(CHANNELS, channels)
        self._used: dict[str, ConstructorParameter] = {}
        self._order = [CHANNELS, *self._known]

    def _know(self, name: str, values: tuple[object, ...]) -> None:
        """Let a parameter be named, and the items of a list of numbers as `name[i]`."""
        self._known[name] = values
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
        """Return what says in which instances there is a part: a condition on numbers, or a new parameter."""
        if self._is_tried:
            found = condition(values, self._named(self._order))
            if found is not None:
                self._use_all(found.names)
                return found.text
        legal = self._fresh(parameter_name(name))
        self._known[legal] = values
        self._order.append(legal)
        self._used[legal] = ConstructorParameter(legal, "bool", False)
        return legal

    def refusals(self, others: Sequence[CallNumbers]) -> list[str]:
        """Return conditions under which numbers make no instance, found from calls that do not make one."""
        if not others:
            return []
        signed = {parameter.name for parameter in self.parameters()}
        given = {parameter_name(name): name for name in others[0] if parameter_name(name) in signed}
        known = self._named(name for name in self._order if name in given)
        made = dict.fromkeys(zip(*known.values(), strict=True))
        bad = [tuple(each[given[name]] for name in known) for each in others if self._follows(each, signed)]
        every = [*made, *(row for row in dict.fromkeys(bad) if row not in made)]
        columns = {name: [row[i] for row in every] for i, name in enumerate(known)}
        is_bad = [index >= len(made) for index in range(len(every))]
        return [fact.text for fact in refusals(is_bad, columns, self._written)]

    def _follows(self, numbers: CallNumbers, signed: Collection[str]) -> bool:
        """Return whether the numbers that are no parameters are what they are in every instance."""
        for name, value in numbers.items():
            own = self._known.get(parameter_name(name))
            if own is None or parameter_name(name) in signed or name in signed:
                continue
            same = next((other for other in signed if other in self._known and self._known[other] == own), None)
            if value not in own if same is None else value != numbers.get(same, value):
                return False
        return True

    def _named(self, names: Iterable[str]) -> dict[str, tuple[object, ...]]:
        return {name: self._known[name] for name in names if None not in self._known[name]}

    def _express(self, hole: Hole) -> PyExpression:
        known = [value for value in hole.values if value is not None]
        if all(type(value) is type(known[0]) and value == known[0] for value in known):
            return PyLiteral(known[0])
        for name in self._order:
            if _matches(hole.values, self._known[name]):
                self._use(name, hole)
                return PyName(name)
        found = formula(hole.values, self._named(self._order), is_tried=self._is_tried)
        if found is not None:
            self._use_all(found.names)
            return PyName(found.text)
        items = self._items(hole) if self._is_tried else None
        return items or self._new(hole, known)

    def _items(self, hole: Hole) -> PyExpression | None:
        """Return a list of numbers item by item; None where one of them follows from no parameter."""
        rows = [items_of(value) for value in hole.values]
        lengths = {len(row) for row in rows if row is not None}
        if len(lengths) != 1 or any(
            row is None and value is not None for row, value in zip(rows, hole.values, strict=True)
        ):
            return None
        items: list[PyExpression] = []
        for index in range(lengths.pop()):
            column = tuple(None if row is None else row[index] for row in rows)
            values = {value for value in column if value is not None}
            same = next((name for name in self._order if _matches(column, self._known[name])), None)
            found = (
                None
                if len(values) == 1
                else Formula(same, (same,))
                if same
                else formula(column, self._named(self._order), is_tried=True)
            )
            if len(values) > 1 and found is None:
                return None
            items.append(PyName(found.text) if found is not None else PyLiteral(values.pop()))
            self._use_all(found.names if found is not None else ())
        return PyTuple(tuple(items))

    def _new(self, hole: Hole, known: Sequence[object]) -> PyExpression:
        """Return a parameter of its own for what follows from no other."""
        names = [parameter_name(hint) for hint in hole.hints]
        name = next((name for name in names if name not in self._known), None) or self._fresh(names[-1])
        self._known[name] = tuple(known[0] if value is None else value for value in hole.values)
        self._order.append(name)
        self._use(name, hole)
        return PyName(name)

    def _use_all(self, names: Iterable[str]) -> None:
        for name in names:
            self._use(name, Hole((), ()))

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
        default = hole.default if hole.default in values[: self.made] else None
        earlier = self._used.get(name)
        if earlier is None:
            self._used[name] = ConstructorParameter(name, _type(values[: self.made]), default)
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
        plain = filled.text if isinstance(filled, PyName) and filled.text.isidentifier() else code.hints[0]
        name = parameter_name(plain)
        while name in kept or name in signer.attributes:
            name += "_"
        kept[name] = filled
    return PyName(f"self.{name}")
