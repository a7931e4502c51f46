"""What the lints of a network work from, and what several of them ask."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from archdsl.ir.graph import Node
from archdsl.passes.lint.step import OperatorUse
from archdsl.passes.lint.wiring import Wiring, wire
from archdsl.passes.receptive import Fields, receptive_fields
from archdsl.passes.shapes import Shapes
from archdsl.passes.tables import Tables
from archdsl.text.source import Source, Span

T = TypeVar("T")

_LONGEST_SHOWN = 40


@dataclass(frozen=True)
class Facts:
    """A network's tables, the file that is checked, and the prelude; the rest is worked out when asked for."""

    tables: Tables
    file: Source
    prelude: Source | None

    @property
    def shapes(self) -> Shapes:
        """The network's shapes."""
        return self.tables.shapes

    @cached_property
    def wiring(self) -> Wiring:
        return wire(self.shapes)

    @cached_property
    def fields(self) -> Fields:
        return receptive_fields(self.shapes)

    @cached_property
    def counts(self) -> Mapping[Shapes, int]:
        """Map each body's table to how often the network runs it for one image."""
        found = Counter({self.shapes: 1})
        # A body runs as often as its callers do, which the order below has settled by then.
        for table in reversed(list(self.shapes.tables())):
            for name, inner in table.inner.items():
                found[inner] += found[table] * table.graph.nodes[name].repeat
        return found

    @cached_property
    def _ways(self) -> Mapping[Shapes, str]:
        """Map each body's table to the path before its nodes in the first place that runs it."""
        found = {self.shapes: ""}
        for table in reversed(list(self.shapes.tables())):
            for name, inner in table.inner.items():
                found.setdefault(inner, f"{found[table]}{name}.")
        return found

    def path(self, table: Shapes, node: Node) -> str:
        """Return where in the network a body's node first runs."""
        return f"{self._ways[table]}{node.id}"

    def macs(self, step: OperatorUse) -> int:
        """Count the multiply-adds of all times that a step runs for one image."""
        return step.op.macs(step.inputs) * step.node.repeat * self.counts[step.table]

    def place(self, step: OperatorUse) -> Span:
        """Return the text to point at: the step's own, or this file's call of the prelude's block that it is of."""
        span = step.node.span
        if span.source is self.prelude:
            calls = (call for _, call in reversed(step.node.calls) if self.is_own(call))
            return next(calls, span)
        return span

    def attribute(self, step: OperatorUse, name: str) -> Span:
        """Return the text to point at for one of a step's attributes: its own, or else the step's place."""
        place = self.place(step)
        return step.node.span_of(name) if place == step.node.span else place

    def is_own(self, span: Span) -> bool:
        """Return whether a place lies in the file that is checked."""
        return span.source.name == self.file.name and span.source.text == self.file.text

    def everywhere(self, judge: Callable[[OperatorUse], T | None]) -> Iterator[tuple[Span, T]]:
        """Yield the places where a judgement holds for every operator that the text makes, with that of the first."""
        found: dict[tuple[Span, Span], T | None] = {}
        for step in self.wiring.steps:
            key = self.place(step), step.node.span
            if key in found and found[key] is None:
                continue
            verdict = judge(step)
            if verdict is None or key not in found:
                found[key] = verdict
        yield from ((place, verdict) for (place, _), verdict in found.items() if verdict is not None)


def shown(span: Span) -> str:
    """Return a place's text for a message, cut where it is long."""
    text = re.sub(r"\s+", " ", span.text).strip()
    return f"`{text}`" if len(text) <= _LONGEST_SHOWN else f"`{text[:_LONGEST_SHOWN].rstrip()}…`"
