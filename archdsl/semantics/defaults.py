"""What `defaults` make of a context: the prelude's, a file's own, and a block's."""

from __future__ import annotations

from archdsl.ir.trouble import Parts, Trouble
from archdsl.ops import OPS
from archdsl.semantics.callables import argument_keys, find_callable
from archdsl.semantics.context import Context, Evaluated
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.mistakes import unknown_argument
from archdsl.semantics.module import Module
from archdsl.semantics.types import check_settled, check_stays_callable
from archdsl.semantics.values import UNKNOWN, DeclaredBlock, Partial
from archdsl.syntax import tree
from archdsl.text.suggest import suggestion


def file_context(module: Module, context: Context, budget: Budget, parts: Parts | None = None) -> Context:
    """Return the context that the prelude's `defaults` and then a file's own make of one.

    Mistakes are left in `parts` where these are given, and what they concern is unknown; else they are raised.
    """
    if module.prelude is not None:
        context = context.over(file_context(module.prelude, Context(), budget))
    for wish in module.wishes:
        context = apply_defaults(wish, Env(module, context, budget), parts)
    return context


def apply_defaults(node: tree.Defaults, env: Env, parts: Parts | None = None) -> Context:
    """Return the context after a `defaults`, its mistakes left in `parts` if given, and else raised."""
    own = parts if parts is not None else Parts()
    values: dict[str, Evaluated] = {}
    for argument in node.values:
        assert argument.key is not None
        values[argument.key.text] = UNKNOWN
        with own:
            value = evaluate(argument.value, env)
            check_settled(argument.key.text, value, argument.value.span)
            if (usual := env.context.get(argument.key.text)) is not None:
                check_stays_callable(argument.key.text, usual, value, argument.span)
            values[argument.key.text] = value
    arguments: dict[tuple[str, str], Evaluated] = {}
    for name, given in node.arguments:
        target = None
        with own:
            target = find_callable(name.text, env.module)
            if target is None:
                help = suggestion(name.text, [*env.module.names(), *OPS]) or "declare it with `block`"
                raise Trouble("E101", f"no operator or block is called `{name.text}`", name.span, help=help)
        for argument in given:
            assert argument.key is not None
            value: Evaluated = UNKNOWN
            with own:
                value = evaluate(argument.value, env)
                check_settled(argument.key.text, value, argument.value.span)
            with own:
                if target is not None:
                    arguments[(name.text, _argument_name(target, argument.key))] = value
    if parts is None:
        own.settle()
    return env.context.wish(values, arguments)


def _argument_name(target: Partial, key: tree.Name) -> str:
    full = key.text if isinstance(target.target, DeclaredBlock) else target.target.resolve(key.text) or key.text
    if full not in argument_keys(target):
        raise unknown_argument(target.name, key.text, argument_keys(target), key.span)
    return full
