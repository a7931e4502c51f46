"""Operators and blocks as values: what a name calls, and how arguments find their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, cast

from archdsl.ir.trouble import Trouble
from archdsl.ops import OPS
from archdsl.semantics.module import Module
from archdsl.semantics.values import DeclaredBlock, Partial, Setting, is_value
from archdsl.syntax import tree
from archdsl.text.diagnostic import Fix
from archdsl.text.source import Span


def find_callable(name: str, module: Module) -> Partial | None:
    """Return what a name calls in a file: one of its blocks, then one of the prelude's, then an operator."""
    declaration = module.find(name)
    if declaration is not None and isinstance(declaration[0], tree.Block):
        return Partial(name, DeclaredBlock(declaration[0], declaration[1]))
    op = OPS.get(name)
    return Partial(name, op) if op is not None else None


def bind(target: Partial, arguments: Sequence[tuple[tree.Argument, Setting]]) -> Partial:
    """Return some arguments of an operator or block; positional ones are matched to their names here."""
    given: dict[str, Setting] = dict(target.arguments)
    free = [key for key in positional_keys(target) if key not in given]
    is_join = not isinstance(target.target, DeclaredBlock) and target.target.is_join
    for argument, value in arguments:
        if is_join and argument.key is None and is_value(value):
            given[JOINED] = (*joined_by(given), value)
            continue
        key = argument_key(target, argument, free)
        given[key] = value
        if key in free:
            free.remove(key)
    return Partial(target.name, target.target, tuple(sorted(given.items(), key=lambda item: item[0])))


JOINED = ""
"""The key of the values that a join as a value puts together, which have no names: those of `add(@a)`."""


def joined_by(arguments: Mapping[str, object]) -> tuple[Setting, ...]:
    """Return the values, or lists of such, that a join is given by its arguments."""
    return cast("tuple[Setting, ...]", arguments.get(JOINED, ()))


def argument_keys(target: Partial) -> tuple[str, ...]:
    """List the names of a callable's arguments in positional order."""
    if isinstance(target.target, DeclaredBlock):
        return tuple(parameter.name.text for parameter in target.target.declaration.parameters)
    return target.target.attribute_names()


def kind_of_argument(target: Partial, key: str) -> Literal["bool", "block", ""]:
    """Say whether an argument is a truth value, or an operator or block; "" where it is neither, or not known."""
    if isinstance(target.target, DeclaredBlock):
        types = {p.name.text: p.type.text for p in target.target.declaration.parameters if p.type is not None}
        found = types.get(key)
        return "bool" if found == "bool" else "block" if found == "block" or key not in argument_keys(target) else ""
    field = target.target.model_fields.get(key)
    return "bool" if field is not None and field.annotation is bool else ""


def positional_keys(target: Partial) -> tuple[str, ...]:
    """List the names of a callable's arguments in the order in which values without names take them.

    A parameter of type `body` comes last, wherever it is declared, since braces behind the call give it.
    """
    if not isinstance(target.target, DeclaredBlock):
        return target.target.attribute_names()
    parameters = target.target.declaration.parameters
    bodies = tuple(p.name.text for p in parameters if p.type is not None and p.type.text == "body")
    return (*(p.name.text for p in parameters if p.name.text not in bodies), *bodies)


def argument_key(target: Partial, argument: tree.Argument, free: Sequence[str]) -> str:
    """Return the full name of an argument, whose positional one is the first free name."""
    if argument.key is None:
        if not free:
            raise _too_many(target, argument)
        return free[0]
    key = argument.key.text
    if isinstance(target.target, DeclaredBlock):
        return key
    return target.target.resolve(key) or key


def _too_many(target: Partial, argument: tree.Argument) -> Trouble:
    """Say that a callable takes fewer arguments, and what the one too many may be instead."""
    count = len(argument_keys(target))
    most = f"at most {count} arguments" if count > 1 else "one argument" if count else "no arguments"
    help = "remove what is too much"
    if not isinstance(target.target, DeclaredBlock) and target.target.category == "input":
        from archdsl.syntax.habits import names  # what only mistakes need

        help = names.input_step(argument.span) or help
    fix = None
    if isinstance(argument.value, tree.Variable) and argument.value.name in OPS:
        word = argument.span
        help = f"put `;` before `{word.text}`, if it is a step of its own"
        behind = len(word.source.text[: word.start].rstrip(" \t"))
        fix = Fix.at(Span(behind, word.start, word.source), "; ", title=f"put `;` before `{word.text}`")
    return Trouble("E107", f"`{target.name}` takes {most}", argument.span, help=help, fix=fix)
