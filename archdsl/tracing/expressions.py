"""Expressions that read traced numbers: arithmetic is noted, what decides between ways is one call of its own."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnnecessaryComparison=false
# Traced numbers pass for plain ones, which no type can say.

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, Self

from archdsl.ir.trouble import Reported, Trouble
from archdsl.ops.base import Init
from archdsl.ops.init import INITS
from archdsl.semantics.context import Context
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.functions import FUNCTIONS, FunctionError, arithmetic
from archdsl.semantics.values import LocalFunction, Partial, Setting
from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.text.labels import LONGEST_LABEL
from archdsl.tracing.computing import computed
from archdsl.tracing.recorder import Recorder, Traced, TracedInt, TracedList, Untraceable, exact, plain
from archdsl.tracing.skeleton import holds_traced, key_of, own_names, rebuilt, traced_in, with_own
from archdsl.tracing.translate import Untranslatable, translated

_ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "%", "**"})
_MOST_KNOWN = 4096
"""How many results of one expression are kept."""
_EFFORT = 10
"""What one application of a function counts in `EFFORT`."""
_DIGITS = 9
"""Numbers in labels that are not settled have so many digits at most."""
LARGEST = 2**62
"""Numbers up to here are computed with as they are; of larger ones exact arithmetic has to be asked whether they do."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """What an expression's text reads."""

    names: frozenset[str]
    applies: bool
    flows: bool
    """Whether it takes up values that flow."""


_UNKNOWN = object()


class TracedText(str):
    """The text of a label as this run has it, and what it is put together of."""

    __slots__ = ("pieces",)

    def __new__(cls, pieces: list[Any]) -> Self:
        made = super().__new__(cls, "".join(str(plain(piece)) for piece in pieces))
        made.pieces = pieces
        return made


class OpaqueExpression:
    """One expression at one kind of place, as a function of the traced numbers that it reads."""

    def __init__(self, node: tree.Expression, env: Env, given: Any, own: tuple[str, ...]) -> None:
        self._node, self._module = node, env.module
        self._given, self._own = given, own
        self._is_long = any(isinstance(part, tree.Comprehension | tree.Apply) for part in nodes_of(node))
        self.taken: frozenset[str] | None = None
        """The settings from outside that it takes."""
        self._known: dict[tuple[Any, ...], Any] = {}
        self._has_lists = any(isinstance(leaf, TracedList) for leaf in traced_in(given))
        self._function: Callable[..., Any] | Literal[False] | None = None
        """The same in Python; False where there is no such, None until it is needed."""
        self.effort = 0
        """How much of a compilation's budget it takes at most, in the unit of `EFFORT`."""

    def __call__(self, *leaves: Any) -> Any:
        key = exact(leaves) if self._has_lists else leaves
        value = self._known.get(key, _UNKNOWN)
        if value is not _UNKNOWN:
            return value
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        if self._function is None and self.taken is not None:
            self._function = self._translated()
        value = self._known[key] = self._function(*leaves) if self._function else self._evaluate(leaves)
        return value

    def quick(self) -> Callable[..., Any] | None:
        """Return the function itself, where computing takes no longer than looking up what was computed."""
        if self._function is None:
            self._function = self._translated()
        return self._function if self._function and not self._is_long else None

    def _translated(self) -> Callable[..., Any] | Literal[False]:
        outside = self._given[3].outside
        watched = frozenset([*self._own, *(outside.values if outside is not None else ())])
        try:
            return translated(self._node, self._module, self._given, watched, self.effort)
        except Untranslatable:
            return False

    def _evaluate(self, leaves: tuple[Any, ...]) -> Any:
        left = iter(leaves)
        names, shape, entry, context = rebuilt(self._given, lambda _: next(left))
        context = with_own(context, self._own, names)
        budget, outside = Budget(), context.outside
        try:
            value = evaluate(self._node, Env(self._module, context, budget, names, shape, entry))
        except (Trouble, Reported, RecursionError) as error:
            raise Untraceable("an expression has no value") from error
        effort = _EFFORT * (budget.applications + 1) + budget.items
        if not self.effort:
            self.effort = max(200, 4 * effort)
        if effort > self.effort:
            raise Untraceable("an expression takes much longer than it did")
        taken = frozenset(outside.taken) if outside is not None else frozenset[str]()
        self.taken = taken if self.taken is None else self.taken
        if taken != self.taken:
            raise Untraceable("an expression takes other settings than it did")
        if len(self._module.values) > _MOST_KNOWN:
            self._module.values.clear()
        return value


class OpaqueExpressions:
    """The expressions of a spec that were met, for all its runs."""

    def __init__(self) -> None:
        self._made: dict[Any, OpaqueExpression] = {}
        self._mentions: dict[int, tuple[tree.Expression, Mentions]] = {}

    def __len__(self) -> int:
        return len(self._made)

    def mentions(self, node: tree.Expression) -> Mentions:
        known = self._mentions.get(id(node))
        if known is None:
            names: set[str] = set()
            applies = flows = False
            for part in nodes_of(node):
                match part:
                    case tree.Variable(name=name):
                        names.add(name)
                    case tree.Apply():
                        names.add(part.name.text)
                        applies = True
                    case tree.Reference():
                        flows = True
                    case _:
                        pass
            known = self._mentions[id(node)] = node, Mentions(frozenset(names), applies, flows)
        return known[1]

    def made(self, node: tree.Expression, env: Env, given: Any, own: tuple[str, ...]) -> OpaqueExpression:
        """Return the function that an expression is, for all places that look alike."""
        key = id(node), id(env.module), key_of(given), own
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = OpaqueExpression(node, env, given, own)
        return made


class ExpressionTracer:
    """Takes part in the evaluation of one run."""

    def __init__(self, recorder: Recorder, expressions: OpaqueExpressions) -> None:
        self.recorder, self._expressions = recorder, expressions
        self.open_labels: Container[int] = ()
        """By identity, the labels in the text that nothing refers to."""
        self.effort = 0
        """What the run's expressions take of the budget at most."""

    def evaluate(self, expression: tree.Expression, env: Env) -> Setting | None:
        rule = _RULES.get(type(expression))
        return None if rule is None else rule(self, expression, env)

    def label(self, label: tree.LabelText, env: Env) -> str | None:
        """Put a label together without holding its numbers; what else is called so is looked at when all is known.

        None where it is settled as ever, since something may be looked for by it, or since it might be too long.
        """
        if id(label) not in self.open_labels:
            return None
        values = [piece if isinstance(piece, str) else evaluate(piece, env) for piece in label.pieces]
        if not any(isinstance(value, Traced) for value in values):
            return None
        if not all(isinstance(value, str) or type(value) is int or type(value) is TracedInt for value in values):
            return None
        if sum(_DIGITS if isinstance(value, Traced) else len(str(value)) for value in values) > LONGEST_LABEL:
            return None
        for value in values:
            if type(value) is TracedInt and (value < 0 or value >= 10**_DIGITS):
                return None
        return TracedText(values)

    def mentions(self, node: tree.Expression) -> Mentions:
        """Return what an expression's text reads."""
        return self._expressions.mentions(node)

    def reads_traced(self, node: tree.Expression, env: Env) -> bool:
        """Return whether an expression may read a traced number."""
        said = self._expressions.mentions(node)
        names = env.names
        if any(name in names and holds_traced(names[name]) for name in said.names):
            return True
        reads_flow = said.applies or not said.names.isdisjoint(("in", "cin"))
        if reads_flow and (holds_traced(env.shape) or holds_traced(env.entry)):
            return True
        is_free = any(name not in names for name in said.names)
        return is_free and holds_traced(env.context)

    def opaque(self, node: tree.Expression, env: Env) -> Setting | None:
        """Note an expression as one call, whatever it decides inside; None where it cannot be one."""
        said = self._expressions.mentions(node)
        if said.flows:
            return None
        names: Mapping[str, Any] = {name: env.names[name] for name in sorted(said.names) if name in env.names}
        reads_flow = said.applies or not said.names.isdisjoint(("in", "cin"))
        context: Context = env.context
        given = names, env.shape if reads_flow else None, env.entry if reads_flow else None, context
        try:
            leaves = traced_in(given)
        except Untraceable:
            return None
        outside = context.outside
        made = self._expressions.made(node, env, given, own_names(names, context))
        value = made(*[leaf.value for leaf in leaves])
        if outside is not None and made.taken:
            outside.taken.update(made.taken)
        self.effort += made.effort
        return self.result(made, leaves, value)

    def result(self, function: object, leaves: list[Traced], value: Any) -> Any:
        """Return the result of a call as the run has it: numbers and lists of them are traced, the rest is held."""
        recorder = self.recorder
        quick = function.quick() if isinstance(function, OpaqueExpression) else None
        node = recorder.call(quick or function, leaves, value)
        line = f"v{node.place}"
        if isinstance(value, Init):
            recorder.hold(f"type({line}) is {recorder.constant(Init)}", (node.place,))
            recorder.hold(f"{line}.function == {value.function!r}", (node.place,))
            return value
        kind = type(value)
        if kind in (int, float, Fraction) or (kind is tuple and are_numbers(value)):
            recorder.hold(f"type({line}) is {recorder.constant(kind)}", (node.place,))
            if kind is tuple:
                recorder.hold(f"{recorder.constant(are_numbers)}({line})", (node.place,))
            return node
        recorder.hold(f"{recorder.constant(_is_same)}({line}, {recorder.constant(value)})", (node.place,))
        return value

    def arithmetic(self, node: tree.Binary, env: Env) -> Setting | None:
        if node.operator not in _ARITHMETIC or not self.reads_traced(node, env):
            return None
        left, right = evaluate(node.left, env), evaluate(node.right, env)
        if not (_is_number(left) and _is_number(right)):
            return None
        if not (isinstance(left, Traced) or isinstance(right, Traced)):
            return None
        recorder = self.recorder
        try:
            value = arithmetic(node.operator, plain(left), plain(right))
        except FunctionError:
            return None
        (a, b), reads = recorder.write_all((left, right))
        kinds = {type(plain(left)), type(plain(right)), type(value)}
        if kinds == {int} and node.operator in ("+", "-", "*"):
            made = recorder.compute(f"{a} {node.operator} {b}", reads, value)
            if abs(value) < LARGEST:  # so that exact arithmetic would not refuse it, and neither what comes of it
                recorder.hold(f"-{LARGEST} < v{made.place} < {LARGEST}", (made.place,))
                return made
            raise Untraceable("a number is very large")
        if kinds == {int} and node.operator in ("//", "%", "/"):
            if isinstance(right, Traced):
                recorder.hold(f"{b} != 0", reads)
            if node.operator != "/":
                return recorder.compute(f"{a} {node.operator} {b}", reads, value)
            recorder.hold(f"{a} % {b} == 0", reads)
            return recorder.compute(f"{a} // {b}", reads, value)
        line = f"{recorder.constant(computed)}({node.operator!r}, {a}, {b})"
        made = recorder.compute(line, reads, value)
        recorder.hold(f"type(v{made.place}) is {recorder.constant(type(value))}", (made.place,))
        return made

    def conditional(self, node: tree.Conditional, env: Env) -> Setting | None:
        return self.opaque(node, env) if self.reads_traced(node.condition, env) else None

    def comprehension(self, node: tree.Comprehension, env: Env) -> Setting | None:
        return self.opaque(node, env) if self.reads_traced(node, env) else None

    def range(self, node: tree.Range, env: Env) -> Setting | None:
        return self.opaque(node, env) if self.reads_traced(node, env) else None

    def index(self, node: tree.Index, env: Env) -> Setting | None:
        if not self.reads_traced(node, env):
            return None
        base = evaluate(node.base, env)
        is_open = isinstance(base, TracedList) or self.reads_traced(node.index, env)
        return self.opaque(node, env) if is_open else None

    def apply(self, node: tree.Apply, env: Env) -> Setting | None:
        name = node.name.text
        local = env.names.get(name)
        found = env.module.find(name)
        is_function = isinstance(local, LocalFunction) or (
            name not in env.names and found is not None and isinstance(found[0], tree.Function)
        )
        is_known = found is None and (name in FUNCTIONS or name in INITS)
        if not (is_function or is_known) or not self.reads_traced(node, env):
            return None
        return self.opaque(node, env)


_RULES: Mapping[type, Any] = {
    tree.Binary: ExpressionTracer.arithmetic,
    tree.Conditional: ExpressionTracer.conditional,
    tree.Comprehension: ExpressionTracer.comprehension,
    tree.Range: ExpressionTracer.range,
    tree.Index: ExpressionTracer.index,
    tree.Apply: ExpressionTracer.apply,
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Fraction) and not isinstance(value, bool)


def are_numbers(value: Any) -> bool:
    """Return whether a list holds numbers alone, or lists of them."""
    return all(type(item) in (int, float, Fraction) or (type(item) is tuple and are_numbers(item)) for item in value)


def _is_same(value: Any, other: Any) -> bool:
    """Return whether values are equal, with all that is in them of equal types."""
    if type(value) is not type(other):
        return False
    if type(value) is tuple:
        return len(value) == len(other) and all(map(_is_same, value, other))
    if isinstance(value, Partial):
        return value == other and _is_same(value.arguments, other.arguments)
    return value == other
