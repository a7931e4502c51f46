"""A look into what no model of a file reaches: blocks that nobody calls, branches that are never taken, functions."""

from __future__ import annotations

from functools import partial

from archdsl.ir.trouble import Parts, Trouble
from archdsl.lower.model import survey_body
from archdsl.lower.recovery import all_bodies
from archdsl.semantics.context import Context
from archdsl.semantics.defaults import file_context
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.module import Module
from archdsl.semantics.values import UNKNOWN
from archdsl.syntax import tree
from archdsl.text.diagnostic import Reporter
from archdsl.text.looking import Looking


def survey(module: Module, report: Reporter, looking: Looking) -> None:
    """Report the mistakes of a file that hold whatever its parameters are, in what was not lowered.

    `looking` knows what was. What a default may settle elsewhere counts as unknown.
    """
    wished = _wished(module, looking)
    for declaration in module.file.declarations:
        if report.is_full:
            return
        look = partial(_survey, declaration, module, wished, looking.visited)
        looking.into(declaration, _survey, report, look, *sorted(wished))


def _survey(
    declaration: tree.Declaration, module: Module, wished: set[str], visited: set[int], report: Reporter
) -> None:
    match declaration:
        case tree.Block() | tree.Model():
            if any(id(body) not in visited for body in all_bodies(declaration.body)):
                survey_body(declaration, module, wished, visited, report)
        case tree.Function() | tree.Let():
            _survey_value(declaration, module, wished, report)
        case _:
            pass


def _survey_value(declaration: tree.Function | tree.Let, module: Module, wished: set[str], report: Reporter) -> None:
    budget = Budget()
    env = Env(module, file_context(module, Context(), budget, Parts()), budget, shape=UNKNOWN, entry=UNKNOWN)
    parameters = declaration.parameters if isinstance(declaration, tree.Function) else ()
    unknown = (*wished, *env.context.names(), *(parameter.name.text for parameter in parameters))
    inner = env.bind(**dict.fromkeys(unknown, UNKNOWN))
    parts = Parts()
    try:
        for value in (declaration.value, *(p.default for p in parameters if p.default is not None)):
            with parts:
                evaluate(value, inner)
    except (Trouble, RecursionError):
        return  # too much of something, which is told where it is used
    for trouble in parts.troubles:
        trouble.tell(report)


def _wished(module: Module, looking: Looking) -> set[str]:
    """List the names that any `defaults` of a file gives a value, which a caller may do for a block."""
    found: set[str] = set()
    for declaration in module.file.declarations:
        found |= looking.at(declaration, _wished_in, Reporter(), lambda _, part=declaration: _wished_in(part))
    return found


def _wished_in(declaration: tree.Declaration) -> frozenset[str]:
    if isinstance(declaration, tree.Defaults):
        return _names(declaration)
    if not isinstance(declaration, tree.Block | tree.Model):
        return frozenset()
    none: frozenset[str] = frozenset()
    statements = (statement for body in all_bodies(declaration.body) for statement in body.statements)
    return none.union(*(_names(statement) for statement in statements if isinstance(statement, tree.Defaults)))


def _names(node: tree.Defaults) -> frozenset[str]:
    return frozenset(argument.key.text for argument in node.values if argument.key is not None)
