"""W425: joins in whose braces one branch is written."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from archdsl.ops import OPS
from archdsl.semantics.module import Module
from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.text.diagnostic import Reporter
from archdsl.text.looking import Looking


def lint_joins(module: Module, report: Reporter, looking: Looking) -> None:
    """Report joins of one branch, which add nothing to it: most likely the other one was forgotten.

    Silent where an `if` or `for` decides how many there are, and behind `split`, which counts them itself.
    """
    joins = frozenset(name for name, op in OPS.items() if op.is_join and name not in module.declarations)
    for declaration in reversed(module.file.declarations):
        looking.at(declaration, _lint, report, partial(_lint, declaration, joins), joins)


def _lint(declaration: tree.Declaration, joins: frozenset[str], report: Reporter) -> None:
    nodes = [*nodes_of(declaration)]
    of_splits = {id(node.join) for node in nodes if isinstance(node, tree.Split)}
    for node in nodes:
        if not isinstance(node, tree.Call) or node.body is None or id(node) in of_splits:
            continue
        if (
            node.name.text in joins
            and len(branches := list(_branches(node.body))) == 1
            and isinstance(branches[0], tree.Step)
        ):
            report.warning(
                "W425",
                f"`{node.name.text}` has one branch, and does nothing",
                node.name.span,
                help="write the other branch, `pass` for what flows in, or leave the join out",
            )


def _branches(body: tree.Body) -> Iterator[tree.Statement]:
    """Yield what makes branches of a join."""
    for statement in body.statements:
        if not isinstance(statement, tree.Let | tree.Function | tree.Defaults | tree.Assert | tree.OutputStatement):
            yield statement
