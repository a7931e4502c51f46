"""What the lowering of one model knows so far, and the rules that it follows."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeAlias

from archdsl.ir.graph import Graph
from archdsl.ir.trouble import OF_VALUES, Parts, Reported, Trouble
from archdsl.lower.arguments import Operators
from archdsl.lower.inputs import Inputs
from archdsl.lower.level import Draft, Flow, Level, Way
from archdsl.lower.place import PathEdit, Place
from archdsl.lower.said import Said
from archdsl.ops.base import Op
from archdsl.ops.shape import Shape
from archdsl.semantics.context import Context
from archdsl.semantics.env import Budget, Env
from archdsl.semantics.values import DeclaredBlock, Setting, turns_in_words
from archdsl.syntax import tree
from archdsl.syntax.walk import names_read
from archdsl.text.diagnostic import Diagnostic, Label, Reporter
from archdsl.text.record import record
from archdsl.text.source import Span

MAX_STEPS = 10_000
MOST_AFTER_MISTAKE = 4_000
"""How many more steps are looked at once there is a mistake, which makes each of them slower to lower."""
MAX_SIZE = 1_000_000
"""How many steps a graph may have, those of its bodies counted as often as they are called."""
_MOST_CALLS_SHOWN = 3

# What a statement or action makes of what flows into it.
FlowRule: TypeAlias = "Callable[[Any, Place, Flow, Lowering], Flow]"
# The place of the statements behind one that binds names.
NameRule: TypeAlias = "Callable[[Any, Place, Lowering], Place]"


class Rules(NamedTuple):
    """A rule for each kind of statement and action: what it makes flow, and what it makes names mean.

    A kind without a rule in one of the tables leaves that as it is.
    """

    flows: Mapping[type, FlowRule]
    names: Mapping[type, NameRule]


class PartMaker(Protocol):
    """Runs parts of a network by themselves; each method gives None where it leaves the part to lowering."""

    def call(
        self,
        block: DeclaredBlock,
        node: tree.Call,
        values: Mapping[str, Setting],
        env: Env,
        place: Place,
        flow: Flow,
        lowering: Lowering,
    ) -> Flow | None:
        """Run a call of a block."""
        ...

    def loop(self, node: tree.For, place: Place, flow: Flow, lowering: Lowering) -> Flow | None:
        """Run a `for`."""
        ...


class EnoughMistakes(Exception):
    """The report is full, so that going on would tell no more."""


@record
class Instance:
    """A lowered block body, the shapes of its outputs, and which of the values that its call keeps it captured."""

    graph: Graph
    shapes: Mapping[str, Shape | None]
    captured: tuple[int, ...] = ()
    is_pass: bool = False
    """Whether the body is `pass` alone, and the call therefore a step that does nothing, without a body."""


@dataclass(slots=True, eq=False)
class Lowering:
    """The state of one model's lowering. Mistakes go to `report`; what depends on one is left out."""

    rules: Rules
    report: Reporter
    inputs: Inputs
    visited: set[int]
    """Bodies of which a statement was lowered, so that mistakes in them are found."""
    is_survey: bool = False
    """Whether only mistakes are looked for that hold whatever the parameters are."""
    main: Level = field(default_factory=Level)
    """The level of the model's own body."""
    budget: Budget = field(default_factory=Budget)
    operators: Operators = field(default_factory=Operators)
    instances: dict[Any, Instance] = field(default_factory=dict[Any, Instance])
    plain: dict[tuple[str, int, Context], Op] = field(default_factory=dict[tuple[str, int, Context], Op])
    """The operators that names without arguments stand for, such as `act`, by file and context."""
    contexts: dict[tuple[Context, int, int], Context] = field(default_factory=dict[tuple[Context, int, int], Context])
    """What the contexts of callers become inside blocks of other files, by these and the settings from outside."""
    calls: list[tuple[str, Span]] = field(default_factory=list[tuple[str, Span]])
    """The calls that lead to where lowering is, outer ones first."""
    running: list[int] = field(default_factory=list[int])
    """The blocks that are being lowered, outer ones first."""
    turns: list[tuple[str, Setting]] = field(default_factory=list[tuple[str, Setting]])
    """The names of the `for` that lowering is in, with their values, outer ones first."""
    endless: set[int] = field(default_factory=set[int])
    """Blocks that were found to call themselves without end."""
    deferred: list[Diagnostic] = field(default_factory=list[Diagnostic])
    edits_by_name: dict[int, tuple[tuple[PathEdit, ...], dict[str, list[int]], list[int]]] = field(
        default_factory=dict[int, "tuple[tuple[PathEdit, ...], dict[str, list[int]], list[int]]"]
    )
    """By identity, edits on their way down: where those of each plain next segment stand, and those of patterns."""
    comparisons: int = 0
    """How often a pattern was held against a step's names."""
    matched: set[int] = field(default_factory=set[int])
    """The edits that reached a step."""
    said: Said = field(default_factory=Said)
    """What the model's own body says of its weights."""
    assertions: list[tuple[tree.Expression, Env]] = field(default_factory=list[tuple[tree.Expression, Env]])
    steps: int = 0
    """How many statements and actions were lowered."""
    _steps_broken: int = 0
    built: set[Span] = field(default_factory=set[Span])
    """The blocks that were lowered, by where they are declared."""
    mentioned: dict[int, frozenset[str] | None] = field(default_factory=dict[int, "frozenset[str] | None"])
    """By identity, the names that a body's text has."""
    inputs_written: list[int] = field(default_factory=list[int])
    """Where the model's inputs begin; after one that is wrong nothing flows, and that is told there."""
    parts: PartMaker | None = None
    """What may run calls and loops by themselves; None but for `archdsl.tracing`."""
    _lacks_input: bool = False
    _trial: Lowering | None = None

    @property
    def is_broken(self) -> bool:
        """Whether a mistake was found, be it told or left to the shape pass."""
        return self.report.has_errors or bool(self.deferred)

    def trial(self) -> Lowering:
        """Return a lowering for calls that the spec does not have: what goes wrong there is nobody's mistake."""
        if self._trial is None:
            self._trial = Lowering(self.rules, Reporter(), Inputs(None), set())
        self._trial.report, self._trial.budget, self._trial.steps = Reporter(), Budget(), 0
        self._trial.deferred.clear()
        self._trial.calls.clear()
        return self._trial

    def names_in(self, body: tree.Body) -> frozenset[str] | None:
        """Return the names that a body may read; None where it puts together what stands behind `@`."""
        if id(body) not in self.mentioned:
            self.mentioned[id(body)] = names_read(body)
        return self.mentioned[id(body)]

    def count(self, span: Span) -> None:
        """Take note of one more statement or action; raise where there are too many, or mistakes enough."""
        if self.report.is_full:
            raise EnoughMistakes
        self.steps += 1
        if self.steps > MAX_STEPS:
            message = f"this network has more than {MAX_STEPS:,} distinct steps"
            raise Trouble("E109", message, span, is_fatal=True)
        if self.is_broken:
            self._steps_broken += 1
            if self._steps_broken > MOST_AFTER_MISTAKE:
                raise EnoughMistakes

    def fail(self, trouble: Trouble) -> None:
        """Report a mistake and those beside it."""
        for one in trouble.all():
            self.report.add(self._diagnostic(one))

    def fail_all(self, parts: Parts) -> None:
        """Report the mistakes of a statement's parts."""
        for trouble in parts.troubles:
            self.fail(trouble)

    def defer(self, trouble: Trouble) -> None:
        """Leave a mistake in shapes to the shape pass, which knows the sizes too and where the step stands."""
        self.deferred.append(self._diagnostic(trouble))

    def tell_deferred(self) -> None:
        """Report mistakes in shapes for which no pass knew more; one that is reported already stays as it is."""
        for diagnostic in self.deferred:
            self.report.add(diagnostic)

    def _diagnostic(self, trouble: Trouble) -> Diagnostic:
        """Return what to say of a mistake, with the calls that led to it."""
        calls = dict.fromkeys(reversed(self.calls))  # a block that calls itself stands in it many times
        shown = [Label(span, f"in `{name}`, called here") for name, span in [*calls][:_MOST_CALLS_SHOWN]]
        if self.turns and trouble.code in OF_VALUES and not trouble.is_kept:
            trouble.turns = ", ".join(filter(None, (turns_in_words(self.turns), trouble.turns)))
        return trouble.diagnostic([label for label in shown if not label.span.holds(trouble.span)])

    def level_inside(self, outer: Level) -> Level:
        """Return a level for what stands in a step of another one."""
        return type(outer)(outer, (len(self.calls), len(self.turns)))

    def way_in(self, level: Level) -> Way:
        """Return how lowering came to where it is, inside a level."""
        calls, turns = level.depth
        return Way(tuple(self.calls[calls:]), tuple(self.turns[turns:]))

    def place_draft(self, draft: Draft, level: Level) -> None:
        """Note in a draft the calls and turns that lead to it."""
        draft.calls, draft.turns = tuple(self.calls), tuple(self.turns[level.depth[1] :])

    @contextmanager
    def turn(self, names: Mapping[str, Setting]) -> Generator[None]:
        """Be in one turn of a `for`, which binds these names."""
        count = len(self.turns)
        self.turns += names.items()
        try:
            yield
        finally:
            del self.turns[count:]

    def no_input(self, span: Span) -> Trouble | Reported:
        """Say that no value flows in; once, since nothing can flow behind such a step either."""
        is_behind = any(start < span.start for start in self.inputs_written)
        if self._lacks_input or (is_behind and self.is_broken):
            return Reported()
        self._lacks_input = True
        help = "begin the model with `input [3, 224, 224]`"
        if is_behind:
            help = "keep the `input` before it: it is repeated 0 times, or a variant removes it"
        return Trouble("E121", "nothing flows in here", span, help=help)

    def enter(self, declaration: tree.Block, span: Span) -> None:
        """Begin with a block that is called here."""
        self.calls.append((declaration.name.text, span))
        self.running.append(id(declaration))

    def leave(self) -> None:
        """End with the block that was entered last."""
        self.calls.pop()
        self.running.pop()
