"""Expressions to Python: what evaluation would make of them, for numbers that are known later."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# Traced numbers pass for plain ones, which no type can say.

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archdsl.ir.trouble import Reported, Trouble
from archdsl.ops.shape import Shape
from archdsl.semantics.context import Context
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.evaluate import find_value
from archdsl.semantics.functions import FUNCTIONS
from archdsl.semantics.module import Module
from archdsl.semantics.values import LocalFunction, Partial
from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.tracing.computing import HELPERS, builtin, turning
from archdsl.tracing.recorder import Traced
from archdsl.tracing.skeleton import holds_traced


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
class ExpressionText:
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
            handed = ", ".join(self.expression(argument.value, scope) for argument in node.arguments)
            return f"{f'quick_{name}' if f'quick_{name}' in HELPERS else self.constant(builtin(name))}({handed})"
        if found is None or not isinstance(found[0], tree.Function):
            raise Untranslatable
        function, text = found[0], self.function(found[0], found[1], scope.certain)
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
    making = ExpressionText(context, shape, entry, watched)
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
    names_in = {**HELPERS, **turning(spent, allowance), **making.constants, "spent": spent, "missing": object()}
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
    is_sure = (isinstance(node, tree.Binary) and node.operator in _BOOLEAN) or (
        isinstance(node, tree.Unary) and node.operator == "not"
    )
    return text if is_sure else f"truth({text})"


_BOOLEAN = frozenset({"==", "!=", "<", "<=", ">", ">=", "and", "or"})
_NAMES = {
    "+": "plus", "-": "minus", "*": "times", "/": "over", "//": "floored", "%": "rest", "**": "power",
    "==": "equal", "!=": "unequal", "<": "less", "<=": "less_equal", ">": "more", ">=": "more_equal",
}  # fmt: skip
_RULES: Mapping[type, Callable[[ExpressionText, Any, _Scope], str]] = {
    tree.Literal: ExpressionText.literal,
    tree.Variable: ExpressionText.variable,
    tree.Unary: ExpressionText.unary,
    tree.Binary: ExpressionText.binary,
    tree.Conditional: ExpressionText.conditional,
    tree.ListOf: ExpressionText.list_of,
    tree.Index: ExpressionText.index,
    tree.Range: ExpressionText.range,
    tree.Comprehension: ExpressionText.comprehension,
    tree.Apply: ExpressionText.apply,
}
