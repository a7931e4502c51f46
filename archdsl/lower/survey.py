"""A look into what no model of a file reaches: blocks that nobody calls, branches that are never taken, functions."""

from __future__ import annotations

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


def survey(module: Module, visited: set[int], report: Reporter) -> None:
    """Report the mistakes of a file that hold whatever its parameters are, in what was not lowered.

    `visited` are the identities of the bodies that were. What a default may settle elsewhere counts as unknown.
    """
    wished = _wished(module)
    for declaration in module.file.declarations:
        if report.is_full:
            return
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


def _wished(module: Module) -> set[str]:
    """List the names that any `defaults` of a file gives a value, which a caller may do for a block."""
    found: set[str] = set()
    for declaration in module.file.declarations:
        if isinstance(declaration, tree.Defaults):
            found |= _names(declaration)
        elif isinstance(declaration, tree.Block | tree.Model):
            for body in all_bodies(declaration.body):
                for statement in body.statements:
                    if isinstance(statement, tree.Defaults):
                        found |= _names(statement)
    return found


def _names(node: tree.Defaults) -> set[str]:
    return {argument.key.text for argument in node.values if argument.key is not None}
