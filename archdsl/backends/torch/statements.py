"""Statements of a forward pass, what walks them, and what instances of a class have in common in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from archdsl.backends.torch.code import PyCall, PyExpression, PyName, mapped
from archdsl.backends.torch.unify import Callables, signature, unify
from archdsl.text.record import record


@record
class Assign:
    """`target = code`."""

    target: str
    code: PyExpression


@record
class Return:
    """`return code`."""

    code: PyExpression


@record
class InTraining:
    """Statements that only run in training mode."""

    statements: tuple[PyStatement, ...]
    condition: str = "self.training"


@record
class Sequential:
    """`super().__init__(items)`: what an nn.Sequential consists of, in place of a forward pass."""

    items: tuple[PyExpression, ...]


PyStatement: TypeAlias = Assign | Return | InTraining | Sequential


@record
class Members:
    """What a class needs: modules by attribute in state_dict order, and the forward pass."""

    modules: Mapping[str, PyExpression]
    arguments: tuple[str, ...]
    forward: tuple[PyStatement, ...]


def rewritten(statement: PyStatement, change: Callable[[PyExpression], PyExpression]) -> PyStatement:
    """Return a statement with its expressions changed."""
    match statement:
        case Assign(target, code):
            return Assign(target, change(code))
        case Return(code):
            return Return(change(code))
        case InTraining(inner, condition):
            return InTraining(tuple(rewritten(item, change) for item in inner), condition)
        case Sequential(items):
            return Sequential(tuple(map(change, items)))


def _expressions(statement: PyStatement) -> Iterator[tuple[str, PyExpression]]:
    """Yield a statement's expressions in the order of `rewritten`, each with what it is assigned to, or ""."""
    match statement:
        case Assign(target, code):
            yield target, code
        case Return(code):
            yield "", code
        case InTraining(inner):
            for item in inner:
                yield from _expressions(item)
        case Sequential(items):
            yield from (("", item) for item in items)


def members_signature(members: Members, callables: Callables) -> object:
    """Return what the members of all instances of one class have in common, as a key."""
    modules = tuple((name, signature(item, callables)) for name, item in members.modules.items())
    return (members.arguments, modules, _forward_signature(members.forward, callables))


def _forward_signature(statements: Sequence[PyStatement], callables: Callables) -> object:
    return tuple(
        (
            rewritten(statement, lambda _: PyName("")),
            *(signature(code, callables) for _, code in _expressions(statement)),
        )
        for statement in statements
    )


def is_part_of(small: Members, large: Members, callables: Callables) -> bool:
    """Return whether members equal others but for modules that they lack, where the value passes unchanged."""
    extra = [name for name in large.modules if name not in small.modules]
    if not extra or len(small.modules) + len(extra) != len(large.modules) or small.arguments != large.arguments:
        return False
    common = [(name, signature(item, callables)) for name, item in large.modules.items() if name in small.modules]
    if common != [(name, signature(item, callables)) for name, item in small.modules.items()]:
        return False
    skipped = {f"self.{name}" for name in extra}
    reduced = [rewritten(statement, lambda code: _passed(code, skipped)) for statement in large.forward]
    return _forward_signature(reduced, callables) == _forward_signature(small.forward, callables)


def _passed(code: PyExpression, functions: set[str]) -> PyExpression:
    """Return code in which calls of some modules are their argument."""
    match code:
        case PyCall(function, (argument,), ()) if function in functions:
            return _passed(argument, functions)
        case _:
            return mapped(code, lambda part: _passed(part, functions))


def unify_forward(every: Sequence[Members], callables: Callables) -> tuple[PyStatement, ...]:
    """Merge the forward passes of the instances that have all modules; the others' follow from them."""
    most = max(len(members.modules) for members in every)
    places = [members.forward if len(members.modules) == most else None for members in every]
    full = next(forward for forward in places if forward is not None)
    return tuple(
        _unify_statement([None if forward is None else forward[index] for forward in places], callables)
        for index in range(len(full))
    )


def _unify_statement(statements: Sequence[PyStatement | None], callables: Callables) -> PyStatement:
    first = next(statement for statement in statements if statement is not None)
    versions = [None if statement is None else list(_expressions(statement)) for statement in statements]
    merged = [
        unify([None if found is None else found[index][1] for found in versions], (target,), callables)
        for index, (target, _) in enumerate(_expressions(first))
    ]
    left = iter(merged)
    return rewritten(first, lambda _: next(left))
