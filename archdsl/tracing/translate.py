"""Expressions to Python: what evaluation would make of them, for numbers that are known later."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from archdsl.ir.trouble import Reported, Trouble
from archdsl.ops.shape import Shape
from archdsl.semantics.context import Context
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.evaluate import find_value
from archdsl.semantics.functions import FUNCTIONS, MAX_BITS, MAX_LENGTH, FunctionError, arithmetic
from archdsl.semantics.module import Module
from archdsl.semantics.values import LocalFunction, Partial
from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.text.source import NOWHERE, Span
from archdsl.tracing.recorder import Traced, Untraceable
from archdsl.tracing.skeleton import holds_traced

_SAFE = 2**62
"""Whole numbers up to here need no exact arithmetic to be asked whether they are too large."""


class Untranslatable(Exception):
    """An expression that is evaluated instead."""


@dataclass(frozen=True, slots=True)
class _Scope:
    """What names mean at a place in the text: Python's text for each local name, and where the others are looked up."""

    module: Module
    names: Mapping[str, str]
    certain: bool = True
    """Whether it is evaluated whatever the numbers are."""


@dataclass(slots=True)
class Translation:
    """One expression on its way to a function of the traced numbers in `given`."""

    context: Context
    shape: Shape | None
    entry: Shape | None
    watched: frozenset[str]
    """Names whose values came from outside: whether they are read must not depend on the numbers."""
    constants: dict[str, object] = field(default_factory=dict[str, object])
    lines: list[str] = field(default_factory=list[str])
    leaves: list[str] = field(default_factory=list[str])
    _functions: dict[Any, str] = field(default_factory=dict[Any, str])
    _underway: set[int] = field(default_factory=set[int])
    _lets: set[int] = field(default_factory=set[int])
    _held: dict[int, str] = field(default_factory=dict[int, str])
    count: int = 0

    def constant(self, value: object) -> str:
        name = f"c{id(value)}"
        self.constants[name] = value
        return name

    def fresh(self, hint: str) -> str:
        self.count += 1
        return f"{hint}{self.count}"

    def value(self, value: Any) -> str:
        """Return the text of a value of `given`, whose traced numbers are the next of the leaves."""
        if isinstance(value, Traced):
            name = f"a{len(self.leaves)}"
            self.leaves.append(name)
            return name
        if isinstance(value, Shape):
            return f"({''.join(f'{self.value(size)}, ' for size in value)})"
        if type(value) is tuple and holds_traced(value):
            return f"({''.join(f'{self.value(item)}, ' for item in value)})"
        if isinstance(value, Partial | LocalFunction | Context) and holds_traced(value):
            raise Untranslatable
        if type(value) is int or type(value) is bool:
            return repr(value)
        return self.constant(value)

    # Expressions

    def expression(self, node: tree.Expression, scope: _Scope) -> str:
        rule = _RULES.get(type(node))
        if rule is None:
            raise Untranslatable
        return rule(self, node, scope)

    def literal(self, node: tree.Literal, scope: _Scope) -> str:
        if isinstance(node.value, float):
            if not math.isfinite(node.value):
                raise Untranslatable
            return repr(node.value)
        return repr(node.value) if type(node.value) in (int, bool) else self.constant(node.value)

    def variable(self, node: tree.Variable, scope: _Scope) -> str:
        name = node.name
        if name in self.watched and not scope.certain:
            raise Untranslatable
        if name in scope.names:
            return scope.names[name]
        if name in ("in", "cin"):
            return self.channels(self.shape if name == "in" else self.entry, name)
        held = self.context.get(name)
        if held is not None and holds_traced(held):
            raise Untranslatable
        found = scope.module.find(name)
        if held is None and found is not None and isinstance(found[0], tree.Let):
            return self.let(found[0], found[1])
        try:
            value = find_value(node, Env(scope.module, self.context, Budget()))
        except (Trouble, Reported):
            raise Untranslatable from None
        if value is None:
            raise Untranslatable
        return self.constant(value) if type(value) is not int else repr(value)

    def let(self, let: tree.Let, module: Module) -> str:
        if id(let) in self._lets:
            raise Untranslatable
        self._lets.add(id(let))
        try:
            return self.expression(let.value, _Scope(module, {}, certain=False))
        finally:
            self._lets.discard(id(let))

    def channels(self, shape: Shape | None, name: str) -> str:
        if shape is None or shape.axis is None:
            raise Untranslatable
        return f"{name}_sizes[{shape.axis}]" if isinstance(shape.channels, int) else _refuse()

    def unary(self, node: tree.Unary, scope: _Scope) -> str:
        operand = self.expression(node.operand, scope)
        if node.operator == "not":
            return f"(not {_truth(node.operand, operand)})"
        return f"negated({operand})" if node.operator == "-" else f"number({operand})"

    def binary(self, node: tree.Binary, scope: _Scope) -> str:
        left = self.expression(node.left, scope)
        if node.operator in ("and", "or"):
            right = self.expression(node.right, _Scope(scope.module, scope.names, certain=False))
            return f"({_truth(node.left, left)} {node.operator} {_truth(node.right, right)})"
        right = self.expression(node.right, scope)
        return f"{_NAMES[node.operator]}({left}, {right})"

    def conditional(self, node: tree.Conditional, scope: _Scope) -> str:
        condition = self.expression(node.condition, scope)
        inner = _Scope(scope.module, scope.names, certain=False)
        then, otherwise = self.expression(node.then, inner), self.expression(node.otherwise, inner)
        return f"({then} if {_truth(node.condition, condition)} else {otherwise})"

    def list_of(self, node: tree.ListOf, scope: _Scope) -> str:
        return f"held(({''.join(f'{self.expression(item, scope)}, ' for item in node.items)}))"

    def index(self, node: tree.Index, scope: _Scope) -> str:
        return f"item({self.expression(node.base, scope)}, {self.expression(node.index, scope)})"

    def range(self, node: tree.Range, scope: _Scope) -> str:
        return f"counted({self.expression(node.first, scope)}, {self.expression(node.last, scope)})"

    def comprehension(self, node: tree.Comprehension, scope: _Scope) -> str:
        names, clauses = dict(scope.names), ""
        certain = scope.certain
        for clause in node.clauses:
            source = self.expression(clause.source, _Scope(scope.module, names, certain))
            own = [self.fresh("t") for _ in clause.targets]
            names.update({target.text: name for target, name in zip(clause.targets, own, strict=True)})
            reads = self.reads_watched((node.item, *node.clauses), names)
            weight = 10 + sum(isinstance(part, tree.Apply) for part in nodes_of(node)) * 10
            if len(own) == 1:
                clauses += f" for {own[0]} in turns({source}, {weight}, {reads})"
            else:
                clauses += f" for {', '.join(own)} in unpacked({source}, {len(own)}, {weight}, {reads})"
            for condition in clause.conditions:
                text = self.expression(condition, _Scope(scope.module, names, certain))
                clauses += f" if {_truth(condition, text)}"
                certain = False
        item = self.expression(node.item, _Scope(scope.module, names, certain))
        return f"held(tuple([{item}{clauses}]))"

    def reads_watched(self, parts: object, names: Mapping[str, str]) -> bool:
        return any(isinstance(part, tree.Variable) and part.name in self.watched for part in nodes_of(parts))

    def apply(self, node: tree.Apply, scope: _Scope) -> str:
        name = node.name.text
        found = scope.module.find(name)
        if name in scope.names:
            raise Untranslatable
        if name in FUNCTIONS and found is None:
            if any(argument.key is not None for argument in node.arguments):
                raise Untranslatable
            given = ", ".join(self.expression(argument.value, scope) for argument in node.arguments)
            return f"{f'quick_{name}' if f'quick_{name}' in _HELPERS else self.constant(_builtin(name))}({given})"
        if found is None or not isinstance(found[0], tree.Function):
            raise Untranslatable
        function, module = found
        text = self.function(function, module, scope.certain)
        keys = [parameter.name.text for parameter in function.parameters]
        given: dict[str, str] = {}
        for position, argument in enumerate(node.arguments):
            key = argument.key.text if argument.key is not None else keys[position] if position < len(keys) else ""
            if key not in keys or key in given:
                raise Untranslatable
            given[key] = self.expression(argument.value, scope)
        if any(p.default is None and p.name.text not in given for p in function.parameters):
            raise Untranslatable
        return f"{text}({', '.join(f'p_{key}={value}' for key, value in given.items())})"

    def function(self, function: tree.Function, module: Module, certain: bool) -> str:
        """Return the name of a declared function in Python."""
        key = id(function), certain
        if id(function) in self._underway:
            raise Untranslatable
        if key in self._functions:
            return self._functions[key]
        self._underway.add(id(function))
        name = self.fresh("f")
        names: dict[str, str] = {}
        lines: list[str] = []
        parameters: list[str] = []
        for parameter in function.parameters:
            own = names[parameter.name.text] = f"p_{parameter.name.text}"
            if parameter.default is None:
                parameters.append(own)
                continue
            if parameter.type is not None:
                raise Untranslatable
            before = {key: value for key, value in names.items() if key != parameter.name.text}
            default = self.expression(parameter.default, _Scope(module, before, certain=False))
            parameters.append(f"{own}=missing")
            lines.append(f"  if {own} is missing: {own} = {default}")
        body = self.expression(function.value, _Scope(module, names, certain))
        star = "*, " if parameters else ""
        self.lines += [f" def {name}({star}{', '.join(parameters)}):", *lines, f"  return {body}"]
        self._underway.discard(id(function))
        self._functions[key] = name
        return name


def translated(
    node: tree.Expression, module: Module, given: Any, watched: frozenset[str], allowance: int
) -> Callable[..., Any]:
    """Return an expression as a Python function of the traced numbers in `given`, in the order of `rebuilt`.

    `allowance` is how much of a compilation's budget its turns may take. The function raises Untraceable where
    evaluation would find a mistake, or where more is taken.
    Errors: Untranslatable where it cannot be said in Python for sure
    """
    names, shape, entry, context = given
    if holds_traced(context):
        raise Untranslatable
    making = Translation(context, shape, entry, watched)
    own: dict[str, str] = {}
    head: list[str] = []
    for name, value in names.items():
        if isinstance(value, LocalFunction):
            continue  # read as such it is not known here
        own[name] = f"n_{name}"
        head.append(f" n_{name} = {making.value(value)}")
    if any(isinstance(value, LocalFunction) for value in names.values()):
        raise Untranslatable
    for name, flowing in (("in", shape), ("cin", entry)):
        if flowing is not None:
            head.append(f" {name}_sizes = {making.value(_numbers(flowing))}")
    body = making.expression(node, _Scope(module, own))
    text = [f"def run({', '.join(making.leaves)}):", " spent[0] = 0", *head, *making.lines, f" return {body}"]
    spent = [0]
    names_in = {**_HELPERS, **_turning(spent, allowance), **making.constants, "spent": spent, "missing": object()}
    try:
        exec(compile("\n".join(text), "<expression>", "exec"), names_in)
    except (SyntaxError, RecursionError, MemoryError):  # nested too deep for Python
        raise Untranslatable from None
    return names_in["run"]  # pyright: ignore[reportReturnType]


def _numbers(shape: Shape) -> tuple[Any, ...]:
    """Return a shape's sizes, with 0 for those that follow the image's, which are never read."""
    return tuple([size if isinstance(size, int) else 0 for size in shape])


def _refuse() -> str:
    raise Untranslatable


def _truth(node: tree.Expression, text: str) -> str:
    """Return the text of a condition, which is true or false."""
    is_sure = (
        isinstance(node, tree.Binary)
        and node.operator in _BOOLEAN
        or (isinstance(node, tree.Unary) and node.operator == "not")
    )
    return text if is_sure else f"truth({text})"


# What the functions call. All of them raise Untraceable for what evaluation refuses.

_NUMBERS = frozenset({int, float, Fraction})


def _mistake() -> Untraceable:
    return Untraceable("an expression has no value")


def _computing(sign: str, compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(left: Any, right: Any) -> Any:
        kinds = type(left), type(right)
        if kinds == _INTS:
            value = compute(left, right)
            if -_SAFE < value < _SAFE:
                return value
        elif float in kinds and kinds in _FLOATS:
            value = compute(left, right)
            if math.isfinite(value):
                return value
        return _slowly(sign, left, right)

    return apply


_INTS = (int, int)
_FLOATS = frozenset({(float, float), (int, float), (float, int)})


def _slowly(sign: str, left: Any, right: Any) -> Any:
    if type(left) is tuple and type(right) is tuple and sign == "+":
        return held(left + right)
    if type(left) not in _NUMBERS or type(right) not in _NUMBERS:
        raise _mistake()
    try:
        return arithmetic(sign, left, right)
    except FunctionError:
        raise _mistake() from None


def _divided(left: Any, right: Any) -> Any:
    if type(left) is int and type(right) is int and right:
        whole, rest = divmod(left, right)
        if not rest or (-_SAFE < left < _SAFE and -_SAFE < right < _SAFE):
            return Fraction(left, right) if rest else whole
    elif right and (type(left), type(right)) in _FLOATS:
        value = left / right
        if math.isfinite(value):
            return value
    return _slowly("/", left, right)


def _raised(left: Any, right: Any) -> Any:
    if type(left) is float and type(right) is int and -MAX_BITS <= right <= MAX_BITS:
        try:
            value = left**right
        except (OverflowError, ZeroDivisionError):
            raise _mistake() from None
        if math.isfinite(value):
            return value
    return _slowly("**", left, right)


def _whole(sign: str, compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(left: Any, right: Any) -> Any:
        if type(left) is int and type(right) is int and right:
            return compute(left, right)
        return _slowly(sign, left, right)

    return apply


def _comparing(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def apply(left: Any, right: Any) -> bool:
        if type(left) in _NUMBERS and type(right) in _NUMBERS:
            return compare(left, right)
        raise _mistake()

    return apply


def _equal(left: Any, right: Any) -> bool:
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _unequal(left: Any, right: Any) -> bool:
    return not _equal(left, right)


def truth(value: Any) -> bool:
    if value is True or value is False:
        return value
    raise _mistake()


def number(value: Any) -> Any:
    if type(value) in _NUMBERS:
        return value
    raise _mistake()


def negated(value: Any) -> Any:
    return -number(value)


def held(items: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(items) > MAX_LENGTH or tuple in {*map(type, items)}:
        try:
            Budget().hold(items, Span(0, 0, NOWHERE))
        except Trouble:
            raise _mistake() from None
    return items


def item(items: Any, position: Any) -> Any:
    if type(items) is not tuple:
        raise _mistake()
    if type(position) is tuple:
        return held(tuple([item(items, one) for one in position]))
    if type(position) is not int or not -len(items) <= position < len(items):
        raise _mistake()
    return items[position]


def counted(first: Any, last: Any) -> tuple[int, ...]:
    if type(first) is not int or type(last) is not int or last - first >= MAX_LENGTH:
        raise _mistake()
    return tuple(range(first, last + 1))


def _turning(spent: list[int], allowance: int) -> dict[str, Any]:
    def turns(items: Any, weight: int, is_needed: bool) -> tuple[Any, ...]:
        if type(items) is not tuple or (is_needed and not items):
            raise _mistake()
        spent[0] += weight * len(items)
        if spent[0] > allowance:
            raise Untraceable("an expression takes much longer than it did")
        return items

    def unpacked(items: Any, count: int, weight: int, is_needed: bool) -> tuple[Any, ...]:
        for one in turns(items, weight, is_needed):
            if type(one) is not tuple or len(one) != count:
                raise _mistake()
        return items

    return {"turns": turns, "unpacked": unpacked}


def _builtin(name: str) -> Callable[..., Any]:
    made = _BUILTINS.get(name)
    if made is None:
        function = FUNCTIONS[name]

        def apply(*values: Any) -> Any:
            try:
                value = function(*values)
            except (FunctionError, ValueError, OverflowError):
                raise _mistake() from None
            return held(value) if type(value) is tuple else value

        made = _BUILTINS[name] = apply
    return made


_BUILTINS: dict[str, Callable[..., Any]] = {}


def _quick(name: str, compute: Callable[..., Any]) -> Callable[..., Any]:
    slow = _builtin(name)

    def apply(value: Any) -> Any:
        if type(value) is float or type(value) is int:
            try:
                return compute(value)
            except (ValueError, OverflowError):
                raise _mistake() from None
        return slow(value)

    return apply


def _quick_extreme(name: str, choose: Callable[..., Any]) -> Callable[..., Any]:
    slow = _builtin(name)

    def apply(*values: Any) -> Any:
        if len(values) == 2 and type(values[0]) in _NUMBERS and type(values[1]) in _NUMBERS:
            return choose(values[0], values[1])
        return slow(*values)

    return apply


def _quick_len(value: Any) -> int:
    if type(value) is tuple:
        return len(value)
    raise _mistake()


_BOOLEAN = frozenset({"==", "!=", "<", "<=", ">", ">=", "and", "or"})
_NAMES = {
    "+": "plus", "-": "minus", "*": "times", "/": "over", "//": "floored", "%": "rest", "**": "power",
    "==": "equal", "!=": "unequal", "<": "less", "<=": "less_equal", ">": "more", ">=": "more_equal",
}  # fmt: skip
_HELPERS: dict[str, Any] = {
    "plus": _computing("+", lambda a, b: a + b),
    "minus": _computing("-", lambda a, b: a - b),
    "times": _computing("*", lambda a, b: a * b),
    "over": _divided,
    "floored": _whole("//", lambda a, b: a // b),
    "rest": _whole("%", lambda a, b: a % b),
    "power": _raised,
    "equal": _equal,
    "unequal": _unequal,
    "less": _comparing(lambda a, b: a < b),
    "less_equal": _comparing(lambda a, b: a <= b),
    "more": _comparing(lambda a, b: a > b),
    "more_equal": _comparing(lambda a, b: a >= b),
    "truth": truth,
    "number": number,
    "negated": negated,
    "held": held,
    "item": item,
    "counted": counted,
    "quick_min": _quick_extreme("min", min),
    "quick_max": _quick_extreme("max", max),
    "quick_len": _quick_len,
    **{
        f"quick_{name}": _quick(name, compute)
        for name, compute in {
            "round": round, "floor": math.floor, "ceil": math.ceil, "log": math.log, "log2": math.log2,
            "exp": math.exp, "sqrt": math.sqrt, "abs": abs,
        }.items()
    },
}  # fmt: skip
_RULES: Mapping[type, Callable[[Translation, Any, _Scope], str]] = {
    tree.Literal: Translation.literal,
    tree.Variable: Translation.variable,
    tree.Unary: Translation.unary,
    tree.Binary: Translation.binary,
    tree.Conditional: Translation.conditional,
    tree.ListOf: Translation.list_of,
    tree.Index: Translation.index,
    tree.Range: Translation.range,
    tree.Comprehension: Translation.comprehension,
    tree.Apply: Translation.apply,
}
