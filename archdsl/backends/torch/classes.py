"""The classes of a file: one for each distinct block, whose constructor takes what differs between its uses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from keyword import iskeyword, issoftkeyword
from typing import TypeAlias

from archdsl.backends.torch.code import (
    Call,
    DictOf,
    Either,
    Expression,
    Hole,
    Infix,
    ListOf,
    Literal,
    Made,
    Method,
    Name,
    Numbered,
    Pair,
    Progression,
    Rate,
    Repeat,
    Spread,
    Symbol,
    TupleOf,
    flat,
    items_of,
)
from archdsl.backends.torch.members import (
    RESERVED,
    Assign,
    InTraining,
    Members,
    Return,
    Statement,
    is_in_place,
    is_sequential,
    members,
    ordered,
    sequential,
)
from archdsl.backends.torch.unify import Callables, signature, unify
from archdsl.ir.graph import Graph
from archdsl.passes.shapes import Shapes

Key: TypeAlias = tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A constructor's argument."""

    name: str
    type: str
    default: object = None


@dataclass(frozen=True, slots=True)
class ClassCode:
    """A class to be written: a plain nn.Sequential where `steps` are given, else members and a forward pass."""

    name: str
    doc: str
    parameters: tuple[Parameter, ...]
    steps: tuple[Expression, ...] | None
    modules: Mapping[str, Expression]
    arguments: tuple[str, ...]
    forward: tuple[Statement, ...]
    graph: Graph


@dataclass
class Classes:
    """Works out the classes below a network's body, inner ones first."""

    root: Shapes
    reserved: frozenset[str]
    found: list[ClassCode] = field(default_factory=list[ClassCode])
    owners: dict[int, str] = field(default_factory=dict[int, str])
    """The class of each body table that has one, by the table's identity."""
    _callables: Callables = field(default_factory=Callables)
    _calls: dict[int, Expression] = field(default_factory=dict[int, Expression])
    _names: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        self._names |= RESERVED | self.reserved
        for tables in _grouped(self.root):
            self._add(tables)

    def constructor(self, shapes: Shapes) -> Expression:
        """Give the call that builds a body's class."""
        return self._calls[id(shapes)]

    def class_name(self, name: str) -> str:
        """Give an unused class name for a name from the spec."""
        words = name.replace("-", "_").split("_")
        base = "".join(word[:1].upper() + word[1:] for word in words) or "Block"
        base = base if base.isidentifier() else f"Block{base}"
        candidate, number = base, 2
        while candidate in self._names or iskeyword(candidate):
            candidate, number = f"{base}{number}", number + 1
        self._names.add(candidate)
        return candidate

    def _add(self, tables: Sequence[Shapes]) -> None:
        """Make the classes of one block: instances that differ in more than constants get classes of their own."""
        parts: dict[object, list[tuple[Shapes, Members]]] = {}
        for table in tables:
            code = self._members(table)
            parts.setdefault(_signature(code, self._callables), []).append((table, code))
        groups = _merge_optional(list(parts.values()), self._callables)
        for group, suffix in zip(groups, _suffixes(groups), strict=True):
            self._make_class(group, suffix)

    def _members(self, table: Shapes) -> Members:
        if not is_sequential(table.graph):
            return members(table, self.constructor)
        steps = sequential(table, self.constructor)
        if not isinstance(steps, tuple):
            return Members({}, (), (Return(ordered(steps)),))
        return Members({}, (), (Return(ListOf(steps)),))

    def _make_class(self, group: list[tuple[Shapes, Members]], suffix: str) -> None:
        tables = [table for table, _ in group]
        codes = [code for _, code in group]
        graph = tables[0].graph
        attributes = max((list(code.modules) for code in codes), key=len)
        signer = _Signer(tables, attributes)
        modules: dict[str, Expression] = {}
        for name in attributes:
            versions = [code.modules.get(name) for code in codes]
            merged = signer.fill(unify(versions, (name,), self._callables))
            if None in versions:
                flag = signer.flag(name, tuple(version is not None for version in versions))
                merged = Either(flag, merged, Call("nn.Identity"))
            modules[name] = merged
        fullest = max(codes, key=lambda code: len(code.modules))
        forward = _unify_statements(
            [c for c in codes if len(c.modules) == len(fullest.modules)], codes, self._callables
        )
        kept: dict[str, Expression] = {}
        filled = tuple(_fill_statement(statement, signer, kept) for statement in forward)
        steps: tuple[Expression, ...] | None = None
        if not modules and len(filled) == 1 and isinstance(filled[0], Return):
            only = filled[0].code
            steps = only.items if isinstance(only, ListOf) else (only,) if isinstance(only, Call) else None
        name = self.class_name(graph.name + suffix)
        parameters = signer.parameters()
        self._callables.positions[name] = tuple(parameter.name for parameter in parameters)
        self._callables.defaults[name] = {p.name: p.default for p in parameters if p.default is not None}
        self.found.append(
            ClassCode(
                name, graph.doc, signer.parameters(), steps, {**modules, **kept}, fullest.arguments, filled, graph
            )
        )
        for index, table in enumerate(tables):
            self._calls[id(table)] = signer.call(name, index)
            self.owners[id(table)] = name


class _Signer:
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
                self._known[_legal(name)] = values
            self._add_items(_legal(name), values)
        self._known.setdefault("in_channels", channels)
        self._used: dict[str, Parameter] = {}
        self._order = ["in_channels", *self._known]

    def _add_items(self, name: str, values: tuple[object, ...]) -> None:
        """Let the items of a list of numbers be named `name[i]`."""
        rows = [row for value in values if (row := items_of(value)) is not None]
        if len(rows) != len(values) or len({len(row) for row in rows}) != 1:
            return
        if all(type(item) is int for row in rows for item in row):
            self._rows[name] = values
            self._known.update({f"{name}[{i}]": tuple(row[i] for row in rows) for i in range(len(rows[0]))})

    def fill(self, code: Expression) -> Expression:
        """Give code with each hole written in terms of parameters."""
        match code:
            case Hole():
                return self._express(code)
            case Call(function, arguments, keywords):
                named = tuple((key, self.fill(item)) for key, item in keywords)
                return Call(function, tuple(map(self.fill, arguments)), named)
            case Made(kind, keywords):
                return Made(self.fill(kind), keywords)
            case Method(subject, name, arguments):
                return Method(self.fill(subject), name, tuple(map(self.fill, arguments)))
            case Infix(operator, operands):
                return Infix(operator, tuple(map(self.fill, operands)))
            case ListOf(items):
                return ListOf(tuple(map(self.fill, items)))
            case TupleOf(items):
                return TupleOf(tuple(map(self.fill, items)))
            case DictOf(items):
                return DictOf(tuple((key, self.fill(item)) for key, item in items))
            case Progression(start, step):
                return Progression(self.fill(start), self.fill(step))
            case Repeat(item, count):
                return Repeat(self.fill(item), self.fill(count))
            case Pair(name, item):
                return Pair(name, self.fill(item))
            case Numbered(prefix, first, item, count):
                return Numbered(prefix, first, self.fill(item), self.fill(count))
            case Spread(Numbered(prefix, first, item, count)):
                return Spread(Numbered(prefix, first, self.fill(item), self.fill(count)))
            case Literal() | Name() | Rate() | Either():
                return code

    def flag(self, name: str, values: tuple[bool, ...]) -> str:
        legal = self._fresh(_legal(name))
        self._known[legal] = values
        self._order.append(legal)
        self._used[legal] = Parameter(legal, "bool", False)
        return legal

    def _express(self, hole: Hole) -> Expression:
        known = [value for value in hole.values if value is not None]
        if all(value == known[0] for value in known):
            return Literal(known[0])
        for name in self._order:
            if _matches(hole.values, self._known[name]):
                self._use(name, hole)
                return Name(name)
        for name in self._order:
            factor = _factor(hole.values, self._known[name])
            if factor is not None:
                self._use(name, hole)
                scaled = Infix("*", (Literal(factor), Name(name)))
                return scaled if factor > 1 else Infix("//", (Name(name), Literal(-factor)))
        if hole.hints[0].endswith("padding"):
            for name in self._order:
                if _halves(hole.values, self._known[name]):
                    self._use(name, hole)
                    return Infix("//", (Name(name), Literal(2)))
        names = [_legal(hint) for hint in hole.hints]
        name = next((name for name in names if name not in self._known), None) or self._fresh(names[-1])
        self._known[name] = tuple(known[0] if value is None else value for value in hole.values)
        self._order.append(name)
        self._use(name, hole)
        return Name(name)

    def _fresh(self, name: str) -> str:
        while name in self._known:
            name += "_"
        return name

    def _use(self, name: str, hole: Hole) -> None:
        row, bracket, _ = name.partition("[")
        if bracket:
            self._known[row] = self._rows[row]
            self._used[row] = Parameter(row, "tuple[int, ...]")
            return
        values = self._known[name]
        default = hole.default if hole.default in values else None
        earlier = self._used.get(name)
        if earlier is None:
            self._used[name] = Parameter(name, _type(values), default)
        elif earlier.default is None and default is not None:
            self._used[name] = Parameter(name, earlier.type, default)

    def parameters(self) -> tuple[Parameter, ...]:
        """List the constructor's parameters: those without a default first."""
        order = dict.fromkeys(name.partition("[")[0] for name in self._order)
        listed = [self._used[name] for name in order if name in self._used]
        return tuple(sorted(listed, key=lambda parameter: parameter.default is not None))

    def call(self, name: str, index: int) -> Expression:
        """Give the call that builds the instance at a position."""
        arguments: list[Expression] = []
        keywords: list[tuple[str, Expression]] = []
        for parameter in self.parameters():
            value = self._known[parameter.name][index]
            if parameter.default is None:
                arguments.append(Literal(value))
            elif value != parameter.default:
                keywords.append((parameter.name, Literal(value)))
        return Call(name, tuple(arguments), tuple(keywords))


def _legal(name: str) -> str:
    name = name.replace("-", "_")
    name = name if name.isidentifier() else f"p_{name}"
    # A comprehension counts with `i`.
    is_taken = iskeyword(name) or issoftkeyword(name) or name in RESERVED or name == "i" or name.startswith("__")
    if not is_taken:
        return name
    bare = name.strip("_")
    return f"{bare}_" if bare.isidentifier() else f"p_{bare}"


def _matches(wanted: Sequence[object], offered: Sequence[object]) -> bool:
    return all(a is None or (type(a) is type(b) and a == b) for a, b in zip(wanted, offered, strict=True))


def _factor(wanted: Sequence[object], offered: Sequence[object]) -> int | None:
    """Give n > 1 where every value is n times the offered one, or -n where it is an n-th of it."""
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
    """Tell whether every value is half of the offered odd one, rounded down: the padding that keeps the size."""
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


def _signature(code: Members, callables: Callables) -> object:
    modules = tuple((name, signature(item, callables)) for name, item in code.modules.items())
    return (modules, _forward_signature(code.forward, callables))


def _forward_signature(statements: Sequence[Statement], callables: Callables) -> object:
    return tuple(_statement_signature(statement, callables) for statement in statements)


def _statement_signature(statement: Statement, callables: Callables) -> object:
    match statement:
        case Assign(target, code):
            return ("assign", target, signature(code, callables))
        case Return(code):
            return ("return", signature(code, callables))
        case InTraining(inner):
            return ("training", _forward_signature(inner, callables))


def _merge_optional(
    parts: list[list[tuple[Shapes, Members]]], callables: Callables
) -> list[list[tuple[Shapes, Members]]]:
    """Join parts that are equal but for modules that one of them lacks where the value passes unchanged."""
    result: list[list[tuple[Shapes, Members]]] = []
    for part in sorted(parts, key=lambda group: -len(group[0][1].modules)):
        home = next((other for other in result if _is_part_of(part[0][1], other[0][1], callables)), None)
        if home is None:
            result.append(part)
        else:
            home.extend(part)
    return result


def _is_part_of(small: Members, large: Members, callables: Callables) -> bool:
    extra = [name for name in large.modules if name not in small.modules]
    if not extra or len(small.modules) + len(extra) != len(large.modules):
        return False
    common = [(name, signature(item, callables)) for name, item in large.modules.items() if name in small.modules]
    if common != [(name, signature(item, callables)) for name, item in small.modules.items()]:
        return False
    reduced = tuple(_without(statement, {f"self.{name}" for name in extra}) for statement in large.forward)
    return _forward_signature(reduced, callables) == _forward_signature(small.forward, callables)


def _without(statement: Statement, functions: set[str]) -> Statement:
    match statement:
        case Assign(target, code):
            return Assign(target, _passed(code, functions))
        case Return(code):
            return Return(_passed(code, functions))
        case InTraining(inner):
            return InTraining(tuple(_without(item, functions) for item in inner), statement.condition)


def _passed(code: Expression, functions: set[str]) -> Expression:
    """Give code in which calls of some modules are their argument."""
    match code:
        case Call(function, (argument,), ()) if function in functions:
            return _passed(argument, functions)
        case Call(function, arguments, keywords):
            return Call(function, tuple(_passed(item, functions) for item in arguments), keywords)
        case Method(subject, name, arguments):
            return Method(_passed(subject, functions), name, arguments)
        case Infix(operator, operands):
            return Infix(operator, tuple(_passed(item, functions) for item in operands))
        case ListOf(items):
            return ListOf(tuple(_passed(item, functions) for item in items))
        case _:
            return code


def _unify_statements(full: Sequence[Members], every: Sequence[Members], callables: Callables) -> tuple[Statement, ...]:
    """Merge the forward passes of the instances that have all modules; the others' follow from them."""
    places = [code if len(code.modules) == len(full[0].modules) else None for code in every]
    return tuple(
        _unify_statement([place.forward[index] if place is not None else None for place in places], callables)
        for index in range(len(full[0].forward))
    )


def _unify_statement(statements: Sequence[Statement | None], callables: Callables) -> Statement:
    first = next(statement for statement in statements if statement is not None)
    match first:
        case Assign(target):
            return Assign(
                target, unify([s.code if isinstance(s, Assign) else None for s in statements], (target,), callables)
            )
        case Return():
            return Return(unify([s.code if isinstance(s, Return) else None for s in statements], (), callables))
        case InTraining(inner):
            merged = [
                _unify_statement(
                    [s.statements[i] if isinstance(s, InTraining) else None for s in statements], callables
                )
                for i in range(len(inner))
            ]
            return InTraining(tuple(merged), first.condition)


def _fill_statement(statement: Statement, signer: _Signer, kept: dict[str, Expression]) -> Statement:
    """Fill a statement's holes with attributes that the constructor sets, which go to `kept`."""
    match statement:
        case Assign(target, code):
            return Assign(target, _fill_forward(code, signer, kept))
        case Return(ListOf() | Call("OrderedDict") | Call(_, (), _) as code):
            return Return(signer.fill(code))
        case Return(code):
            return Return(_fill_forward(code, signer, kept))
        case InTraining(inner):
            return InTraining(tuple(_fill_statement(item, signer, kept) for item in inner), statement.condition)


def _fill_forward(code: Expression, signer: _Signer, kept: dict[str, Expression]) -> Expression:
    match code:
        case Hole():
            filled = signer.fill(code)
            if isinstance(filled, Literal):
                return filled
            name = next((key for key, value in kept.items() if value == filled), None)
            if name is None:
                name = _legal(filled.text if isinstance(filled, Name) else code.hints[0])
                while name in kept or name in signer.attributes:
                    name += "_"
                kept[name] = filled
            return Name(f"self.{name}")
        case Call(function, arguments, keywords):
            named = tuple((key, _fill_forward(item, signer, kept)) for key, item in keywords)
            return Call(function, tuple(_fill_forward(item, signer, kept) for item in arguments), named)
        case Method(subject, name, arguments):
            filled_arguments = tuple(_fill_forward(item, signer, kept) for item in arguments)
            return Method(_fill_forward(subject, signer, kept), name, filled_arguments)
        case Infix(operator, operands):
            return Infix(operator, tuple(_fill_forward(item, signer, kept) for item in operands))
        case ListOf(items):
            return ListOf(tuple(_fill_forward(item, signer, kept) for item in items))
        case _:
            return code


def _suffixes(groups: Sequence[Sequence[tuple[Shapes, Members]]]) -> list[str]:
    """Name what sets the classes of a block apart: first whether they are residual, then parameters' values."""
    if len(groups) == 1:
        return [""]
    bindings = groups[0][0][0].graph.bindings
    features = [[_residual(group) for group in groups]]
    features += [[_setting(name, group) for group in groups] for name in bindings]
    for feature in features:
        if None in feature or len(set(feature)) == 1:
            continue
        found = [""] * len(groups)
        for value in dict.fromkeys(feature):
            places = [i for i, other in enumerate(feature) if other == value]
            for i, rest in zip(places, _suffixes([groups[i] for i in places]), strict=True):
                found[i] = f"{value}{rest}"
        return found
    return ["", *(str(number) for number in range(2, len(groups) + 1))]


def _residual(group: Sequence[tuple[Shapes, Members]]) -> str:
    """Give "_residual" where the code adds something to what it is given."""
    _, code = group[0]
    return "_residual" if any(_adds_input(statement) for statement in code.forward) else ""


def _adds_input(statement: Statement) -> bool:
    code = None if isinstance(statement, InTraining) else statement.code
    return isinstance(code, Infix) and code.operator == "+" and Name("x") in code.operands


def _setting(name: str, group: Sequence[tuple[Shapes, Members]]) -> str | None:
    """Give a word for the one value that a parameter has in all instances of a class; None if there is none."""
    values = {_word(name, table.graph.bindings.get(name)) for table, _ in group}
    return values.pop() if len(values) == 1 else None


def _word(name: str, value: object) -> str | None:
    if isinstance(value, bool):
        return f"_{name}" if value else ""
    text = str(value)
    return f"_{name}{text}" if isinstance(value, int | str) and text.isalnum() else None


def _grouped(root: Shapes) -> Iterator[list[Shapes]]:
    """Yield the tables below the root that need classes, block by block, so that inner classes come first."""
    tables = [table for table in _tables(root) if table is not root and not is_in_place(table.graph)]
    keys = {id(table): _key(table.graph) for table in tables}
    order = _ordered(root, keys)
    if order is None:  # a block inside itself: each depth of it is a class of its own
        keys = {id(table): (*_key(table.graph)[:3], _height(table)) for table in tables}
        order = _ordered(root, keys)
        assert order is not None, "heights order the tables"
    for key in order:
        yield [table for table in tables if keys[id(table)] == key]


def _key(graph: Graph) -> Key:
    return (graph.name, graph.span.start, id(graph.span.source), 0)


def _tables(root: Shapes) -> list[Shapes]:
    """List each distinct table below and with the root, inner ones first."""
    seen: set[int] = set()
    result: list[Shapes] = []
    stack = [(root, False)]
    while stack:
        table, is_done = stack.pop()
        if is_done:
            result.append(table)
        elif id(table) not in seen:
            seen.add(id(table))
            stack.append((table, True))
            stack.extend((inner, False) for inner in reversed(list(table.inner.values())))
    return result


def _height(table: Shapes) -> int:
    return 1 + max((_height(inner) for inner in table.inner.values()), default=0)


def _ordered(root: Shapes, keys: Mapping[int, Key]) -> list[Key] | None:
    """Order the keys so that each comes after those it contains; None where one contains itself."""
    contains: dict[Key, set[Key]] = {key: set() for key in keys.values()}
    first: dict[Key, int] = {}
    for position, table in enumerate(_tables(root)):
        if id(table) not in keys:
            continue
        first.setdefault(keys[id(table)], position)
        contains[keys[id(table)]] |= {keys[id(inner)] for inner in _below(table) if id(inner) in keys}
    result: list[Key] = []
    left = sorted(contains, key=lambda key: first[key])
    while left:
        ready = [key for key in left if contains[key] <= set(result)]
        if not ready:
            return None
        result += ready[:1]
        left.remove(ready[0])
    return result


def _below(table: Shapes) -> Iterator[Shapes]:
    """Yield the tables whose classes a table's code names."""
    for inner in table.inner.values():
        yield inner
        if is_in_place(inner.graph):
            yield from _below(inner)


def described(parameters: Sequence[Parameter]) -> list[str]:
    """Write a constructor's parameters."""
    return [
        f"{parameter.name}: {parameter.type}"
        + ("" if parameter.default is None else f" = {flat(Literal(parameter.default))}")
        for parameter in parameters
    ]
