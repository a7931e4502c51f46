"""W420: branches of a join that were meant as steps of the one before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from archdsl.ir.graph import Node
from archdsl.passes.lint.facts import Facts, shown
from archdsl.passes.lint.mend import statement_of
from archdsl.passes.shapes import Shapes
from archdsl.text.diagnostic import Edit, Fix, Label, Reporter
from archdsl.text.source import Span


def lint_lone_branches(facts: Facts, report: Reporter) -> None:
    """Report norms and activations that are branches by themselves, right behind a branch that is a layer or block.

    Silent where the layer's branch has several steps in braces, or stands behind.
    """
    for table in facts.shapes.tables():
        for node in table.graph.topological():
            if node.op is None or not node.op.is_join:
                continue
            branches = [table.graph.nodes[value.node] for value in node.inputs]
            for first, others in _runs(branches, table):
                place = others[0].span
                report.warning(
                    "W420",
                    f"{shown(place)} is a branch by itself, and not a step behind {shown(first.span)}",
                    place,
                    labels=[Label(first.span, "the branch before")],
                    help="put the steps of a branch into braces",
                    fix=_fix(first, others) if len(branches) > len(others) + 1 else None,
                )


def _runs(branches: Sequence[Node], table: Shapes) -> list[tuple[Node, list[Node]]]:
    """Return the branches that are a layer, with the norms and activations that are the branches behind it."""
    found = list[tuple[Node, list[Node]]]()
    open_run: list[Node] | None = None
    for node in branches:
        is_lone = node.op is not None and node.op.category in ("norm", "activation")
        if node.repeat > 1:
            open_run = None
        elif _is_layer(node, table):
            open_run = []
            found.append((node, open_run))
        elif open_run is not None and is_lone and node.inputs == found[-1][0].inputs:
            open_run.append(node)
        else:
            open_run = None
    return [(first, others) for first, others in found if others]


def _is_layer(node: Node, table: Shapes) -> bool:
    """Return whether a step is a layer with weights, or the call of a block that is a chain with one."""
    if node.op is not None:
        return node.op.linear_map(table.inputs_of(node)) is not None
    if node.word in ("", "group", "stages") or node.id not in table.inner:
        return False
    inner = table.inner[node.id]
    steps = [step for step in inner.graph.topological() if not step.is_input]
    return all(len(step.inputs) == 1 and step.op is not None for step in steps) and any(
        _is_layer(step, inner) for step in steps
    )


def _fix(first: Node, others: Sequence[Node]) -> Fix | None:
    """Put the layer and what stands behind it into braces, where all are written one behind the other."""
    places = [statement_of(node.span) for node in (first, *others)]
    source = places[0].source
    is_written = all(place.source is source for place in places) and not any(node.calls for node in (first, *others))
    between = [source.text[a.end : b.start] for a, b in pairwise(places)]
    if not is_written or any(text.strip("; \n\t") for text in between):
        return None
    edits = (
        Edit(Span(places[0].start, places[0].start, source), "{ "),
        Edit(Span(places[-1].end, places[-1].end, source), " }"),
    )
    return Fix(edits, title="put them into braces")
