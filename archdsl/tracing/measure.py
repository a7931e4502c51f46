"""Shapes and costs of a run's graph, by the passes' own rules, in which some bodies are parts by themselves."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# Traced numbers pass for plain ones, which no type can say.

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from archdsl.ir.graph import Graph, Node
from archdsl.ir.walk import PerBody
from archdsl.ops.shape import Shape
from archdsl.passes.costs import Costs, Total, count_body
from archdsl.passes.shapes import Inferrer, Shapes
from archdsl.tracing.recorder import Untraceable


class PartBody(Graph):
    """A body that gives its shapes and costs itself, and has no nodes to look at."""

    def cost(self, inputs: Sequence[Shape]) -> tuple[Mapping[str, Shape], Total]:
        """Return the shapes of its outputs for these of its inputs, and its costs."""
        raise NotImplementedError


class _PartShapes:
    """The table of a part."""

    is_complete = True

    def __init__(self, graph: PartBody, inputs: Sequence[Shape]) -> None:
        self.graph = graph
        self.outputs, self.total = graph.cost(inputs)


class _PartInferrer(Inferrer):
    def table(self, graph: Graph, inputs: tuple[Shape, ...], call: Node | None) -> Shapes:
        if isinstance(graph, PartBody):
            return cast("Shapes", _PartShapes(graph, inputs))
        return super().table(graph, inputs, call)


def measure(graph: Graph, inputs: Sequence[Shape]) -> tuple[Mapping[str, Shape], Total]:
    """Return the shapes of a graph's outputs for these of its inputs, and its costs.

    Errors: Untraceable where something does not fit
    """
    run = _PartInferrer({})
    shapes = run.table(graph, tuple(inputs), None)
    if run.misfits:
        raise Untraceable("shapes that do not fit")
    return shapes.outputs, PerBody[Any, Any](_count)(shapes).total


def _count(shapes: Any, count: Callable[[Any], Any]) -> Any:
    if isinstance(shapes, _PartShapes):
        return Costs({}, {}, shapes.total)
    return count_body(shapes, count)
