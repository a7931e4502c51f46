"""Evaluate the expressions of a spec: exact, bounded in time and size, and without access to anything else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor, inf
from typing import TYPE_CHECKING, Any

from archdsl.ir.trouble import Parts, Reported, Trouble, told
from archdsl.ops import OPS, SYMBOLS
from archdsl.ops.base import Init, OpError
from archdsl.ops.init import INITS, make_init
from archdsl.ops.shape import Shape
from archdsl.semantics.functions import FUNCTIONS, MAX_LENGTH, FunctionError, arithmetic
from archdsl.semantics.types import check_type
from archdsl.semantics.values import UNKNOWN, Block, Number, Partial, Setting, Unknown, describe, kind_of
from archdsl.syntax import tree
from archdsl.text.diagnostic import Fix
from archdsl.text.edits import renamed, rounded_down
from archdsl.text.source import Span
from archdsl.text.suggest import HABITS, nearest, suggestion

if TYPE_CHECKING:
    from archdsl.semantics.context import Context
    from archdsl.semantics.library import Module

MAX_APPLICATIONS = 100_000
MAX_ITEMS = 1_000_000
MAX_LIST_DEPTH = 16
_MOST_SHOWN = 30
"""Longer texts are not repeated in advice."""


class Budget:
    """How much work a spec may still ask for; shared by everything that one compilation evaluates."""

    def __init__(self) -> None:
        self.applications = 0
        self.items = 0
        self.endless: set[int] = set()
        """Functions that were found to call themselves without end."""
        self.depth = 0
        """How many calls of functions are under way."""

    def hold(self, items: tuple[Setting, ...], span: Span) -> None:
        """Count a list that is made or handed over, with the lists inside it, which may be one list many times over."""
        size = _count_items(items, MAX_LENGTH, MAX_LIST_DEPTH)
        if size > MAX_LENGTH:
            limits = f"{MAX_LENGTH:,} items with those of the lists inside it, {MAX_LIST_DEPTH} levels deep"
            raise Trouble("E116", f"a list has at most {limits}", span)
        self.items += size
        if self.items > MAX_ITEMS:
            message = f"this spec makes lists of more than {MAX_ITEMS:,} items"
            raise Trouble("E109", message, span, is_fatal=True)

    def apply(self, span: Span) -> None:
        self.applications += 1
        if self.applications > MAX_APPLICATIONS:
            message = f"this spec applies functions more than {MAX_APPLICATIONS:,} times"
            raise Trouble("E109", message, span, is_fatal=True)


@dataclass(frozen=True, slots=True)
class Env:
    """What names mean at a place: local names, then the context, then the file, then what is built in."""

    module: Module
    context: Context
    budget: Budget
    names: Mapping[str, Setting | Unknown] = field(default_factory=dict[str, "Setting | Unknown"])
    shape: Shape | Unknown | None = None
    """The shape that flows in here, for `in`; None where nothing does, unknown after a mistake."""
    entry: Shape | Unknown | None = None
    """The shape that entered the block, for `cin`, in the same way."""

    def bind(self, /, **names: Setting | Unknown) -> Env:
        return Env(self.module, self.context, self.budget, {**self.names, **names}, self.shape, self.entry)

    def at(self, ref: object, shape: Shape | None) -> Env:
        """Give what names mean where a value of this shape, unknown after a mistake, flows."""
        here = UNKNOWN if shape is None and ref is not None else shape
        if here is self.shape:
            return self
        return Env(self.module, self.context, self.budget, self.names, here, self.entry)


def evaluate(expression: tree.Expression, env: Env) -> Setting:
    """Give an expression's value, or raise Trouble at the part that has none."""
    value = _RULES[type(expression)](expression, env)
    if isinstance(value, tuple) and isinstance(expression, _LIST_MAKERS):
        env.budget.hold(value, expression.span)
    return value


def _count_items(items: tuple[Setting, ...], limit: int, depth: int) -> int:
    """Count the items of a list and of the lists inside it; give more than `limit` where it nests too deep."""
    total = len(items) if depth else limit + 1
    for item in items:
        if total > limit:
            break
        if isinstance(item, tuple):
            total += _count_items(item, limit - total, depth - 1)
    return total


def evaluate_int(expression: tree.Expression, env: Env, what: str) -> int:
    """Give an expression's whole value."""
    value = evaluate(expression, env)
    if isinstance(value, Fraction):
        raise inexact(what, value, expression.span)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Trouble("E104", f"{what} is {_shown(value)}, not a whole number", expression.span)
    return value


def inexact(what: str, value: Fraction, span: Span) -> Trouble:
    """Say that a division leaves a fraction where a whole number is needed."""
    help = f"say how to round: `//` or `floor(…)` gives {floor(value)}, `ceil(…)` gives {ceil(value)}"
    return Trouble("E105", f"{what} is {value}, not a whole number", span, help=help, fix=rounded_down(span))


def evaluate_bool(expression: tree.Expression, env: Env) -> bool:
    """Give a condition's value."""
    value = evaluate(expression, env)
    if not isinstance(value, bool):
        text = expression.span.text
        help = f"compare it, as in `{text} == {describe(value)}`" if len(text) < _MOST_SHOWN else "compare it"
        raise Trouble("E104", f"a condition is true or false, not {_shown(value)}", expression.span, help=help)
    return value


def evaluate_list(expression: tree.Expression, env: Env, what: str) -> tuple[Setting, ...]:
    """Give an expression's items."""
    value = evaluate(expression, env)
    if not isinstance(value, tuple):
        raise Trouble(
            "E104", f"{what} is {_shown(value)}, not a list", expression.span, help=_as_list(what, value, expression)
        )
    return value


def _as_list(what: str, value: Setting, expression: tree.Expression) -> str:
    """Say how a list is made of a number, where a list is gone through."""
    if isinstance(value, bool) or not isinstance(value, int) or len(expression.span.text) > _MOST_SHOWN:
        return ""
    if "`for`" in what and value > 0:
        return f"write `0..{value - 1}` to count, or a list"
    return f"write `[{expression.span.text}]`" if "`stages`" in what else ""


def find_callable(name: str, module: Module) -> Partial | None:
    """Give the block or operator of a name in a file: its own or used ones first, then the prelude's and operators."""
    declaration = module.find(name)
    if declaration is not None and isinstance(declaration[0], tree.Block):
        return Partial(name, Block(declaration[0], declaration[1]))
    op = OPS.get(name)
    return Partial(name, op) if op is not None else None


def unpack(targets: Sequence[tree.Name], item: Setting, span: Span) -> dict[str, Setting]:
    """Bind the names of a `for` to one item."""
    if len(targets) == 1:
        return {targets[0].text: item}
    if not isinstance(item, tuple) or len(item) != len(targets):
        count = f"{len(item)} values" if isinstance(item, tuple) else kind_of(item)
        raise Trouble("E111", f"{len(targets)} names take their values from {describe(item)}, which has {count}", span)
    return {target.text: value for target, value in zip(targets, item, strict=True)}


def _shown(value: Setting) -> str:
    return f"{describe(value)}, {kind_of(value)}"


def _literal(node: tree.Literal, env: Env) -> Setting:
    if node.value == inf:
        raise Trouble("E116", "this number is too large", node.span)
    return node.value


def _variable(node: tree.Variable, env: Env) -> Setting:
    name = node.name
    if name in env.names:
        value = env.names[name]
        if isinstance(value, Unknown):
            raise Reported
        return value
    if name in ("in", "cin"):
        return _channels(name, env.shape if name == "in" else env.entry, node.span)
    value = env.context.get(name)
    if isinstance(value, Unknown):
        raise Reported
    if value is not None:
        return value
    found = env.module.find(name)
    if found is not None and isinstance(found[0], tree.Let):
        return found[1].value_of(found[0], env)
    partial = find_callable(name, env.module)
    if partial is not None:
        return partial
    if name in INITS and not INITS[name].needs_arguments():
        return make_init(name, (), {})
    if name in SYMBOLS:
        return name
    if env.module.expects(name):
        raise Reported
    raise _unknown_variable(node, env)


FACTS = ("parameters", "macs", "flops", "activation_bytes")
"""What an assertion may speak of: a network's total costs."""


def _unknown_variable(node: tree.Variable, env: Env) -> Trouble:
    from archdsl.syntax.habits import names  # what only mistakes need

    message = f"nothing is called `{node.name}` here"
    if (habit := names.unknown_value(node.span)) is not None:
        return told("E101", habit, message, node.span)
    known = [*env.names, "in", "cin", *env.context.names(), *env.module.names(), *OPS, *INITS]
    # A single letter is near too much.
    own = [name for name in env.names if name not in FACTS]
    near = nearest(node.name, known, own) if len(node.name) > 1 else None
    stages = "`stage` counts the stages from 1, and `total` is their number" if "stage" in env.names else ""
    advice = stages or "bind it with `let`, or make it a parameter"
    help = suggestion(node.name, known, own=own) if near else advice
    return Trouble("E101", message, node.span, help=help, fix=renamed(node.span, node.name, near))


def _channels(name: str, shape: Shape | Unknown | None, span: Span) -> int:
    if isinstance(shape, Unknown):
        raise Reported
    if shape is None:
        if name == "cin":
            message = "only a block has `cin`, the channels that enter it"
            raise Trouble("E121", message, span, help="write `in`, the channels at this place")
        help = "begin with `input [C, H, W]`"
        raise Trouble("E121", f"`{name}` has no value: nothing flows in here", span, help=help)
    channels = shape[0]
    if not isinstance(channels, int):
        raise Trouble(
            "E118",
            f"`{name}` is {channels} here, which depends on the image's size",
            span,
            help="pool to a fixed size first, so that the network's weights do not depend on the image",
        )
    return channels


def _apply(node: tree.Apply, env: Env) -> Setting:
    name = node.name.text
    env.budget.apply(node.span)
    found = env.module.find(name)
    if name not in env.names and found is not None and isinstance(found[0], tree.Function):
        return _call_function(found[0], found[1], node, env)
    if name in FUNCTIONS and found is None:
        return _call_builtin(name, node, env)
    values = _evaluate_all([argument.value for argument in node.arguments], env)
    arguments = list(zip(node.arguments, values, strict=True))
    if name in INITS and found is None:
        return _make_init(name, arguments, node.span)
    target = env.names.get(name) or env.context.get(name) or find_callable(name, env.module)
    if isinstance(target, Unknown):
        raise Reported
    if not isinstance(target, Partial):
        if env.module.expects(name):
            raise Reported
        raise _unknown_function(node.name, env)
    return bind(target, arguments)


def _unknown_function(name: tree.Name, env: Env) -> Trouble:
    from archdsl.syntax.habits import names  # what only mistakes need

    message = f"no function, operator or block is called `{name.text}`"
    if (habit := names.unknown_function(name.span)) is not None:
        return told("E101", habit, message, name.span)
    near = nearest(name.text, [*FUNCTIONS, *INITS, *env.module.names(), *OPS])
    help = f"the nearest name is `{near}`" if near else "declare it with `fn`"
    return Trouble("E101", message, name.span, help=help, fix=renamed(name.span, name.text, near))


def bind(target: Partial, arguments: Sequence[tuple[tree.Argument, Setting]]) -> Partial:
    """Give some arguments of an operator or block; positional ones are matched to their names here."""
    given: dict[str, Setting] = dict(target.arguments)
    free = [key for key in positional_keys(target) if key not in given]
    for argument, value in arguments:
        key = argument_key(target, argument, free)
        given[key] = value
        if key in free:
            free.remove(key)
    return Partial(target.name, target.target, tuple(sorted(given.items(), key=lambda item: item[0])))


def argument_keys(target: Partial) -> tuple[str, ...]:
    """List the names of a callable's arguments in positional order."""
    if isinstance(target.target, Block):
        return tuple(parameter.name.text for parameter in target.target.declaration.parameters)
    return target.target.attribute_names()


def positional_keys(target: Partial) -> tuple[str, ...]:
    """List the names of a callable's arguments in the order in which values without names take them.

    A parameter of type `body` comes last, wherever it is declared, since braces behind the call give it.
    """
    if not isinstance(target.target, Block):
        return target.target.attribute_names()
    parameters = target.target.declaration.parameters
    bodies = tuple(p.name.text for p in parameters if p.type is not None and p.type.text == "body")
    return (*(p.name.text for p in parameters if p.name.text not in bodies), *bodies)


def argument_key(target: Partial, argument: tree.Argument, free: Sequence[str]) -> str:
    """Give the full name of an argument, whose positional one is the first free name."""
    if argument.key is None:
        if not free:
            count = len(argument_keys(target))
            most = f"at most {count} arguments" if count > 1 else "one argument" if count else "no arguments"
            help = "remove what is too much"
            if not isinstance(target.target, Block) and target.target.category == "input":
                from archdsl.syntax.habits import names  # what only mistakes need

                help = names.input_step(argument.span) or help
            fix = None
            if argument.span.text in OPS:
                word = argument.span
                help = f"put `;` before `{word.text}`, if it is a step of its own"
                behind = len(word.source.text[: word.start].rstrip(" \t"))
                fix = Fix.at(Span(behind, word.start, word.source), "; ", title=f"put `;` before `{word.text}`")
            raise Trouble("E107", f"`{target.name}` takes {most}", argument.span, help=help, fix=fix)
        return free[0]
    key = argument.key.text
    if isinstance(target.target, Block):
        return key
    return target.target.resolve(key) or key


def _call_builtin(name: str, node: tree.Apply, env: Env) -> Setting:
    keyed = next((argument for argument in node.arguments if argument.key is not None), None)
    if keyed is not None:
        trouble = Trouble("E102", f"`{name}` takes no named arguments", keyed.span, help="write the value alone")
        raise beside(trouble, [keyed.value], env)
    values = _evaluate_all([argument.value for argument in node.arguments], env)
    try:
        result = FUNCTIONS[name](*values)
    except FunctionError as error:
        raise Trouble("E104", f"`{name}` {error}", node.span) from None
    except (ValueError, OverflowError):
        given = ", ".join(map(describe, values))
        raise Trouble("E116", f"`{name}` of {given[:_MOST_SHOWN]} has no value", node.span) from None
    return result


def _make_init(name: str, arguments: Sequence[tuple[tree.Argument, Setting]], span: Span) -> Setting:
    positional = [as_word(value) for argument, value in arguments if argument.key is None]
    named: dict[str, Any] = {a.key.text: as_word(value) for a, value in arguments if a.key is not None}
    try:
        return make_init(name, positional, named)
    except OpError as error:
        raise Trouble(error.code, error.message, span, help=error.help) from None


def as_word(value: Setting) -> Setting:
    """Give the word that was written where a word is wanted, though an operator or initialisation bears that name."""
    if isinstance(value, Partial) and not value.arguments:
        return value.name
    if isinstance(value, Init) and not value.arguments:
        return value.function.removesuffix("_")
    return value


def _call_function(function: tree.Function, module: Module, node: tree.Apply, env: Env) -> Setting:
    if id(function) in env.budget.endless:
        raise Reported
    values = match_arguments(function.name.text, function.parameters, node.arguments, node.span, env)
    inner = Env(module, env.context, env.budget, shape=env.shape, entry=env.entry)
    inner = bind_defaults(inner, function.parameters, values, node.name)
    env.budget.depth += 1
    try:
        return evaluate(function.value, inner)
    except RecursionError:
        env.budget.endless.add(id(function))
        message = f"`{function.name.text}` calls itself without end"
        raise Trouble("E108", message, node.span, help="let a condition end the recursion") from None
    finally:
        env.budget.depth -= 1


def match_arguments(
    name: str, parameters: Sequence[tree.Parameter], arguments: Sequence[tree.Argument], span: Span, env: Env
) -> dict[str, Setting]:
    """Evaluate arguments and match them to parameters by position and name."""
    keys = [parameter.name.text for parameter in parameters]
    values: dict[str, Setting] = {}
    parts = Parts()
    for position, argument in enumerate(arguments):
        if any(trouble.code == "E107" for trouble in parts.troubles):
            break
        with parts:
            value = evaluate(argument.value, env)
            if argument.key is None and position >= len(keys):
                message = f"`{name}` takes {len(keys)} arguments, not {len(arguments)}"
                raise Trouble("E107", message, argument.span, help="remove what is too much")
            key = keys[position] if argument.key is None else argument.key.text
            if key not in keys:
                raise unknown_argument(name, key, keys, argument.key.span if argument.key else argument.span)
            if key in values:
                raise Trouble("E106", f"`{key}` is given twice", argument.span, help="remove one of the two")
            values[key] = value
    parts.settle()
    return values


def unknown_argument(name: str, key: str, known: Sequence[str], span: Span, also: Sequence[str] = ()) -> Trouble:
    """Say that a callable has no such argument, and what it has; `also` are long names of an operator's arguments.

    A block's parameters are its author's names, so that another tool's name for one is only likely to mean it.
    """
    from archdsl.syntax.habits import names  # what only mistakes need

    message = f"`{name}` has no argument `{key}`"
    if span.text.startswith(key):
        span = Span(span.start, span.start + len(key), span.source)
    if (habit := names.unknown_argument(key, span)) is not None:
        return told("E102", habit, message, span)
    near = meant = nearest(key, [*known, *also])
    value = re.match(r"\s*=\s*([\w.]+|\[[^\[\]\n]*\])", span.source.text[span.end : span.end + 80])
    if near is not None and near == HABITS.get(key.casefold().replace("_", "")) and value is not None:
        short = known[also.index(near)] if len(also) == len(known) and near in also else near
        edit = Span(span.start, span.start + len(key), span.source)
        help = f"write `{short}={value[1]}`"
        return Trouble("E102", message, span, help=help, fix=Fix.at(edit, short, is_safe=bool(also), title=help))
    listed = ", ".join(f"`{item}`" for item in known[:12])
    help = f"the nearest is `{near}`" if near else f"it takes {listed}" if listed else "it takes none"
    return Trouble("E102", message, span, help=help, fix=renamed(span, key, near, meant))


def bind_defaults(
    env: Env,
    parameters: Sequence[tree.Parameter],
    values: Mapping[str, Setting],
    call: tree.Name,
    parts: Parts | None = None,
) -> Env:
    """Bind parameters to their values, or to their defaults, which may use the parameters before them.

    Mistakes are left in `parts` where these are given, and the parameters that they concern are unknown.
    """
    names = dict(env.names)
    inner = Env(env.module, env.context, env.budget, names, env.shape, env.entry)
    own = parts if parts is not None else Parts()
    for parameter in parameters:
        key = parameter.name.text
        if key in values:
            names[key] = values[key]
            continue
        try:
            if parameter.default is None:
                is_body = parameter.type is not None and parameter.type.text == "body"
                way = f"write it in braces behind the call: `{call.text} {{ … }}`" if is_body else f"give it: `{key}=…`"
                raise Trouble("E103", f"`{call.text}` needs `{key}`", call.span, help=way)
            value = evaluate(parameter.default, inner)
            check_type(parameter, value, parameter.default.span)
            names[key] = value
        except (Trouble, Reported) as error:
            own.take(error)
            names[key] = UNKNOWN
    if parts is None:
        own.settle()
    return inner


def _list(node: tree.ListOf, env: Env) -> Setting:
    return tuple(_evaluate_all(node.items, env))


def _evaluate_all(expressions: Sequence[tree.Expression], env: Env) -> list[Setting]:
    """Give the values of expressions that do not depend on each other, or raise the mistakes of all."""
    values: list[Setting] = []
    try:
        for expression in expressions:
            values.append(evaluate(expression, env))  # noqa: PERF401 -- how far it came is needed below
    except (Trouble, Reported) as error:
        raise beside(error, expressions[len(values) + 1 :], env) from None
    return values


def beside(error: Trouble | Reported, others: Iterable[tree.Expression], env: Env) -> Trouble | Reported:
    """Give a mistake together with those that expressions beside it hold.

    Not inside functions, which would be gone through time and again; their own text is surveyed once.
    """
    if env.budget.depth:
        return error
    parts = Parts()
    with parts:
        raise error
    for expression in others:
        with parts:
            evaluate(expression, env)
    try:
        parts.settle()
    except (Trouble, Reported) as joined:
        return joined
    raise AssertionError("a mistake settles as one")


def _comprehension(node: tree.Comprehension, env: Env) -> Setting:
    items: list[Setting] = []
    try:
        source = evaluate_list(node.source, env, "what `for` goes through")
    except (Trouble, Reported) as error:
        inner = env.bind(**{target.text: UNKNOWN for target in node.targets})
        raise beside(error, filter(None, (node.item, node.condition)), inner) from None
    for item in source:
        env.budget.apply(node.span)
        inner = env.bind(**unpack(node.targets, item, node.source.span))
        if node.condition is None or evaluate_bool(node.condition, inner):
            items.append(evaluate(node.item, inner))
    return tuple(items)


def _unary(node: tree.Unary, env: Env) -> Setting:
    if node.operator == "not":
        return not evaluate_bool(node.operand, env)
    value = evaluate(node.operand, env)
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        raise Trouble("E104", f"`{node.operator}` takes a number, not {_shown(value)}", node.operand.span)
    return -value if node.operator == "-" else value


def _binary(node: tree.Binary, env: Env) -> Setting:
    if node.operator in ("and", "or"):
        try:
            left = evaluate_bool(node.left, env)
        except (Trouble, Reported) as error:
            raise beside(error, [node.right], env) from None
        return evaluate_bool(node.right, env) if left == (node.operator == "and") else left
    try:
        left = evaluate(node.left, env)
    except (Trouble, Reported) as error:
        raise beside(error, [node.right], env) from None
    right = evaluate(node.right, env)
    if node.operator in ("==", "!="):
        is_equal = left == right and isinstance(left, bool) == isinstance(right, bool)
        return is_equal == (node.operator == "==")
    if isinstance(left, tuple) and isinstance(right, tuple) and node.operator == "+":
        return left + right
    for value, side in ((left, node.left), (right, node.right)):
        if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
            raise Trouble("E104", f"`{node.operator}` takes numbers, not {_shown(value)}", side.span)
    assert isinstance(left, int | float | Fraction)
    assert isinstance(right, int | float | Fraction)
    if node.operator in _COMPARISONS:
        return _COMPARISONS[node.operator](left, right)
    try:
        return arithmetic(node.operator, left, right)
    except FunctionError as error:
        raise Trouble("E116", f"{describe(left)} {node.operator} {describe(right)}: {error}", node.span) from None


_COMPARISONS: Mapping[str, Callable[[Number, Number], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _conditional(node: tree.Conditional, env: Env) -> Setting:
    try:
        is_first = evaluate_bool(node.condition, env)
    except (Trouble, Reported) as error:
        raise beside(error, (node.then, node.otherwise), env) from None
    return evaluate(node.then if is_first else node.otherwise, env)


def _index(node: tree.Index, env: Env) -> Setting:
    try:
        items = evaluate_list(node.base, env, "what is indexed")
    except (Trouble, Reported) as error:
        raise beside(error, [node.index], env) from None
    index = evaluate(node.index, env)
    if isinstance(index, tuple):
        return tuple(_item(items, position, node.index.span) for position in index)
    return _item(items, index, node.index.span)


def _item(items: tuple[Setting, ...], position: Setting, span: Span) -> Setting:
    if isinstance(position, bool) or not isinstance(position, int):
        raise Trouble("E104", f"an index is a whole number, not {_shown(position)}", span)
    if not -len(items) <= position < len(items):
        raise Trouble("E116", f"a list of {len(items)} has no item {position}", span, help="the first item is item 0")
    return items[position]


def _range(node: tree.Range, env: Env) -> Setting:
    first = evaluate_int(node.first, env, "a range's start")
    last = evaluate_int(node.last, env, "a range's end")
    if last - first >= MAX_LENGTH:
        raise Trouble("E116", f"a range has at most {MAX_LENGTH:,} items", node.span)
    return tuple(range(first, last + 1))


def _choose(node: tree.Choose, env: Env) -> Setting:
    raise Trouble("E117", "search choices are not in this version", node.span, help="write one of the options")


_LIST_MAKERS = (tree.ListOf, tree.Comprehension, tree.Binary, tree.Index, tree.Range, tree.Apply)
_RULES: Mapping[type[Any], Callable[[Any, Env], Setting]] = {
    tree.Literal: _literal,
    tree.Variable: _variable,
    tree.Apply: _apply,
    tree.ListOf: _list,
    tree.Comprehension: _comprehension,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Conditional: _conditional,
    tree.Index: _index,
    tree.Range: _range,
    tree.Choose: _choose,
}
