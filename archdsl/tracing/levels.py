"""Levels of a run, whose steps get places instead of names: how often a step repeats is a number like any other."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# Traced numbers pass for plain ones, which no type can say.

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from archdsl.ir.graph import Graph, Node, Output, Value
from archdsl.lower.level import Draft, Flow, Level
from archdsl.text.source import Span
from archdsl.tracing.expressions import TracedText
from archdsl.tracing.recorder import Recorder, Traced, Untraceable


class TracedNode(Node):
    """A node that stands for several equal ones, as many as a traced number says."""

    __slots__ = ("_times",)

    def __init__(self, times: int, **parts: Any) -> None:
        super().__init__(**parts)
        object.__setattr__(self, "_times", times)

    @property
    def repeat(self) -> int:
        return self._times  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]


class TracedLevel(Level):
    """A level of a run."""

    recorder: Recorder

    def __init__(self, outer: TracedLevel | None = None, depth: tuple[int, int] = (0, 0)) -> None:
        super().__init__(outer, depth)
        if outer is not None:
            self.recorder = outer.recorder
        self.loops: list[Traced] = []
        """What the `for`s in it that are run by themselves made, which have labels of this level."""

    def written_labels(self) -> tuple[list[str], list[str], list[int]]:
        """Return its labels: those that are settled, the program's text of the others, and what these read."""
        settled: list[str] = []
        open_texts: list[str] = []
        reads: list[int] = []
        for label in self.labels:
            if not isinstance(label, TracedText):
                settled.append(label)
                continue
            text = ""
            for piece in label.pieces:
                if isinstance(piece, Traced):
                    text += f"{{v{piece.place}}}"
                    reads.append(piece.place)
                else:
                    text += str(piece).replace("{", "{{").replace("}", "}}")
            open_texts.append("f" + repr(text))
        for loop in self.loops:
            open_texts.append(f"*v{loop.place}.labels")
            reads.append(loop.place)
        return settled, open_texts, reads

    def hold_labels(self) -> None:
        """Hold its labels to be different ones."""
        settled, open_texts, reads = self.written_labels()
        if open_texts and len(settled) + len(open_texts) > 1:  # those of one loop are different
            known = self.recorder.constant(frozenset(settled))
            line = f"{self.recorder.constant(are_distinct)}({known}, ({', '.join(open_texts)},))"
            self.recorder.hold(line, reads)

    def finish(
        self,
        name: str,
        kind: Literal["model", "block", "group"],
        main: Flow,
        span: Span,
        bindings: Mapping[str, object] | None = None,
        doc: str = "",
    ) -> Graph:
        """Make the graph, in which nodes go by their places."""
        given = self.settle_outputs(main)
        if any(draft.is_unfed or draft.trouble is not None for draft in self.drafts):
            raise Untraceable("a mistake")
        self.hold_labels()
        outputs = [Output(label, Value(str(ref.index), ref.output), flag) for label, ref, flag in given]
        nodes = {str(index): _node(draft, str(index)) for index, draft in enumerate(self.drafts)}
        return Graph(name, kind, nodes, tuple(outputs), span)


def are_distinct(settled: frozenset[str], others: Iterable[str]) -> bool:
    """Return whether labels are different from each other, and from those that are settled.

    Errors: Untraceable where they are not, or are paths into each other, which is a mistake in the spec or makes one
        level of several
    """
    found = list(others)
    labels = frozenset(found)
    if len(labels) < len(found) or not settled.isdisjoint(found):
        raise Untraceable("a label twice")
    for label in (*settled, *found):
        outer = label.rpartition(".")[0]
        while outer:
            if outer in labels or (label in labels and outer in settled):
                raise Untraceable("a label below another")
            outer = outer.rpartition(".")[0]
    return True


def _node(draft: Draft, name: str) -> Node:
    return TracedNode(
        names=(name,),
        inputs=tuple([Value(str(ref.index), ref.output) for ref in draft.inputs]),
        span=draft.span,
        op=draft.op,
        body=draft.body,
        reuses=None if draft.reuses is None else str(draft.reuses),
        times=draft.repeat,
    )
