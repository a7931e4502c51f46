"""W425: joins in whose braces one branch is written."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.ops import OPS
from archdsl.semantics.module import Module
from archdsl.syntax import tree
from archdsl.syntax.walk import nodes_of
from archdsl.text.diagnostic import Reporter


def lint_joins(module: Module, report: Reporter) -> None:
    """Report joins of one branch, which add nothing to it: most likely the other one was forgotten.

    Silent where an `if` or `for` decides how many there are, and behind `split`, which counts them itself.
    """
    nodes = [*nodes_of(module.file.declarations)]
    of_splits = {id(node.join) for node in nodes if isinstance(node, tree.Split)}
    for node in nodes:
        if not isinstance(node, tree.Call) or node.body is None or id(node) in of_splits:
            continue
        op = OPS.get(node.name.text)
        if op is None or not op.is_join or node.name.text in module.declarations:
            continue
        if len(branches := list(_branches(node.body))) == 1 and isinstance(branches[0], tree.Step):
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
