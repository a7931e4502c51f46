"""One level of a network while it is being built: steps as they come, which get their names when it is complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from archdsl.ir.graph import Graph, Node, Output, Value
from archdsl.ir.labels import UnlabelledNames, unlabelled_name
from archdsl.ir.trouble import Trouble, Turns
from archdsl.ops.base import Op
from archdsl.ops.shape import Shape
from archdsl.text.source import Span


class Ref(NamedTuple):
    """A value in a level: a draft's result, or a named one of several."""

    index: int  # pyright: ignore[reportIncompatibleMethodOverride] -- nothing searches a Ref
    output: str = ""


class Flow(NamedTuple):
    """What flows from step to step: a value and its shape, None after a mistake."""

    ref: Ref | None
    shape: Shape | None

    @property
    def position(self) -> int:
        """Where the value's draft stands in its level; -1 where nothing flows."""
        return self.ref.index if self.ref is not None else -1


NOTHING = Flow(None, None)


class Way(NamedTuple):
    """The calls of inline blocks and the turns of `for` that lead to a place in a level, outer ones first."""

    calls: tuple[tuple[str, Span], ...]
    turns: Turns


@dataclass(slots=True)
class Draft:
    """A node whose name is not settled. `hint` is the word that made it, by which it goes where it has no label."""

    hint: str
    span: Span
    inputs: tuple[Ref, ...] = ()
    shapes: Mapping[str, Shape | None] = field(default_factory=dict[str, "Shape | None"])
    label: str | None = None
    op: Op | None = None
    body: Graph | None = None
    repeat: int = 1
    reuses: int | None = None
    attribute_spans: Mapping[str, Span] = field(default_factory=dict[str, Span])
    calls: tuple[tuple[str, Span], ...] = ()
    turns: Turns = ()
    """The turns of the `for` around it, inside its level."""
    is_unfed: bool = False
    """Whether it is, or reads, what a mistake left unknown."""
    trouble: Trouble | None = None
    """What is wrong with it, though all that it reads is known."""

    @property
    def is_input(self) -> bool:
        if self.op is not None:
            return self.op.category == "input"
        return self.body is None and not self.inputs


class Level:
    """The drafts of one body, its labels and its named outputs.

    `outer` is the level that it stands in, or whose step calls it; `depth` is how many calls and turns of `for` are
    around it.
    """

    def __init__(self, outer: Level | None = None, depth: tuple[int, int] = (0, 0)) -> None:
        self.outer, self.depth = outer, depth
        self.drafts: list[Draft] = []
        self.labels: dict[str, tuple[int | None, Span]] = {}
        self.ways: dict[str, Way] = {}
        """How lowering came to each label, inside this level."""
        self.outputs: list[tuple[str, Ref, bool]] = []
        self.passed: list[str] = []
        """What the unlabelled steps so far go by, before any edit; kept where there are edits."""
        self.is_numbered = True
        """Whether steps are numbered as in nn.Sequential: a plain chain in which nothing is labelled."""
        self.possible: set[str] = set()
        """Labels of statements that a mistake kept from being lowered."""
        self._has_gaps = False
        self.is_block = False
        """Whether it is the body of a block, and not of braces in its outer level."""
        self.is_aside = False
        """Whether only the own mistakes of its statements count."""
        self.is_open = False
        """Whether labels may stand where the lines before are not known."""

    def add(self, draft: Draft) -> Flow:
        self.drafts.append(draft)
        if draft.is_unfed or draft.trouble is not None:
            self._has_gaps = True
        return Flow(Ref(len(self.drafts) - 1), draft.shapes.get(""))

    def arrive(self, shape: Shape | None, span: Span) -> Flow:
        """Add the place where a body's input arrives."""
        return self.add(Draft("input", span, (), {"": shape}, is_unfed=shape is None))

    def leave_out(self, hint: str, label: str | None, flow: Flow, span: Span) -> Flow:
        """Keep the place of a step that a mistake leaves unknown."""
        inputs = (flow.ref,) if flow.ref is not None else ()
        return self.add(Draft(hint, span, inputs, {"": None}, label=label, is_unfed=True))

    def aside(self) -> tuple[Level, Flow]:
        """Return a level for statements of which only their own mistakes count, and what flows into it."""
        level = Level(self.outer, self.depth)
        level.possible = self.possible | self.labels.keys()
        level.is_open, level.is_aside = self.is_open, True
        return level, level.arrive(None, Span(0, 0))

    def ordered_outputs(self) -> list[tuple[str, Ref, bool]]:
        """Return the named outputs in the order of the text, those of training only behind all others."""
        return sorted(self.outputs, key=lambda output: output[2])

    def next_names(self, hint: str) -> tuple[str, str]:
        """Return the two names that the next unlabelled step may get, numbered or by its hint, if nothing is edited."""
        hint = unlabelled_name(hint)
        count = self.passed.count(hint)
        return str(len(self.passed)), hint if not count else f"{hint}_{count + 1}"

    def finish(
        self,
        name: str,
        kind: Literal["model", "block", "group"],
        main: Flow,
        span: Span,
        bindings: Mapping[str, object] | None = None,
        doc: str = "",
    ) -> Graph:
        """Settle the names and make the graph. `main` is the flow at the end; without one the first output is main."""
        names = self._names()
        named = self.ordered_outputs()
        outputs = [Output(label, Value(names[ref.index][0], ref.output), flag) for label, ref, flag in named]
        if main.ref is not None:
            outputs.insert(0, Output("", Value(names[main.ref.index][0], main.ref.output)))
        nodes = {names[index][0]: self._node(draft, names[index], names) for index, draft in enumerate(self.drafts)}
        graph = Graph(name, kind, nodes, tuple(outputs), span, bindings, doc)
        if self._has_gaps:
            graph.unfed = frozenset(names[i][0] for i, draft in enumerate(self.drafts) if draft.is_unfed)
            graph.mistakes = {names[i][0]: draft.trouble for i, draft in enumerate(self.drafts) if draft.trouble}
        return graph

    def _node(self, draft: Draft, own: tuple[str, ...], names: list[tuple[str, ...]]) -> Node:
        return Node(
            names=own,
            inputs=tuple(Value(names[ref.index][0], ref.output) for ref in draft.inputs),
            span=draft.span,
            op=draft.op,
            body=draft.body,
            is_labelled=draft.label is not None,
            reuses=None if draft.reuses is None else names[draft.reuses][0],
            attribute_spans=draft.attribute_spans,
            calls=draft.calls,
            turns=draft.turns,
            word=draft.hint,
        )

    def _names(self) -> list[tuple[str, ...]]:
        is_numbered = self.is_numbered and not self.labels
        unlabelled = UnlabelledNames(draft.label for draft in self.drafts if draft.label is not None)
        position = 0
        names: list[tuple[str, ...]] = []
        for draft in self.drafts:
            if draft.label is not None:
                names.append((draft.label,))
            elif is_numbered and not draft.is_input:
                names.append(tuple(str(position + i) for i in range(draft.repeat)))
                position += draft.repeat
            else:
                names.append(tuple(unlabelled.next(draft.hint) for _ in range(draft.repeat)))
        return names
