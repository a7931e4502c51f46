"""What is said of a name that means nothing, and of a value that does not fit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil, floor
from types import MappingProxyType

from archdsl.ir.trouble import Trouble, told
from archdsl.ops import OPS
from archdsl.ops.init import INITS
from archdsl.semantics.env import FACTS, Env
from archdsl.semantics.functions import FUNCTIONS
from archdsl.semantics.values import LevelValue, Setting
from archdsl.syntax import tree
from archdsl.text.diagnostic import Fix, Label
from archdsl.text.edits import renamed, rounded_down
from archdsl.text.source import Span
from archdsl.text.suggest import is_synonym, known_as, nearest, suggestion


def unknown_variable(node: tree.Variable, env: Env) -> Trouble:
    """Return what to say of a name that has no value."""
    from archdsl.syntax.habits import names  # what only mistakes need

    message = f"nothing is called `{node.name}` here"
    if (habit := names.unknown_value(node.span)) is not None:
        return told("E101", habit, message, node.span)
    known = [*env.names, "in", "cin", *env.context.names(), *env.module.names(), *OPS, *INITS]
    # A single letter is near too much.
    own = [name for name in (*env.names, *env.module.declarations) if name not in FACTS]
    near = nearest(node.name, known, own) if len(node.name) > 1 else None
    stages = "`stage` counts the stages from 1, and `total` is their number" if "stage" in env.names else ""
    advice = stages or "bind it with `let`, or make it a parameter"
    help = suggestion(node.name, known, own=own) if near else advice
    return Trouble("E101", message, node.span, help=help, fix=renamed(node.span, node.name, near, own=own))


def unknown_function(name: tree.Name, env: Env) -> Trouble:
    """Return what to say of a name that is called and means nothing."""
    from archdsl.syntax.habits import names  # what only mistakes need

    message = f"no function, operator or block is called `{name.text}`"
    if (habit := names.unknown_function(name.span)) is not None:
        return told("E101", habit, message, name.span)
    found = env.module.find(name.text)
    if found is not None and isinstance(found[0], tree.Model | tree.Variant):
        help = f"`{name.text}` is a model: give it a name with its arguments, `variant small of {name.text}(…)`"
        return Trouble("E101", message, name.span, help=help)
    near = nearest(name.text, [*FUNCTIONS, *INITS, *env.module.names(), *OPS])
    help = f"the nearest name is `{near}`" if near else "declare it with `fn`"
    return Trouble(
        "E101", message, name.span, help=help, fix=renamed(name.span, name.text, near, own=env.module.declarations)
    )


def unknown_argument(
    name: str,
    key: str,
    known: Sequence[str] | Mapping[str, str],
    span: Span,
    given: Mapping[str, Span] = MappingProxyType({}),
) -> Trouble:
    """Say that a callable has no such argument, and what it has that is not `given`.

    An operator's arguments are given by their long names, with the short ones in which they are written. A block's
    parameters are its author's names, so that another tool's name for one is only likely to mean it.
    """
    from archdsl.syntax.habits import names  # what only mistakes need

    message = f"`{name}` has no argument `{key}`"
    if span.text.startswith(key):
        span = Span(span.start, span.start + len(key), span.source)
    if (habit := names.unknown_argument(key, span)) is not None:
        return told("E102", habit, message, span)
    short: Mapping[str, str] = known if isinstance(known, Mapping) else {}
    left = [item for item in known if item not in given or not _is_beside(given[item], span)]
    aliases = [short[item] for item in left if item in short]
    # Other tools know none of the short names.
    near = meant = nearest(key, [*aliases, *left], own={*aliases} - {*left})
    value = re.match(r"\s*=\s*(\d[\d.]*e-\d+|[\w.]+|\[[^\[\]\n]*\])", span.source.text[span.end : span.end + 80])
    if near is not None and near == known_as(key) and near in left and value is not None:
        edit = Span(span.start, span.start + len(key), span.source)
        written = short.get(near, near)
        help = f"write `{written}={value[1]}`"
        is_safe = bool(short) and is_synonym(key, near)
        return Trouble("E102", message, span, help=help, fix=Fix.at(edit, written, is_safe=is_safe, title=help))
    listed = ", ".join(f"`{short.get(item, item)}`" for item in [*known][:12])
    help = f"the nearest is `{near}`" if near else f"it takes {listed}" if listed else "it takes none"
    return Trouble("E102", message, span, help=help, fix=renamed(span, key, near, meant, own=() if short else left))


def _is_beside(other: Span, span: Span) -> bool:
    """Return whether two arguments stand in one statement."""
    between = span.source.text[min(other.start, span.start) : max(other.end, span.end)]
    return other.source == span.source and not re.search(r"[;\n{}]", between)


def given_twice(
    name: str, key: str, again: tree.Argument, given: Sequence[tree.Argument], earlier: Span, *, counts: bool
) -> Trouble:
    """Say that a call gives an argument twice.

    `earlier` is where it was given before. With `counts`, the first number says how many channels come out, and one
    that stands before it was meant for those that flow in.
    """
    is_pushed = len(given) > 1 and given[1].span == earlier and all(argument.key is None for argument in given[:2])
    if counts and is_pushed and given[0].span.text.isdigit() and again.key is not None:
        return input_count(name, given[0].span, [argument.span for argument in given[1:]])
    label = Label(earlier, "given here first")
    return Trouble("E106", f"`{key}` is given twice", again.span, help="remove one of the two", labels=(label,))


def input_count(name: str, first: Span, others: Sequence[Span]) -> Trouble:
    """Say that a call's first number counts what flows in, which is not written here."""
    written = " ".join([name, *(span.text for span in others)])
    message = f"{first.text} is one number too many: what flows into `{name}` is not written"
    rest = Span(first.start, others[0].start if others else first.end, first.source)
    fix = Fix.at(rest, "", title=f"write `{written}`")
    return Trouble("E106", message, first, help=f"write `{written}`", fix=fix)


def beyond_numbers(node: tree.Binary, value: Setting) -> str:
    """Say what puts together what an operator for numbers does not: values that flow, a text and a number."""
    from archdsl.syntax.habits import references  # what only mistakes need

    if isinstance(value, LevelValue):
        join, sides = references.JOINS.get(node.operator), (node.left.span.text, node.right.span.text)
        is_certain = join and all(side.startswith("@") for side in sides)
        return f"a step puts values together: `{join} {' '.join(sides)}`" if is_certain else ""
    is_text = isinstance(value, str) and node.operator == "+" and '"' in node.span.text
    return 'braces put a number into a text: `"cell_{i}"`' if is_text else ""


def inexact(what: str, value: Fraction, span: Span) -> Trouble:
    """Say that a division leaves a fraction where a whole number is needed."""
    help = f"say how to round: `//` or `floor(…)` gives {floor(value)}, `ceil(…)` gives {ceil(value)}"
    # What is rounded to nothing is no size.
    fix = rounded_down(span) if floor(value) else None
    return Trouble("E105", f"{what} is {value}, not a whole number", span, help=help, fix=fix)
