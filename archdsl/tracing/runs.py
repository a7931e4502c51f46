"""One run of lowering on traced numbers, and what all runs of a spec share."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# Traced numbers pass for plain ones, which no type can say.

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from archdsl.lower.inputs import Inputs
from archdsl.lower.lowering import Lowering, PartMaker
from archdsl.lower.rules import RULES
from archdsl.ops.shape import Dim, Shape
from archdsl.semantics.env import Budget, Env
from archdsl.syntax import tree
from archdsl.text.diagnostic import Reporter
from archdsl.text.source import Span
from archdsl.tracing.expressions import ExpressionTracer, OpaqueExpressions
from archdsl.tracing.levels import TracedLevel
from archdsl.tracing.operators import TracedOperators
from archdsl.tracing.passages import Opening, Structure, Structures
from archdsl.tracing.recorder import Recorder, Traced, Untraceable, plain

STEP_EFFORT, SIZE_EFFORT, VALUE_EFFORT, ITEM_EFFORT, APPLICATION_EFFORT = 100, 1, 20, 1, 10
EFFORT = 1_000_000
"""Where what all parts take of a compilation's limits adds up to this, one of the limits may be reached."""


class Notes:
    """What all runs of a spec share."""

    def __init__(self) -> None:
        self.expressions = OpaqueExpressions()
        self.structures = Structures()
        self.open_labels: frozenset[int] = frozenset()
        """By identity, the labels in the spec that nothing refers to."""
        self.maker: PartMaker | None = None
        """What decides which parts are noted by themselves."""
        self.runs: dict[int, Run] = {}
        """The runs that are underway, by the identity of their lowering."""
        self.owners: dict[int, object] = {}
        """The text that the levels of these runs stand in."""


class TracedLowering(Lowering):
    """A lowering that knows how deep its calls nested."""

    deepest = 0

    def enter(self, declaration: tree.Block, span: Span) -> None:
        super().enter(declaration, span)
        self.deepest = max(self.deepest, len(self.calls))


class Run:
    """One run of a part: the lowering of what its recorder notes."""

    def __init__(
        self, recorder: Recorder, notes: Notes, running: Sequence[int] = (), inputs: Inputs | None = None
    ) -> None:
        self.recorder = recorder
        self.tracer = ExpressionTracer(recorder, notes.expressions)
        self.tracer.open_labels = notes.open_labels
        self.budget = Budget()
        self.budget.tracer = self.tracer
        self.level = main = TracedLevel()
        """The level of its own body."""
        main.recorder = recorder
        self.lowering = TracedLowering(RULES, Reporter(), inputs or Inputs(None), set(), main=main, budget=self.budget)
        self.lowering.operators = TracedOperators(recorder)
        self.lowering.parts = notes.maker
        self.lowering.running += running
        self.efforts: list[Any] = []
        """What the parts in it take."""
        self.depths: list[Any] = []
        """How deep calls nest in them, from here on."""

    def effort(self) -> tuple[Any, ...]:
        """Return what it takes of a compilation's limits, to be added up."""
        budget, lowering = self.budget, self.lowering
        own = STEP_EFFORT * lowering.steps + VALUE_EFFORT * budget.values + ITEM_EFFORT * budget.items
        own += APPLICATION_EFFORT * budget.applications + self.tracer.effort
        return (own, *self.efforts)

    def depth(self) -> tuple[Any, ...]:
        """Return how deep calls nest in it, in several places."""
        return (self.lowering.deepest, *self.depths)

    @contextmanager
    def underway(self, notes: Notes, owner: object) -> Generator[TracedLowering]:
        """Be underway, so that parts inside are noted in this run; `owner` is the text that its own level stands in."""
        key = id(self.lowering)
        notes.runs[key], notes.owners[key] = self, owner
        try:
            yield self.lowering
        finally:
            del notes.runs[key], notes.owners[key]

    def called(self, function: Callable[..., Any], leaves: Sequence[Any]) -> tuple[Any, Traced]:
        """Call a part, and note the call and what its result looks like."""
        recorder = self.recorder
        made = function(*map(plain, leaves))
        result = recorder.call(function, leaves, made)
        recorder.hold(f"v{result.place}.structure == {made.structure}", (result.place,))
        self.efforts.append(recorder.part(result, ".effort", made.effort))
        self.depths.append(len(self.lowering.calls) + recorder.part(result, ".depth", made.depth))
        return made, result

    def settle(self) -> None:
        """Raise Untraceable where there was a mistake."""
        if self.lowering.is_broken:
            raise Untraceable("a mistake")


def structure_of(
    shapes: Mapping[str, Shape | None], named: Mapping[str, bool], taken: frozenset[str]
) -> tuple[Structure, tuple[Any, ...]]:
    """Return what a body's outputs look like, and the numbers of their shapes."""
    outputs: list[tuple[str, bool, Opening]] = []
    sizes: list[Any] = []
    for name, shape in shapes.items():
        if shape is None:
            raise Untraceable("a mistake")
        outputs.append((name, named.get(name, False), Opening.of(shape)))
        sizes += [size for size in shape if not isinstance(size, Dim)]
    return Structure(tuple(outputs), taken), tuple(sizes)


def take(structure: Structure, env: Env) -> None:
    """Take note of the settings from outside that a part takes."""
    if env.context.outside is not None:
        env.context.outside.taken.update(structure.taken)
