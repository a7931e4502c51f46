"""W404: steps whose results nothing uses, or whose results are always zero."""

from __future__ import annotations

from archdsl.ir.graph import Graph, Node
from archdsl.passes.lint.facts import Facts, shown
from archdsl.passes.lint.mend import without
from archdsl.text.diagnostic import Reporter


def lint_dead_branch(facts: Facts, report: Reporter) -> None:
    """Report the last step of every branch that leads nowhere, and what makes a branch zero."""
    for table in facts.shapes.tables():
        graph = table.graph
        given_out = {output.value.node for output in graph.outputs}
        reused = {node.reuses for node in graph.nodes.values()}
        for node in graph.topological():
            if not graph.consumers[node.id] and node.id not in given_out | reused:
                _report_unread(graph, node, facts.path(table, node), report)
            elif reason := _makes_zero(node):
                report.warning(
                    "W404",
                    f"{shown(node.span)} {reason}, so that nothing before it has an effect",
                    node.span,
                    notes=[f"its path is `{facts.path(table, node)}`"],
                    help="remove the branch, or change the factor",
                )


def _report_unread(graph: Graph, node: Node, path: str, report: Reporter) -> None:
    if node.is_input and graph.kind != "model":
        return  # a block that looks away from its input has other mistakes, which are reported where they are made
    what = f"the input {shown(node.span)}" if node.is_input else f"the result of {shown(node.span)}"
    report.warning(
        "W404",
        f"nothing reads {what}",
        node.span,
        notes=[f"its path is `{path}`"],
        help="remove it, refer to it by `@label`, or give it out with `output`",
        fix=None if node.is_input else without(node, is_same_network=False),
    )


def _makes_zero(node: Node) -> str:
    if node.op is None:
        return ""
    if node.op.makes_zero(in_training=False):
        return "multiplies by zero"
    if node.op.makes_zero(in_training=True):
        return "sets everything to zero while the network trains"
    is_from_itself = len(node.inputs) == 2 and len(set(node.inputs)) == 1
    return "takes a value from itself" if node.op.cancels_equals and is_from_itself else ""
