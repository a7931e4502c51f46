"""Settings from outside: what a caller gives a model's parameters, context names and operators' arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from archdsl.ir.trouble import Parts, Trouble
from archdsl.lower.plan import Plan
from archdsl.ops import OPS
from archdsl.ops.shape import LARGEST_TENSOR
from archdsl.semantics.callables import find_callable
from archdsl.semantics.context import Context, Outside
from archdsl.semantics.defaults import file_context
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.mistakes import unknown_argument
from archdsl.semantics.types import check_type
from archdsl.semantics.values import Setting
from archdsl.syntax import tree
from archdsl.syntax.parser import parse_expression
from archdsl.syntax.walk import nodes_of
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Source, Span
from archdsl.text.suggest import nearest

SETTINGS = "<settings>"
"""What messages call the text that settings are written out as."""
_MOST_AXES = 4

# What a user may write in Python for a setting: a value, or the text that a spec would have.
UserValue: TypeAlias = "bool | int | float | str | Sequence[UserValue]"


def with_settings(plan: Plan, settings: Mapping[str, UserValue]) -> Plan:
    """Apply settings from outside: parameters of the model, context names, or `operator.argument`."""
    budget = Budget()
    context = file_context(plan.module, Context(), budget, Parts())
    env = Env(plan.module, context, budget)
    parameters = {parameter.name.text: parameter for parameter in plan.declaration.parameters}
    outside: dict[str, Setting] = {}
    places: dict[str, Span] = {}
    values = dict(plan.values)
    orders: dict[str, Setting] = {}
    argument_orders: dict[tuple[str, str], Setting] = {}
    body_context = _context_names(plan.declaration.body)
    for key, meant in settings.items():
        written = _written(key, meant)
        value = _setting(written, len(key) + 1, env)
        target, _, argument = key.partition(".")
        key_span = Span(0, len(key), written)
        if key in parameters:
            check_type(parameters[key], value, Span(len(key) + 1, len(written.text), written))
            values[key] = outside[key] = value
            places[key] = key_span
        elif argument and (found := find_callable(target, plan.module)) is not None:
            resolved = argument if not isinstance(found.target, type) else found.target.resolve(argument)
            if resolved is None:
                assert isinstance(found.target, type)
                raise unknown_argument(target, argument, found.target.attribute_names(), key_span)
            argument_orders[target, resolved] = outside[f"{target}.{resolved}"] = value
            places[f"{target}.{resolved}"] = key_span
        elif context.get(key) is not None or key in body_context:
            orders[key] = outside[key] = value
            places[key] = key_span
        else:
            known = [*parameters, *context.names(), *body_context]
            near = nearest(key, known)
            listed = ", ".join(f"`{name}`" for name in known)
            operator = nearest(target, OPS) if argument else None
            help = f"the nearest is `{near}`" if near else f"it has {listed}"
            if operator is not None:
                help = f"the nearest operator is `{operator}`: `{operator}.{argument}`"
            raise Trouble("E102", f"`{plan.name}` has no setting `{key}`", key_span, help=help)
    context = replace(
        plan.context.order(orders, argument_orders), outside=Outside(outside, places) if outside else None
    )
    return replace(plan, values=values, context=context)


def check_taken(plan: Plan, report: Reporter) -> None:
    """Report what is set from outside and taken by nothing in the network.

    Requires: a network that was built without mistakes
    """
    outside = plan.context.outside or Outside({}, {})
    # Name maps read parameters when keys are renamed.
    rules = [keys.rules for home in plan.module.key_homes() for keys in home.keys]
    taken = outside.taken | {node.name for node in nodes_of(rules) if isinstance(node, tree.Variable)}
    for name, span in outside.places.items():
        if name not in taken:
            target, _, argument = name.partition(".")
            help = f"no call of `{target}` leaves `{argument}` to its default" if argument else "leave it out"
            report.error("E125", f"nothing in `{plan.name}` takes the setting `{span.text}`", span, help=help)


def check_image(image: object) -> None:
    """Raise Trouble for an input size from outside that is none."""
    if image is None:
        return
    sizes: list[object] = [*image] if isinstance(image, list | tuple) else []  # pyright: ignore[reportUnknownArgumentType] -- tested below
    is_size = all(type(size) is int and 0 < size <= LARGEST_TENSOR for size in sizes)
    if not is_size or not 1 <= len(sizes) <= _MOST_AXES:
        try:
            written = Source(f"input={image!r}", SETTINGS)
        except ValueError:  # a whole number of more digits than Python writes
            written = Source("input=…", SETTINGS)
        help = "give channels, height and width: (3, 224, 224)"
        message = "an input size is 1 to 4 positive whole numbers"
        raise Trouble("E104", message, Span(0, len(written.text), written), help=help)


def _context_names(body: tree.Body) -> set[str]:
    """List the names that a body's own `defaults` bind."""
    found: set[str] = set()
    for statement in body.statements:
        if isinstance(statement, tree.Defaults):
            found |= {argument.key.text for argument in statement.values if argument.key is not None}
    return found


def _written(key: str, value: UserValue) -> Source:
    """Write a setting as a spec would, or raise Trouble where it cannot be written."""
    try:
        return Source(f"{key}={value if isinstance(value, str) else _write(value)}", SETTINGS)
    except (ValueError, RecursionError):  # a whole number of more digits than Python writes; a list in itself
        span = Span(0, len(key), Source(f"{key}=…", SETTINGS))
        raise Trouble("E116", f"the value of `{key}` is too large to be written out", span) from None


def _write(value: UserValue) -> str:
    """Write a Python value as a spec would."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return value
    items: object = value
    return "[" + ", ".join(map(_write, value)) + "]" if isinstance(items, list | tuple) else str(items).lower()


_QUOTES = "'`\u201c\u201d\u2018\u2019"
_AS_IN_A_SPEC = "write it as in a spec: a number, a list `[1, 2]`, or an operator such as `group(32)`"


def _setting(written: Source, offset: int, env: Env) -> Setting:
    """Evaluate the text of a setting, which starts at `offset`."""
    report = Reporter()
    padded = Source(" " * offset + written.text[offset:], written.name)
    expression = parse_expression(padded, report)
    if expression is None or report.has_errors:
        given = written.text[offset:]
        message = f"`{given}` is no value" if given.strip() else f"`{written.text[: offset - 1]}` is given no value"
        help = f"write {given.strip(_QUOTES)}, without quotes" if given.strip(_QUOTES) != given else _AS_IN_A_SPEC
        raise Trouble("E104", message, Span(offset, len(written.text), written), help=help)
    try:
        return evaluate(expression, env)
    except Trouble as trouble:
        span = Span(trouble.span.start, trouble.span.end, written)
        raise Trouble(trouble.code, trouble.message, span, help=trouble.help) from None
