"""Whether a call could be of another operator or block, which is what a misspelt name is offered only where it fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archdsl.ops import OPS
from archdsl.semantics.callables import argument_keys, find_callable, positional_keys
from archdsl.semantics.env import Env
from archdsl.semantics.values import Closure, DeclaredBlock, Partial
from archdsl.syntax import tree


def fitting(call: tree.Call, env: Env, *, is_strict: bool = True) -> Iterator[str]:
    """Yield what a call could be of, as far as its arguments and braces tell; its braces alone if it is not strict."""
    for name in dict.fromkeys([*env.names, *env.context.names(), *env.module.names(), *OPS]):
        if name in env.module.broken:
            continue
        value = env.names.get(name) or env.context.get(name) or find_callable(name, env.module)
        if isinstance(value, Closure):
            if not call.arguments and call.body is None:
                yield name
        elif (
            isinstance(value, Partial)
            and _takes_body(value) == (call.body is not None)
            and (not is_strict or _takes(value, call, env))
        ):
            yield name


def _takes_body(target: Partial) -> bool:
    if not isinstance(target.target, DeclaredBlock):
        return target.target.is_join
    return any(p.type is not None and p.type.text == "body" for p in target.target.declaration.parameters)


def _takes(target: Partial, call: tree.Call, env: Env) -> bool:
    named = [argument.key.text for argument in call.arguments if argument.key is not None]
    count = len(call.arguments) - len(named)
    bound = dict(target.arguments)
    free = [key for key in positional_keys(target) if key not in bound]
    if isinstance(target.target, DeclaredBlock):
        parameters = target.target.declaration.parameters
        bodies = {p.name.text for p in parameters if p.type is not None and p.type.text == "body"}
        known = {*argument_keys(target), *env.context.names()}
        needed = {p.name.text for p in parameters if p.default is None} - bodies
        free = [key for key in free if key not in bodies]
    else:
        op = target.target
        named = [op.resolve(key) or key for key in named]
        known = {*op.model_fields}
        needed = {key for key, field in op.model_fields.items() if field.is_required()}
    given = {*named, *[key for key in free if key not in named][:count]}
    return (
        count <= len(free)
        and _all_in(named, known)
        and _all_in(needed - bound.keys(), given | env.context.arguments(target.name).keys())
    )


def _all_in(keys: Iterable[str], known: Iterable[str]) -> bool:
    return set(keys) <= set(known)
