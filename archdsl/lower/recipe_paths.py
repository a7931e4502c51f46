"""What a recipe's `freeze` and `rates` say of paths: patterns in a row, and factors behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from archdsl.ir.freezing import EXCEPT, HEAD, FreezePattern, Freezing
from archdsl.ir.trouble import Trouble
from archdsl.recipes.base import LARGEST
from archdsl.recipes.updates import Freeze, Rates
from archdsl.semantics.env import Env
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.values import Setting, as_word, describe
from archdsl.syntax import tree
from archdsl.text.diagnostic import Label, Reporter
from archdsl.text.source import Span

_BACKBONE = "backbone"
"""What recipes call `"*" except head`."""


class _Item(NamedTuple):
    """Something in a row: its value, its place, and whether it is a word that nothing else knows."""

    value: Setting
    span: Span
    is_word: bool


def read_freeze(call: tree.Call, env: Env) -> Freeze:
    """Read `freeze PATTERN… except PATTERN…`.

    Errors: Trouble
    """
    pieces: list[tuple[FreezePattern | None, Span]] = []
    has_backbone = False
    for item in _items(call.arguments, env, Freeze.example):
        if item.is_word and item.value == EXCEPT:
            pieces.append((None, item.span))
        elif item.is_word and item.value == _BACKBONE:
            has_backbone = True
            pieces.append(("*", item.span))
        else:
            pieces.append((_pattern(item, Freeze.example), item.span))
    if has_backbone:
        pieces += [] if any(pattern is None for pattern, _ in pieces) else [(None, call.span)]
        pieces.append((HEAD, call.span))
    report = Reporter()
    found = Freezing.gather(pieces, call.name.span, report)
    for told in report.diagnostics:
        raise Trouble(told.code, told.message, told.span, help=told.help or "")
    return Freeze(patterns=found.patterns, excepts=tuple(dict.fromkeys(found.excepts)))


def read_rates(call: tree.Call, env: Env) -> Rates:
    """Read `rates PATTERN… FACTOR … decay=0.75`.

    Errors: Trouble
    """
    decay, factors = 1.0, list[tuple[FreezePattern, float]]()
    keyed = [argument for argument in call.arguments if argument.key is not None]
    for argument in keyed:
        assert argument.key is not None
        if argument.key.text != "decay":
            help = f"paths and factors stand without names: `{Rates.example}`"
            raise Trouble("E102", f"`rates` has no setting `{argument.key.text}`", argument.key.span, help=help)
        decay = _number(as_word(evaluate(argument.value, env)), argument.span, "`decay` of `rates`", 1.0)
    if len(keyed) > 1:
        label = Label(keyed[0].span, "given here first")
        raise Trouble("E106", "`decay` is given twice", keyed[1].span, labels=(label,), help="remove one of the two")
    waiting: list[_Item] = []
    for item in _items([argument for argument in call.arguments if argument.key is None], env, Rates.example):
        if isinstance(item.value, str):
            waiting.append(item)
            continue
        factor = _number(item.value, item.span, "a factor of `rates`", LARGEST)
        if not waiting:
            message = f"the factor {describe(factor)} has no path before it"
            raise Trouble("E104", message, item.span, help=f"write `{Rates.example}`")
        factors += [(_pattern(one, Rates.example), factor) for one in waiting]
        waiting = []
    if waiting:
        message = f"`{waiting[-1].value}` has no factor behind it"
        raise Trouble("E104", message, waiting[-1].span, help=f"write `{Rates.example}`")
    if not keyed and not factors:
        raise Trouble("E104", "`rates` changes nothing", call.name.span, help=f"write `{Rates.example}`")
    return Rates(factors=tuple(factors), decay=decay)


def _number(value: Setting, span: Span, what: str, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        raise Trouble("E104", f"{what} is {describe(value)}, but a number is needed", span, help="such as 0.1")
    if not 0 < value <= most:
        help = "a part that is not to learn is named by `freeze`" if value == 0 else "such as 0.1"
        message = f"{what} is {describe(value)}, but must be above 0 and at most {most:g}"
        raise Trouble("E104", message, span, help=help)
    return float(value)


def _pattern(item: _Item, example: str) -> FreezePattern:
    if not isinstance(item.value, str) or not item.value:
        raise Trouble("E104", f"{describe(item.value)} is no path", item.span, help=f"write `{example}`")
    return HEAD if item.is_word and item.value == str(HEAD) else item.value


def _items(arguments: Sequence[tree.Argument], env: Env, example: str) -> Iterator[_Item]:
    """Yield what stands in a row; lists are written out."""
    for argument in arguments:
        if argument.key is not None:
            message = f"`{argument.key.text}` has no place here: paths stand without names"
            raise Trouble("E102", message, argument.key.span, help=f"write `{example}`")
        written = argument.value.items if isinstance(argument.value, tree.ListOf) else (argument.value,)
        for expression in written:
            if isinstance(expression, tree.Variable) and not is_bound(expression.name, env):
                yield _Item(expression.name, expression.span, True)
                continue
            value = as_word(evaluate(expression, env))
            values: Sequence[Setting] = value if isinstance(value, tuple) else (value,)
            for each in values:
                yield _Item(each, expression.span, False)


def is_bound(name: str, env: Env) -> bool:
    """Return whether a `let` says what a name means."""
    found = env.module.declarations.get(name)
    return name in env.names or (found is not None and isinstance(found[0], tree.Let))
