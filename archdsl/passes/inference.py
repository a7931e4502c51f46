"""The graph that evaluation runs."""

from __future__ import annotations

from archdsl.ir.graph import Graph
from archdsl.passes.dead import remove_dead
from archdsl.passes.identities import remove_identities
from archdsl.passes.rewrite import with_nodes


def for_inference(graph: Graph) -> Graph:
    """Leave out training-only outputs with all that only they need, noise, and what changes nothing.

    Requires: a verified graph. Ensures: a legal graph with the results that the old one has in eval mode, whose state
    is the old one's without the removed branches.
    """
    kept = tuple(output for output in graph.outputs if not output.is_training_only)
    evaluated = with_nodes(graph, graph.nodes, kept or graph.outputs)
    return remove_identities(remove_dead(evaluated), in_training=False)
