"""Evaluate the expressions of a spec: exact, bounded in time and size, and without access to anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from math import inf
from typing import Any, cast

from archdsl.ir.trouble import OF_VALUES, Parts, Reported, Trouble
from archdsl.ops import SYMBOLS
from archdsl.ops.base import OpError
from archdsl.ops.init import INITS, make_init
from archdsl.semantics.callables import bind, find_callable
from archdsl.semantics.env import Env
from archdsl.semantics.flowing import channels_of, joined_text, referred
from archdsl.semantics.functions import FUNCTIONS, MAX_LENGTH, NUMBERS, FunctionError, arithmetic
from archdsl.semantics.mistakes import beyond_numbers, inexact, unknown_argument, unknown_function, unknown_variable
from archdsl.semantics.module import Module
from archdsl.semantics.origins import at_origin
from archdsl.semantics.types import check_type
from archdsl.semantics.values import (
    UNKNOWN,
    LocalFunction,
    Number,
    Partial,
    Setting,
    Unknown,
    as_word,
    describe,
    is_value,
    kind_of,
    turns_in_words,
)
from archdsl.syntax import tree
from archdsl.text.source import Span

_MOST_SHOWN = 30
"""Longer texts are not repeated in advice."""


def evaluate(expression: tree.Expression, env: Env) -> Setting:
    """Return an expression's value, or raise Trouble at the part that has none."""
    if env.budget.tracer is not None and (traced := env.budget.tracer.evaluate(expression, env)) is not None:
        return traced
    value = _RULES[type(expression)](expression, env)
    if isinstance(value, tuple) and isinstance(expression, _LIST_MAKERS):
        env.budget.hold(value, expression.span)
    return value


def evaluate_int(expression: tree.Expression, env: Env, what: str) -> int:
    """Return an expression's whole value."""
    value = evaluate(expression, env)
    if isinstance(value, Fraction):
        raise at_origin(inexact(what, value, expression.span), (expression, env), f"{what} here")
    if isinstance(value, bool) or not isinstance(value, int):
        trouble = Trouble("E104", f"{what} is {_shown(value)}, not a whole number", expression.span)
        raise at_origin(trouble, (expression, env), f"{what} here")
    return value


def evaluate_bool(expression: tree.Expression, env: Env) -> bool:
    """Return a condition's value."""
    value = evaluate(expression, env)
    if not isinstance(value, bool):
        text = expression.span.text
        help = f"compare it, as in `{text} == {describe(value)}`" if len(text) < _MOST_SHOWN else "compare it"
        help = "" if is_value(value) else help
        raise Trouble("E104", f"a condition is true or false, not {_shown(value)}", expression.span, help=help)
    return value


def evaluate_list(
    expression: tree.Expression, env: Env, what: str, advise: Callable[[int, str], str] = lambda _, __: ""
) -> tuple[Setting, ...]:
    """Return an expression's items; `advise` says what to write for a whole number, given it and its short text."""
    value = evaluate(expression, env)
    if not isinstance(value, tuple):
        text, help = expression.span.text, ""
        if isinstance(value, int) and not isinstance(value, bool) and len(text) <= _MOST_SHOWN:
            help = advise(value, text)
        raise Trouble("E104", f"{what} is {_shown(value)}, not a list", expression.span, help=help)
    return value


def evaluate_loop(expression: tree.Expression, env: Env) -> tuple[Setting, ...]:
    """Return the items that a `for` goes through."""
    return evaluate_list(expression, env, "what `for` goes through", _counted)


def _counted(count: int, _: str) -> str:
    return f"write `0..{count - 1}` to count, or a list" if count > 0 else ""


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
    value = find_value(node, env)
    if value is not None:
        return value
    if env.module.expects(node.name):
        raise Reported
    raise unknown_variable(node, env)


def find_value(node: tree.Variable, env: Env) -> Setting | None:
    """Return what a name means, None where it means nothing; raise Trouble where it has no value."""
    name = node.name
    if name in env.names:
        value = env.names[name]
        if isinstance(value, Unknown):
            raise Reported
        if isinstance(value, LocalFunction):
            raise Trouble("E101", f"`{name}` is a function, and no value", node.span, help=f"call it: `{name}(…)`")
        env.context.take(name, value)
        return value
    if name in ("in", "cin"):
        return channels_of(name, env.shape if name == "in" else env.entry, node.span)
    value = env.context.take(name, env.context.get(name))
    if isinstance(value, Unknown):
        raise Reported
    if value is not None:
        return value
    found = env.module.find(name)
    if found is not None and isinstance(found[0], tree.Let):
        return _value_of(found[0], found[1], env)
    partial = find_callable(name, env.module)
    if partial is not None:
        return partial
    if name in INITS and not INITS[name].needs_arguments():
        return make_init(name, (), {})
    if name in SYMBOLS:
        return name
    return NUMBERS.get(name)


def interpolated(label: tree.LabelText, env: Env) -> str:
    """Return a text with the values of what is put into it."""
    if len(label.pieces) == 1 and isinstance(label.pieces[0], str):
        return label.pieces[0]
    pieces = [piece if isinstance(piece, str) else describe(evaluate(piece, env)) for piece in label.pieces]
    return joined_text(pieces, label.span)


def _text(node: tree.Interpolated, env: Env) -> Setting:
    return interpolated(node.text, env)


def _reference(node: tree.Reference, env: Env) -> Setting:
    name = interpolated(node.label, env)
    outputs = tuple(interpolated(output, env) for output in node.outputs)
    return referred(node, name, outputs, env)


def _value_of(let: tree.Let, module: Module, env: Env) -> Setting:
    """Return the value of a `let` outside any block; raise Trouble, each time anew, if it has none."""
    known, key = module.values, (id(let), env.context)
    if key not in known:
        message = f"`{let.name.text}` depends on itself"
        known[key] = Trouble("E108", message, let.name.span, help="give it a value")
        try:
            known[key] = evaluate(let.value, Env(module, env.context, env.budget))
        except Trouble as trouble:
            trouble.is_kept = True
            known[key] = trouble
        except (Reported, RecursionError):
            del known[key]
            raise
    value = known[key]
    if isinstance(value, Trouble):
        raise value
    return cast("Setting", value)


def _apply(node: tree.Apply, env: Env) -> Setting:
    name = node.name.text
    env.budget.apply(node.span)
    local = env.names.get(name)
    if isinstance(local, LocalFunction):
        names = {**dict(local.read), name: local}
        inner = Env(local.module, env.context, env.budget, names, env.shape, env.entry, sight=env.sight)  # pyright: ignore[reportArgumentType] -- what names meant there
        return _call_function(local.function, inner, node, env)
    found = env.module.find(name)
    if name not in env.names and found is not None and isinstance(found[0], tree.Function):
        inner = Env(found[1], env.context, env.budget, shape=env.shape, entry=env.entry)
        return _call_function(found[0], inner, node, env)
    if name in FUNCTIONS and found is None:
        return _call_builtin(name, node, env)
    values = _evaluate_all([argument.value for argument in node.arguments], env)
    arguments = list(zip(node.arguments, values, strict=True))
    if name in INITS and found is None:
        return _make_init(name, arguments, node.span)
    target = env.context.take(name, env.names.get(name) or env.context.get(name)) or find_callable(name, env.module)
    if isinstance(target, Unknown):
        raise Reported
    if not isinstance(target, Partial):
        if env.module.expects(name):
            raise Reported
        raise unknown_function(node.name, env)
    return bind(target, arguments)


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
        raise Trouble.of(error, span) from None


def _call_function(function: tree.Function, inner: Env, node: tree.Apply, env: Env) -> Setting:
    """Return a function's value for the arguments of a call; `inner` is what names mean in it."""
    if id(function) in env.budget.endless:
        raise Reported
    values = match_arguments(function.name.text, function.parameters, node.arguments, node.span, env)
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
    names, origins = dict(env.names), dict(env.origins)
    inner = Env(env.module, env.context, env.budget, names, env.shape, env.entry, origins, env.sight)
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
            names[key], origins[key] = value, (parameter.default, inner)
        except (Trouble, Reported) as error:
            own.take(error)
            names[key] = UNKNOWN
    if parts is None:
        own.settle()
    return inner


def _list(node: tree.ListOf, env: Env) -> Setting:
    return tuple(_evaluate_all(node.items, env))


def _evaluate_all(expressions: Sequence[tree.Expression], env: Env) -> list[Setting]:
    """Return the values of expressions that do not depend on each other, or raise the mistakes of all."""
    values: list[Setting] = []
    try:
        for expression in expressions:
            values.append(evaluate(expression, env))  # noqa: PERF401 -- how far it came is needed below
    except (Trouble, Reported) as error:
        raise beside(error, expressions[len(values) + 1 :], env) from None
    return values


def beside(error: Trouble | Reported, others: Iterable[tree.Expression], env: Env) -> Trouble | Reported:
    """Return a mistake together with those that expressions beside it hold.

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
    _go_through(node, node.clauses, env, items)
    return tuple(items)


def _go_through(
    node: tree.Comprehension, clauses: Sequence[tree.ComprehensionFor], env: Env, items: list[Setting]
) -> None:
    """Add what a comprehension makes in all turns of its clauses, of which the outer ones are bound."""
    if not clauses:
        items.append(evaluate(node.item, env))
        return
    clause, *inner_clauses = clauses
    try:
        source = evaluate_loop(clause.source, env)
    except (Trouble, Reported) as error:
        inner = env.bind(**{target.text: UNKNOWN for each in clauses for target in each.targets})
        others = (part for each in inner_clauses for part in (each.source, *each.conditions))
        raise beside(error, (node.item, *clause.conditions, *others), inner) from None
    for item in source:
        env.budget.apply(node.span)
        names = unpack(clause.targets, item, clause.source.span)
        inner = env.bind(**names)
        try:
            if all(evaluate_bool(condition, inner) for condition in clause.conditions):
                _go_through(node, inner_clauses, inner, items)
        except Trouble as trouble:
            if trouble.code in OF_VALUES and node.span.holds(trouble.span):
                trouble.turns = ", ".join(filter(None, (turns_in_words(names.items()), trouble.turns)))
            raise


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
    if isinstance(left, str) and isinstance(right, str) and node.operator == "+":
        return joined_text((left, right), node.span)
    for value, side in ((left, node.left), (right, node.right)):
        if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
            help = beyond_numbers(node, value)
            raise Trouble("E104", f"`{node.operator}` takes numbers, not {_shown(value)}", side.span, help=help)
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
    if env.chooser is None:
        help = "write one of the options, or let an `experiment` choose and hand it over"
        raise Trouble("E117", "search choices are not in this version", node.span, help=help)
    return evaluate(env.chooser.pick(node), env)


_LIST_MAKERS = (tree.ListOf, tree.Comprehension, tree.Binary, tree.Index, tree.Range, tree.Apply)
_RULES: Mapping[type[Any], Callable[[Any, Env], Setting]] = {
    tree.Literal: _literal,
    tree.Variable: _variable,
    tree.Reference: _reference,
    tree.Interpolated: _text,
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
